"""`dogclips weights`: inspect files of weights, and convert them."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from dogclips.cli.console import print_document, print_line, print_result
from dogclips.cli.help import Command, Group
from dogclips.cli.options import OUTPUT, Json

EXAMPLES = """
  Show which network a file of weights belongs to:
  $ dogclips weights inspect SLOWFAST_8x8_R50.pkl

  Convert it to safetensors:
  $ dogclips weights convert SLOWFAST_8x8_R50.pkl slowfast.safetensors
"""
INSPECT_EXAMPLES = """
  Show which network a file of weights belongs to:
  $ dogclips weights inspect SLOWFAST_8x8_R50.pkl

  Print the same as JSON, for a checkpoint of dogclips:
  $ dogclips weights inspect runs/first/checkpoints/best.ckpt --json
"""
CONVERT_EXAMPLES = """
  Convert weights of PySlowFast:
  $ dogclips weights convert SLOWFAST_8x8_R50.pkl slowfast.safetensors

  Take the weights out of a checkpoint, to start other trainings from:
  $ dogclips weights convert runs/first/checkpoints/best.ckpt dogs.safetensors
"""

weights = typer.Typer(cls=Group, epilog=EXAMPLES, rich_markup_mode=None)


@weights.callback(invoke_without_command=True)
def _weights(context: typer.Context) -> None:
    """Inspect or convert the weights of other tools.

    Reads files of PySlowFast, MMAction2, PyTorchVideo, timm, TimeSformer, UniFormer, transformers
    and dogclips.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@weights.command("inspect", cls=Command, epilog=INSPECT_EXAMPLES)
def _inspect(
    source: Annotated[
        Path,
        Argument(metavar="FILE", help="Weights of dogclips or of another tool; file or folder."),
    ],
    as_json: Json = False,
) -> None:
    """Show which tool and network a file of weights is from.

    Lists the weights in it that are unknown.
    """
    from dogclips.reports.tables.weights import facts_document, facts_table
    from dogclips.steps.weights import weights_inspect

    facts = weights_inspect(source)
    if as_json:
        print_document("weights inspect", facts_document(facts))
    else:
        print_result(facts_table(facts))


@weights.command("convert", cls=Command, epilog=CONVERT_EXAMPLES)
def _convert(
    source: Annotated[
        Path, Argument(metavar="IN", help="Weights of dogclips or of another tool; file or folder.")
    ],
    out: Annotated[Path, Argument(metavar="OUT", help="File to write (.safetensors).")],
    force: Annotated[
        bool, Option("--force", help="Replace OUT if it exists.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Json = False,
) -> None:
    """Convert weights to a safetensors file that dogclips reads.

    The file holds the name and settings of the network too.
    """
    from dogclips.reports.tables.weights import facts_document, facts_table
    from dogclips.steps.weights import weights_convert

    facts = weights_convert(source, out, force=force)
    if as_json:
        print_document("weights convert", facts_document(facts) | {"output": str(out)})
    else:
        print_result(facts_table(facts))
        print_line(f"written to {out}")
