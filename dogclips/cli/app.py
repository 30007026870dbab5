"""The `dogclips` program: its commands, and how faults reach the user."""

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated

import typer
from typer import Option
from typer.exceptions import TyperException

from dogclips import __version__
from dogclips.cli.console import print_document, print_error
from dogclips.cli.options import spread
from dogclips.errors import DogclipsError, StoppedError, UsageError

# Each is a module of this package with a function of its name, or with a group of commands.
_COMMANDS = (
    *("probe", "align", "check", "convert", "cut", "merge", "split", "export", "browse"),
    *("train", "test", "predict", "report", "demo", "lr-find", "config"),
)
_GROUPS = ("models", "weights")
_INTERRUPTED = 130

app = typer.Typer(
    name="dogclips",
    help="From raw camera recordings and their annotations to verified clips and a tested model.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name in (*_COMMANDS, *_GROUPS):
    module_name = name.replace("-", "_")
    command = getattr(import_module(f"dogclips.cli.{module_name}"), module_name)
    if name in _GROUPS:
        app.add_typer(command, name=name)
    else:
        app.command(name)(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dogclips {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool, Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the program and leave with the exit code that its outcome calls for.

    0: everything asked for was done; 1: it was not; 2: wrong usage.
    """
    arguments = spread(sys.argv[1:])
    debug = "--debug" in arguments[:1]  # faults before typer has read it count too
    fault: DogclipsError
    try:
        code = app(arguments, prog_name="dogclips", standalone_mode=False)
        if code != _INTERRUPTED:  # typer, too, leaves with it
            sys.exit(code)
        fault = _interrupted()
    except DogclipsError as error:
        if debug:
            raise
        fault = error
    except TyperException as error:
        fault = _misused(error)
    except (KeyboardInterrupt, typer.Abort):
        fault = _interrupted()
    print_error(str(fault))
    if "--json" in arguments:
        print_document(next((a for a in arguments if a[:1] != "-"), ""), {}, error=fault)
    sys.exit(fault.exit_code)


def _interrupted() -> DogclipsError:
    return StoppedError("interrupted", todo="what is finished is kept; run the same command again")


def _misused(error: TyperException) -> UsageError:
    """Return what is wrong with the options, with the nearest one and whose help to read."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "dogclips"
    todo = f"see `{command} --help`"
    unknown = getattr(error, "option_name", None)
    if unknown and context and not any(unknown in option.opts for option in context.command.params):
        options = [name for option in context.command.params for name in option.opts]
        near = get_close_matches(unknown, options, n=1)
        todo = f"did you mean {near[0]}? {todo}" if near else todo
    return UsageError(error.format_message().rstrip("."), todo=todo)
