"""`dogclips weights`: look into files of weights, and write them under our names."""

from pathlib import Path
from typing import Annotated

import typer

from dogclips.cli.console import print_json, print_line, print_result
from dogclips.cli.options import Json
from dogclips.errors import OutputError, UsageError

weights = typer.Typer(rich_markup_mode=None)
Source = Annotated[
    Path, typer.Argument(metavar="FILE", help="Weights of any known source; a file or folder.")
]


@weights.callback(invoke_without_command=True)
def _weights(context: typer.Context) -> None:
    """Look into weights of other sources, and write them under our names.

    Example: dogclips weights inspect SLOWFAST_8x8_R50.pkl
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@weights.command()
def inspect(source: Source, as_json: Json = False) -> None:
    """Say whose weights a file holds, of which network, and what is unknown in it.

    Example: dogclips weights inspect SLOWFAST_8x8_R50.pkl
    """
    from dogclips.models.weights.fitting import inspect_weights
    from dogclips.reports.tables.weights import facts_document, facts_table

    facts = inspect_weights(source)
    if as_json:
        print_json(facts_document(facts))
    else:
        print_result(facts_table(facts))


@weights.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A file, or a folder.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="File to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace OUT.")] = False,
    as_json: Json = False,
) -> None:
    """Write weights of any known source under our names, as safetensors with metadata.

    Example: dogclips weights convert timesformer_8xb8.pth timesformer.safetensors
    """
    _check_out(source, out, force=force)
    from dogclips.models.weights.fitting import convert_weights
    from dogclips.reports.tables.weights import facts_document, facts_table

    facts = convert_weights(source, out)
    if as_json:
        print_json(facts_document(facts) | {"output": str(out)})
    else:
        print_result(facts_table(facts))
        print_line(f"written to {out}")


def _check_out(source: Path, out: Path, *, force: bool) -> None:
    if out.suffix != ".safetensors":
        raise UsageError(
            "only safetensors are written", where=out, todo="name a file that ends in .safetensors"
        )
    if out.exists() and source.exists() and out.samefile(source):
        raise OutputError("this file is read", where=out, todo="write to another one")
    if out.is_dir():
        raise OutputError("a folder", where=out, todo="name a file")
    if out.exists() and not force:
        raise OutputError("already there", where=out, todo="name another file or pass --force")
