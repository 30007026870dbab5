"""A page for each command, from Typer's own commands: arguments, options, defaults, examples."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from docs.generate.markdown import anchor, code, entry, page, toctree
from dogclips.cli.app import app

_OTHERS = "Other options"


def commands() -> dict[str, TyperCommand | TyperGroup]:
    """Return every command and group by the words that start it, such as `models show`."""
    return dict(_below(typer.main.get_command(app), ""))


def _below(group: Any, prefix: str) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    for name, command in group.commands.items():
        yield f"{prefix}{name}", command
        if isinstance(command, TyperGroup):
            yield from _below(command, f"{prefix}{name} ")


def options(command: TyperCommand | TyperGroup) -> list[TyperOption]:
    """Return the options that a person can use."""
    found = [one for one in command.params if isinstance(one, TyperOption)]
    return [one for one in found if not one.hidden]


def arguments(command: TyperCommand | TyperGroup) -> list[TyperArgument]:
    """Return the arguments of a command."""
    return [one for one in command.params if isinstance(one, TyperArgument)]


def pages() -> dict[str, str]:
    """Return a page for each command, and one that lists them."""
    found = commands()
    texts = {f"commands/{_file(name)}.md": _page(name, one) for name, one in found.items()}
    rows = [
        f"[`dogclips {name}`](commands/{_file(name)}.md)\n: {_paragraphs(one)[0]}"
        for name, one in found.items()
    ]
    program = typer.main.get_command(app)
    names = [f"commands/{_file(name)}" for name in found]
    general = [
        entry(anchor("dogclips", one.opts[0]), _term(one), one.help or "")
        for one in program.params
        if isinstance(one, TyperOption)
    ]
    texts["commands.md"] = page(
        "Commands",
        _COMMON,
        "## Options before the command",
        *general,
        "## All commands",
        *rows,
        f"{toctree(names)[:-4]}\n```".replace(":maxdepth: 1", ":hidden:"),
    )
    return texts


_COMMON = """Results go to standard output, as tables or, with `--json`, as one JSON document.
Warnings and errors go to standard error. Every command has `--help`, and accepts `-h` for it.

Exit codes
: 0: everything was done. 1: something was not, such as one of several inputs that was refused.
  2: wrong usage. 130: interrupted.

JSON documents
: `version`, `command` and `warnings` are in each of them. Where something failed, `error` holds the
  first error and `errors` all of them, each with `code`, `message`, `place` and `todo`. See
  [Codes](codes.md) for the codes.

Several inputs
: A bad one does not stop the others. It is named, and the exit code is 1."""


def _page(name: str, command: TyperCommand | TyperGroup) -> str:
    usage = " ".join(
        ["dogclips", name, "[OPTIONS]", *map(_usage, arguments(command))]
        + (["COMMAND ..."] if isinstance(command, TyperGroup) else [])
    )
    parts = ["\n\n".join(_paragraphs(command)), f"```text\n{usage}\n```"]
    if arguments(command):
        parts += ["## Arguments", *(_entry(name, one) for one in arguments(command))]
    panels: dict[str, list[TyperOption]] = {}
    for option in sorted(options(command), key=lambda one: not _panel(one)):
        panels.setdefault(_panel(option) or _OTHERS, []).append(option)
    if list(panels) == [_OTHERS]:
        panels = {"Options": panels[_OTHERS]}
    for title, own in panels.items():
        parts += [f"## {title}", *(_entry(name, one) for one in own)]
    if isinstance(command, TyperGroup):
        below = (f"[`{name} {one}`]({_file(f'{name} {one}')}.md)" for one in command.commands)
        parts += ["## Commands", *below]
    if _examples(command):
        parts += ["## Examples", _examples(command)]
    return page(f"dogclips {name}", *parts)


def _file(name: str) -> str:
    return name.replace(" ", "-")


def _panel(option: TyperOption) -> str:
    return option.rich_help_panel if isinstance(option.rich_help_panel, str) else ""


def _usage(argument: TyperArgument) -> str:
    shown = _term(argument)
    return shown if argument.required else f"[{shown}]"


def _entry(command: str, param: TyperArgument | TyperOption) -> str:
    own = anchor("dogclips", _file(command), param.opts[0])
    return entry(own, _term(param), param.help or "", _facts(param))


def _term(param: TyperArgument | TyperOption) -> str:
    """Return how a parameter is written: its names and what it takes."""
    if isinstance(param, TyperArgument):
        name = param.metavar or param.opts[0].upper()
        return name if param.nargs == 1 or name.endswith("...") else f"{name}..."
    names = ", ".join(sorted([*param.opts, *param.secondary_opts], key=len))
    shown = "" if param.is_flag else _taken(param)
    return f"{names} {shown}".rstrip()


def _taken(param: TyperArgument | TyperOption) -> str:
    context: Any = None
    text = param.metavar or param.display_type_rich(context) or ""
    return str(text).strip("<>[]")


def _facts(param: TyperArgument | TyperOption) -> str:
    """Return whether a parameter is required or repeatable, its default and its range."""
    facts = ["*Required.*"] if param.required else []
    if isinstance(param, TyperOption) and param.multiple:
        facts.append("*Repeatable.*")
    told = isinstance(param.show_default, str)
    shown = param.show_default if told else param.default
    if not param.required and (told or shown not in (None, False, [], ())):
        facts.append(f"*Default:* {shown if told else code(str(shown))}.")
    low, high = param.min, param.max
    if low is not None:
        facts.append(f"*From* {low} *to* {high}." if high is not None else f"*At least* {low}.")
    return " ".join(facts)


def _paragraphs(command: TyperCommand | TyperGroup) -> list[str]:
    """Return what a command does, without its examples."""
    texts = [" ".join(one.split()) for one in (command.help or "").split("\n\n")]
    return [text for text in texts if not text.startswith("Example:")]


def _examples(command: TyperCommand | TyperGroup) -> str:
    """Return the examples of a help page: sentences, and the commands below each."""
    texts = [" ".join(one.split()) for one in (command.help or "").split("\n\n")]
    written = (command.epilog or "").strip("\n")
    if not written:
        found = [text for text in texts if text.startswith("Example:")]
        return "\n\n".join(f"```text\n$ {one.removeprefix('Example: ')}\n```" for one in found)
    parts: list[str] = []
    for line in (one.strip() for one in written.splitlines()):
        if line.startswith("$ ") and parts and parts[-1].endswith("\n```"):
            parts[-1] = f"{parts[-1][:-4]}\n{line}\n```"
        elif line.startswith("$ "):
            parts.append(f"```text\n{line}\n```")
        elif line and line != "Examples:":
            parts.append(line)
    return "\n\n".join(parts)
