"""The `dogclips` program: its commands, and how faults reach the user."""

import os
import re
import sys
import threading
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated

import typer
from typer import Option
from typer.exceptions import TyperException

from dogclips import __version__
from dogclips.cli.console import print_document, print_error
from dogclips.cli.help import Command, Group
from dogclips.cli.options import spread
from dogclips.errors import DogclipsError, StoppedError, UsageError

# Each command is a module of this package with a function of its name, or a group of commands,
# and with its examples; here under the panel in which it is listed.
_COMMANDS = {
    "Recordings and annotations": ("probe", "align", "repair", "check", "convert"),
    "Clips and lists": ("cut", "merge", "split", "export"),
    "Models": ("train", "test", "predict", "lr-find", "models", "weights"),
    "Look at data and results": ("browse", "report"),
    "Settings, and a first try": ("config", "demo"),
}
_EXAMPLES = """
  See every step on made recordings:
  $ dogclips demo

  From a session folder to clips and lists:
  $ dogclips check Feb/2_2_kt
  $ dogclips cut Feb/2_2_kt
  $ dogclips split Feb/2_2_kt --out split
"""
_INTERRUPTED = 130
_PATIENCE_S = 1.0  # for what an interrupted command has to end

app = typer.Typer(
    name="dogclips",
    cls=Group,
    help="Cut camera recordings into labelled clips and train action models on them.\n\n"
    "Run `dogclips COMMAND --help` for the options of a command, with examples.",
    epilog=_EXAMPLES,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawn by `help`
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, names in _COMMANDS.items():
    for name in names:
        module_name = name.replace("-", "_")
        module = import_module(f"dogclips.cli.{module_name}")
        command = getattr(module, module_name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, cls=Command, epilog=module.EXAMPLES, rich_help_panel=panel)(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dogclips {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    debug: Annotated[bool, Option("--debug", help="Show a traceback for every error.")] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the program and exit with the code of its outcome.

    0: everything was done; 1: something was not; 2: wrong usage.
    """
    arguments = spread(sys.argv[1:])
    debug = "--debug" in arguments[:1]  # faults before typer has read it count too
    fault: DogclipsError
    try:
        code = app(arguments, prog_name="dogclips", standalone_mode=False)
        if code != _INTERRUPTED:  # typer exits with it too
            sys.exit(code)
        fault = _interrupted()
    except DogclipsError as error:
        if debug:
            raise
        fault = error
    except TyperException as error:
        fault = _misused(error)
    except (KeyboardInterrupt, typer.Abort):
        _exit_soon()
        fault = _interrupted()
    print_error(str(fault))
    if "--json" in arguments:
        print_document(next((a for a in arguments if a[:1] != "-"), ""), {}, error=fault)
    sys.exit(fault.exit_code)


def _exit_soon() -> None:
    """End within a second, without what threads are still looking for."""
    timer = threading.Timer(_PATIENCE_S, lambda: os._exit(_INTERRUPTED))
    timer.daemon = True
    timer.start()


def _interrupted() -> DogclipsError:
    return StoppedError(
        "interrupted", todo="finished work is kept; run the same command again to continue"
    )


def _misused(error: TyperException) -> UsageError:
    """Return what is wrong with the options, with the nearest one and whose help to read."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "dogclips"
    todo = f"see `{command} --help`"
    unknown = getattr(error, "option_name", None)
    if unknown and context and not any(unknown in option.opts for option in context.command.params):
        return UsageError(f"no such option: {unknown}", todo=_meant(unknown, context) + todo)
    extra = re.match(r"Got unexpected extra argument(?:\(s\)|s)? \((.*)\)", error.format_message())
    if extra:
        lists = context is not None and context.info_name in {"train", "lr-find"}
        todo = f"lists go to --train and --val; {todo}" if lists else todo
        return UsageError(f"unexpected argument {extra[1]}", todo=todo)
    return UsageError(_message(error), todo=todo)


def _meant(unknown: str, context: typer.Context) -> str:
    """Return what an unknown option may have meant: another one, or a setting."""
    options = [name for option in context.command.params for name in option.opts]
    near = get_close_matches(unknown.strip("-"), [name.strip("-") for name in options], 1, 0.7)
    if near:
        return f"did you mean --{near[0]}? "
    from dogclips.steps.config import key_for_option

    key = key_for_option(context.info_name or "", unknown)
    return f"did you mean --set {key}=VALUE? " if key else ""


def _message(error: TyperException) -> str:
    """Return what is wrong, in our words where a value is out of range."""
    message = error.format_message().rstrip(" .\n")
    if error.__cause__ is None:
        return message
    from pydantic import ValidationError

    from dogclips.config.refusals import expected

    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return f"{message.partition(': ')[0]}: {expected(cause.errors()[0])}"
    return message
