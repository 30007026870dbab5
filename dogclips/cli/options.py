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


# Panels of the help pages. An option that stands for a setting names it as `(setting: KEY)`.
STREAMS = "Streams"
SETTINGS = "Settings"
OUTPUT = "Output"

ConfigFiles = Annotated[
    list[Path] | None,
    Option(
        "--config",
        metavar="FILE",
        help="YAML file of settings, or the name of a shipped one. Repeatable; later files win.",
        show_default="built-in settings",
        rich_help_panel=SETTINGS,
    ),
]
Overrides = Annotated[
    list[str] | None,
    Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one setting. Repeatable; wins over files.",
        show_default="none",
        rich_help_panel=SETTINGS,
    ),
]
Json = Annotated[
    bool,
    Option("--json", help="Print the result as one JSON document.", rich_help_panel=OUTPUT),
]
_STREAM = "Stream that the annotator saw: its index, or auto for the one that the player shows"
_CUT_STREAM = "Stream that clips are cut from: its index, or best for the largest picture"
_PLAYER = "Player that the annotator used"
Reference = Annotated[
    str, Option("--reference", metavar="N|auto", help=f"{_STREAM}.", rich_help_panel=STREAMS)
]
Target = Annotated[
    str, Option("--target", metavar="N|best", help=f"{_CUT_STREAM}.", rich_help_panel=STREAMS)
]
Player = Annotated[
    PlayerName, Option("--annotated-in", help=f"{_PLAYER}.", rich_help_panel=STREAMS)
]
Original = Annotated[
    Path | None,
    Option(
        "--original",
        metavar="FILE",
        help="File that clips are cut from, of which the recording is a copy, such as a small "
        "proxy.",
        show_default="the recording itself",
        rich_help_panel=STREAMS,
    ),
]
# For a command that otherwise takes these from the training.
AS_TRAINED = "as in the training"
MaybeReference = Annotated[
    str | None,
    Option(
        "--reference",
        metavar="N|auto",
        help=f"{_STREAM} (setting: reference).",
        show_default=AS_TRAINED,
        rich_help_panel=STREAMS,
    ),
]
MaybeTarget = Annotated[
    str | None,
    Option(
        "--target",
        metavar="N|best",
        help="Stream that the model sees: its index, or best for the largest picture "
        "(setting: target).",
        show_default=AS_TRAINED,
        rich_help_panel=STREAMS,
    ),
]
MaybeAnnotatedIn = Annotated[
    PlayerName | None,
    Option(
        "--annotated-in",
        help=f"{_PLAYER} (setting: annotated_in).",
        show_default=AS_TRAINED,
        rich_help_panel=STREAMS,
    ),
]
OnUnknownLabel = Annotated[
    Literal["error", "keep", "drop"] | None,
    Option(
        "--on-unknown-label",
        help="What to do with a label that is not an option of its attribute "
        "(setting: labels.unknown).",
        show_default="keep",
        rich_help_panel=SETTINGS,
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
