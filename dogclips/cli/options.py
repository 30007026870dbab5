"""Options that several commands share, each defined once."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogclips.cli.console import print_warning
from dogclips.errors import UsageError

if TYPE_CHECKING:
    from dogclips.alignment import StreamChoice


class Player(StrEnum):
    """The program in which the recording was annotated."""

    chrome = "chrome"
    edge = "edge"
    firefox = "firefox"
    mpv = "mpv"
    container = "container"


class UnknownLabels(StrEnum):
    """What becomes of text that is no option of its attribute."""

    error = "error"
    keep = "keep"
    drop = "drop"


ConfigFiles = Annotated[
    list[Path] | None,
    typer.Option("--config", metavar="FILE", help="YAML settings; repeatable, later wins."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as encoder.crf=18."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_REFERENCE = typer.Option("--reference", metavar="N|auto", help="Stream that the annotator saw.")
_TARGET = typer.Option("--target", metavar="N|auto|best", help="Stream that clips are cut from.")
_ANNOTATED_IN = typer.Option("--annotated-in", help="Player of the annotator.")
Reference = Annotated[str, _REFERENCE]
Target = Annotated[str, _TARGET]
AnnotatedIn = Annotated[Player, _ANNOTATED_IN]
# For commands that take from elsewhere what is not said.
MaybeReference = Annotated[str | None, _REFERENCE]
MaybeTarget = Annotated[str | None, _TARGET]
MaybeAnnotatedIn = Annotated[Player | None, _ANNOTATED_IN]
OnUnknownLabel = Annotated[
    UnknownLabels | None,
    typer.Option(
        "--on-unknown-label",
        help="What becomes of text that is no option [keep].",
        show_default=False,
    ),
]


def unknown_labels(choice: UnknownLabels | None) -> list[str]:
    """Return the setting that an option stands for; none where it was not given."""
    return [] if choice is None else [f"labels.unknown={choice.value}"]


def stream_choice(reference: str, target: str, annotated_in: Player) -> "StreamChoice":
    """Return the streams that the options name.

    Raises
    ------
    UsageError
        One of them is neither a number nor a known word.
    """
    from dogclips.alignment import StreamChoice

    return StreamChoice(
        reference=_stream(reference, "--reference", ("auto",)),
        target=_stream(target, "--target", ("auto", "best")),
        annotated_in=annotated_in.value,
    )


def with_clips(inputs: Sequence[Path]) -> list[Path]:
    """Return the inputs that list clips, and say which do not; all of them if none does."""
    from dogclips.lists.sessions import has_clips

    filled = [path for path in inputs if has_clips(path)]
    for path in inputs if filled else ():
        if path not in filled:
            print_warning(f"no window became a clip here, left out ({path}): see its manifest.csv")
    return filled or list(inputs)


def _stream(text: str, option: str, words: tuple[str, ...]) -> Any:
    if text in words:
        return text
    if text.isdigit():
        return int(text)
    raise UsageError(
        f"{text!r} is no stream", where=option, todo=f"a number, or {' or '.join(words)}"
    )
