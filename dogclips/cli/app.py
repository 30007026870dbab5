"""The `dogclips` program: its commands, and how faults reach the user."""

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from dogclips import __version__
from dogclips.cli.align import align
from dogclips.cli.browse import browse
from dogclips.cli.check import check
from dogclips.cli.console import print_error
from dogclips.cli.convert import convert
from dogclips.cli.cut import cut
from dogclips.cli.demo import demo
from dogclips.cli.export import export
from dogclips.cli.lr_find import lr_find
from dogclips.cli.merge import merge
from dogclips.cli.models import models
from dogclips.cli.predict import predict
from dogclips.cli.probe import probe
from dogclips.cli.report import report
from dogclips.cli.split import split
from dogclips.cli.test import test
from dogclips.cli.train import train
from dogclips.cli.weights import weights
from dogclips.errors import DogclipsError

_INTERRUPTED = 130

app = typer.Typer(
    name="dogclips",
    help="From raw camera recordings and their annotations to verified clips and a tested model.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    probe,
    align,
    check,
    convert,
    cut,
    merge,
    split,
    export,
    browse,
    train,
    test,
    predict,
    report,
    demo,
):
    app.command()(command)
app.command("lr-find")(lr_find)
app.add_typer(models, name="models")
app.add_typer(weights, name="weights")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dogclips {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the program and leave with the exit code that its outcome calls for.

    0: everything asked for was done; 1: it was not; 2: wrong usage.
    """
    debug = "--debug" in sys.argv[1:2]  # faults before typer has read it count too
    try:
        code = app(prog_name="dogclips", standalone_mode=False)
    except DogclipsError as error:
        if debug:
            raise
        print_error(str(error))
        sys.exit(error.exit_code)
    except TyperException as error:
        print_error(f"{error.format_message()}: see `dogclips --help`")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    if code == _INTERRUPTED:  # typer, too, leaves with it
        print_error("interrupted: what is finished is kept; run the same command again")
    sys.exit(code)
