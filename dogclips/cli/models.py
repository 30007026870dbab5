"""`dogclips models`: list the networks that can be trained, and show the layers of one."""

from dataclasses import asdict
from typing import Annotated

import typer
from typer import Argument, Option

from dogclips.cli.console import print_document, print_line, print_result
from dogclips.cli.help import Command, Group
from dogclips.cli.options import OUTPUT, Json, Overrides
from dogclips.errors import UsageError

EXAMPLES = """
  List the networks:
  $ dogclips models

  Print settings for a training with one of them:
  $ dogclips models show x3d-m --yaml
"""
SHOW_EXAMPLES = """
  Show the layers of a network for 5 classes and views of 64 pixels:
  $ dogclips models show x3d-m --classes 5 --set data.size=64

  Print settings for a training with this network:
  $ dogclips models show slowfast-r50-8x8 --yaml
"""
NETWORK = "Network"

models = typer.Typer(cls=Group, epilog=EXAMPLES, rich_markup_mode=None)


@models.callback(invoke_without_command=True)
def _list_models(context: typer.Context, as_json: Json = False) -> None:
    """List the networks that can be trained, with their sizes.

    Shows parameters, multiply-adds, input, and the licence of known weights.
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise UsageError(
                "--json is in the wrong place",
                where="models --json",
                todo="put it after the command, as in `models show NAME --json`",
            )
        return
    from dogclips.reports.tables.models import models_report
    from dogclips.steps.models import list_models

    facts = list_models()
    if as_json:
        print_document("models", {"models": [asdict(one) for one in facts]})
    else:
        print_result(models_report(facts))


@models.command(cls=Command, epilog=SHOW_EXAMPLES)
def show(
    name: Annotated[
        str, Argument(metavar="NAME", help="Name of a network, as `dogclips models` lists it.")
    ],
    set_: Overrides = None,
    classes: Annotated[
        int, Option(metavar="N", min=1, help="Number of classes.", rich_help_panel=NETWORK)
    ] = 400,
    depth: Annotated[
        int,
        Option(
            metavar="N", min=1, help="Number of levels of layers to show.", rich_help_panel=OUTPUT
        ),
    ] = 3,
    as_yaml: Annotated[
        bool,
        Option("--yaml", help="Print settings for `dogclips train`.", rich_help_panel=OUTPUT),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the layers of a network, or settings to train it with."""
    if as_yaml and as_json:
        raise UsageError("these options conflict", where="--yaml, --json", todo="use one of them")
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
