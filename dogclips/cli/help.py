"""Help pages: options in panels with their defaults, and examples at the end.

Typer would draw them with rich, but importing that takes longer than a help page may take.
"""

import os
import shutil
import sys
from collections.abc import Iterable
from textwrap import wrap
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_NARROWEST, _WIDEST = 60, 100
_LEFT = 26  # the widest first column; what is longer stands on a line of its own
_ASCII = str.maketrans("╭╮╰╯─│", "++++-|")

Row = tuple[str, str]  # what is explained, and its explanation
_Panels = dict[str, list[Row]]  # by title


class Command(TyperCommand):
    """A command with a page of help; its `epilog` holds the examples."""

    def get_help(self, ctx: Any) -> str:
        """Return the page, as wide as the terminal."""
        return help_page(self, ctx, _width())


class Group(TyperGroup):
    """A group of commands with a page of help."""

    def get_help(self, ctx: Any) -> str:
        """Return the page, as wide as the terminal."""
        return help_page(self, ctx, _width())


def help_page(command: TyperCommand | TyperGroup, context: typer.Context, width: int) -> str:
    """Return how a command is used, what it does, its panels and its examples."""
    params = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    arguments = [one for one in params if isinstance(one, TyperArgument)]
    options = [one for one in params if isinstance(one, TyperOption)]
    options.sort(key=lambda one: one.rich_help_panel is None)  # --help in the last panel
    commands: _Panels = {}
    panels: _Panels = {"Arguments": [_argument_row(one) for one in arguments]}
    for option in options:
        panel = panels.setdefault(option.rich_help_panel or "Other options", [])
        panel.append(_option_row(option, context))
    usage = " ".join(map(_used, arguments))
    if isinstance(command, TyperGroup):
        usage = "COMMAND ..."
        for name, one in command.commands.items():
            panel = commands.setdefault(getattr(one, "rich_help_panel", None) or "Commands", [])
            panel.append((name, _paragraphs(one.help)[0]))
    head = f"{_bold('Usage:')} {context.command_path} [OPTIONS] {usage}".rstrip()
    about = ["\n".join(_wrapped(text, width)) for text in _paragraphs(command.help)]
    drawn = "\n".join([*_drawn(commands, width), *_drawn(panels, width)])
    if not (sys.stdout.encoding or "").lower().startswith("utf"):
        drawn = drawn.translate(_ASCII)
    # Examples stay as they are written: a copied one has to run.
    examples = [f"{_bold('Examples:')}\n{command.epilog.rstrip()}"] if command.epilog else []
    return "\n\n".join([head, *about, drawn, *examples])


def _width() -> int:
    return min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(one.split()) for one in (text or "").split("\n\n")]


def _used(argument: TyperArgument) -> str:
    """Return an argument as the line of usage names it."""
    name = f"{argument.display_name_raw}{'' if argument.nargs == 1 else '...'}"
    return name if argument.required else f"[{name}]"


def _argument_row(argument: TyperArgument) -> Row:
    return argument.display_name_raw, _explained(argument)


def _option_row(option: TyperOption, context: Any) -> Row:
    names = ", ".join(sorted([*option.opts, *option.secondary_opts], key=len))
    value = "" if option.is_flag else (option.display_type_rich(context) or "").strip("[]<>")
    return f"{names} {value}".rstrip(), _explained(option)


def _explained(param: TyperArgument | TyperOption) -> str:
    """Return the help of a parameter, with its default or that it is required."""
    parts = _paragraphs(param.help)
    shown = param.show_default if isinstance(param.show_default, str) else param.default
    if param.required:
        parts.append("[required]")
    elif not getattr(param, "is_flag", False) or isinstance(shown, str):
        parts.append(f"[default:\xa0{shown}]")
    return " ".join(filter(None, parts)).replace("(setting: ", "(setting:\xa0")


def _drawn(panels: _Panels, width: int) -> Iterable[str]:
    """Draw each panel with rows; the second column begins at the same place in all of them."""
    names = [name for rows in panels.values() for name, _ in rows]
    left = max((len(name) for name in names if len(name) <= _LEFT), default=0)
    inside = width - 4
    for title, rows in panels.items():
        if not rows:
            continue
        yield f"╭─ {_bold(title)} {'─' * (width - 5 - len(title))}╮"
        for name, text in rows:
            for head, line in _lines(name, _wrapped(text, inside - left - 2), left, inside):
                yield f"│ {_bold(head)}{' ' * (inside - len(head) - len(line))}{line} │"
        yield f"╰{'─' * (width - 2)}╯"


def _wrapped(text: str, width: int) -> list[str]:
    lines = wrap(text, width, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]  # which kept two words together


def _lines(name: str, texts: list[str], left: int, inside: int) -> Iterable[Row]:
    """Return the lines of a row: what is bold, and what stands at the right of it."""
    texts = [text.ljust(inside - left - 2) for text in texts]
    if len(name) <= left:
        yield name, texts.pop(0) if texts else ""
    else:
        for line in _folded(name, inside):
            yield line, ""
    for text in texts:
        yield "", text


def _folded(name: str, inside: int) -> list[str]:
    """Fold an option with many choices between two of them."""
    lines, words = [""], name.replace("|", "|\0").split("\0")
    for word in words:
        if len(lines[-1]) + len(word) > inside:
            lines.append("    ")
        lines[-1] += word
    return lines


def _bold(text: str) -> str:
    """Return a text that a terminal shows in bold; typer takes it out where there is none."""
    return text if os.environ.get("NO_COLOR") or not text else typer.style(text, bold=True)
