"""Arguments that several steps take, checked in one way; a probe loads no more than it needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dogclips.alignment import AnnotatedIn, StreamChoice
from dogclips.errors import OutputError, UsageError


def stream_choice(
    reference: int | str, target: int | str, annotated_in: AnnotatedIn
) -> StreamChoice:
    """Return which stream the annotator saw, in which player, and which one clips are cut from."""
    return StreamChoice(
        reference=_stream(reference, "--reference", ("auto",)),
        target=_stream(target, "--target", ("auto", "best")),
        annotated_in=annotated_in,
    )


def _stream(given: int | str, option: str, words: Sequence[str]) -> Any:
    if isinstance(given, int) or given in words:
        return given
    if given.isdigit():
        return int(given)
    raise UsageError(
        f"{given!r} is not a stream", where=option, todo=f"use a number, or {' or '.join(words)}"
    )


def with_original(files: Mapping[Path, Path], original: Path) -> dict[Path, Path]:
    """Return the only recording with the file that it is a copy of; refuse several."""
    if len(files) != 1:
        raise UsageError(
            f"{len(files)} recordings cannot have one original",
            where="--original",
            todo="name one recording",
        )
    [path] = files
    if path.exists() and original.exists() and path.samefile(original):
        raise UsageError(
            "this file is the recording itself",
            where="--original",
            todo="name the file that the recording is a copy of",
        )
    return {path: original}


def suffix_of(output: Path, known: Sequence[str], option: str = "--output") -> str:
    """Return the suffix of a file to write, in lower case; refuse one that is not known."""
    suffix = output.suffix.lower()
    if suffix not in known:
        raise UsageError(
            f"cannot write {output.suffix or 'a file without suffix'}",
            where=option,
            todo=f"name a file that ends in {' or '.join(known)}",
        )
    return suffix


def check_replaced(source: Path, out: Path, *, force: bool) -> None:
    """Refuse to replace what is read, a folder, or a file that was not meant to be replaced."""
    if out.exists() and source.exists() and out.samefile(source):
        raise OutputError("this file is the input", where=out, todo="write to another file")
    if out.is_dir():
        raise OutputError("this is a folder", where=out, todo="name a file")
    if out.exists() and not force:
        raise OutputError("already exists", where=out, todo="name another file or pass --force")
