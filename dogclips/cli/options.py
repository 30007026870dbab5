"""Options that several commands share, each defined once."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Option

if TYPE_CHECKING:
    from dogclips.config import Setting


PlayerName = Literal["chrome", "edge", "firefox", "mpv", "container"]

# Options that take several values in a row, and what such a value looks like: nothing that could
# be the argument which follows.
_SPREAD = {
    "--set": re.compile(r"[A-Za-z_][\w.:-]*="),
    "--config": re.compile(r"[^-].*\.ya?ml$", re.IGNORECASE),
    "--model": re.compile(r"(slowfast|timesformer)$"),
}


def spread(arguments: Sequence[str]) -> list[str]:
    """Return arguments with each option before every one of its values.

    >>> spread(["cut", "--set", "a=1", "b.c=2", "folder"])
    ['cut', '--set', 'a=1', '--set', 'b.c=2', 'folder']
    """
    found: list[str] = []
    option = ""
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if found and found[-1] in _SPREAD:
            option = found[-1]
        elif equals and name in _SPREAD:
            option = name
        elif option and _SPREAD[option].match(argument):
            found.append(option)
        else:
            option = ""
        found.append(argument)
    return found


ConfigFiles = Annotated[
    list[Path] | None,
    Option("--config", metavar="FILE", help="YAML settings; repeatable, later wins."),
]
Overrides = Annotated[
    list[str] | None,
    Option("--set", metavar="KEY=VALUE", help="One setting, such as encoder.crf=18."),
]
Json = Annotated[bool, Option("--json", help="Print one JSON document.")]
_REFERENCE = Option("--reference", metavar="N|auto", help="Stream that the annotator saw.")
_TARGET = Option("--target", metavar="N|auto|best", help="Stream that clips are cut from.")
_ANNOTATED_IN = Option("--annotated-in", help="Player of the annotator.")
Reference = Annotated[str, _REFERENCE]
Target = Annotated[str, _TARGET]
Player = Annotated[PlayerName, _ANNOTATED_IN]
# For commands that take from elsewhere what is not said.
MaybeReference = Annotated[str | None, _REFERENCE]
MaybeTarget = Annotated[str | None, _TARGET]
MaybeAnnotatedIn = Annotated[PlayerName | None, _ANNOTATED_IN]
OnUnknownLabel = Annotated[
    Literal["error", "keep", "drop"] | None,
    Option(
        "--on-unknown-label",
        help="What becomes of text that is no option [keep].",
        show_default=False,
    ),
]


def chosen_settings(
    files: Sequence[Path] | None, overrides: Sequence[str] | None, options: Mapping[str, Any]
) -> "list[Setting]":
    """Return settings as the public API takes them: files, then `--set`, then other options.

    `options` are what options of their own say, by key; None where one was not given.
    """
    from dogclips.config import parse_override

    for override in overrides or ():
        parse_override(override)
    given = {key: value for key, value in options.items() if value is not None}
    return [*(files or ()), *(overrides or ()), given]
