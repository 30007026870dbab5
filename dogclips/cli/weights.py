"""`dogclips weights`: look into files of weights, and write them under our names."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from dogclips.cli.console import print_document, print_line, print_result
from dogclips.cli.options import Json

weights = typer.Typer(rich_markup_mode=None)


@weights.callback(invoke_without_command=True)
def _weights(context: typer.Context) -> None:
    """Look into weights of other sources, and write them under our names.

    Example: dogclips weights inspect SLOWFAST_8x8_R50.pkl
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@weights.command("inspect")
def _inspect(
    source: Annotated[
        Path, Argument(metavar="FILE", help="Weights of any known source; a file or folder.")
    ],
    as_json: Json = False,
) -> None:
    """Say whose weights a file holds, of which network, and what is unknown in it.

    Example: dogclips weights inspect SLOWFAST_8x8_R50.pkl
    """
    from dogclips.reports.tables.weights import facts_document, facts_table
    from dogclips.steps.weights import weights_inspect

    facts = weights_inspect(source)
    if as_json:
        print_document("weights inspect", facts_document(facts))
    else:
        print_result(facts_table(facts))


@weights.command("convert")
def _convert(
    source: Annotated[Path, Argument(metavar="IN", help="A file, or a folder.")],
    out: Annotated[Path, Argument(metavar="OUT.safetensors", help="File to write.")],
    force: Annotated[bool, Option("--force", help="Replace OUT.")] = False,
    as_json: Json = False,
) -> None:
    """Write weights of any known source under our names, as safetensors with metadata.

    Example: dogclips weights convert timesformer_8xb8.pth timesformer.safetensors
    """
    from dogclips.reports.tables.weights import facts_document, facts_table
    from dogclips.steps.weights import weights_convert

    facts = weights_convert(source, out, force=force)
    if as_json:
        print_document("weights convert", facts_document(facts) | {"output": str(out)})
    else:
        print_result(facts_table(facts))
        print_line(f"written to {out}")
