"""`dogclips models`: the published networks that can be trained, and the layers of one."""

from dataclasses import asdict
from typing import Annotated

import typer
from typer import Argument, Option

from dogclips.cli.console import print_document, print_line, print_result
from dogclips.cli.options import Json, Overrides
from dogclips.errors import UsageError

models = typer.Typer(name="models", rich_markup_mode=None)


@models.callback(invoke_without_command=True)
def _list_models(context: typer.Context, as_json: Json = False) -> None:
    """List the published networks: size, cost, input, and the licence of known weights.

    Example: dogclips models
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise UsageError("--json of what", where="models --json show", todo="put it last")
        return
    from dogclips.reports.tables.models import models_report
    from dogclips.steps.models import list_models

    facts = list_models()
    if as_json:
        print_document("models", {"models": [asdict(one) for one in facts]})
    else:
        print_result(models_report(facts))


@models.command()
def show(
    name: Annotated[str, Argument(metavar="NAME", help="A name that `models` lists.")],
    set_: Overrides = None,
    classes: Annotated[int, Option(min=1, help="Number of classes.")] = 400,
    depth: Annotated[int, Option(min=1, help="How deep layers inside layers go.")] = 3,
    as_yaml: Annotated[
        bool, Option("--yaml", help="Print the settings of a training run with it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the layers of a network, or the settings of a training run with it.

    Example: dogclips models show slowfast-r50-8x8 --set data.size=256 --set model.width=32
    """
    if as_yaml and as_json:
        raise UsageError("two answers", where="--yaml, --json", todo="give one of them")
    import yaml

    from dogclips.reports.tables.models import layers_report
    from dogclips.steps.models import model_settings, show_model

    if as_yaml:
        settings = model_settings(name, set_ or (), classes=classes)
        print_line(yaml.safe_dump(settings, sort_keys=False).rstrip())
        return
    network = show_model(name, set_ or (), classes=classes)
    if as_json:
        layers = asdict(network.layers)["parts"]  # every one, to the last
        print_document("models show", {"model": asdict(network.facts), "layers": layers})
    else:
        print_result(layers_report(network.facts, network.layers, depth))
