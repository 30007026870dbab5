"""`dogclips probe`: measure every stream and say how the streams align."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogclips.cli.console import print_error, print_json, print_result
from dogclips.cli.options import Json
from dogclips.errors import AlignmentError, DogclipsError, MediaError, UsageError

if TYPE_CHECKING:
    from dogclips.alignment import Trust
    from dogclips.reports.probed import ProbedFile
    from dogclips.streams import StreamTable


class Player(StrEnum):
    """The program in which the recording was annotated."""

    chrome = "chrome"
    edge = "edge"
    firefox = "firefox"
    mpv = "mpv"
    container = "container"


def probe(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Videos or base dirs.")],
    reference: Annotated[
        str, typer.Option(metavar="N|auto", help="Stream that the annotator saw.")
    ] = "auto",
    target: Annotated[
        str, typer.Option(metavar="N|auto|best", help="Stream that clips are cut from.")
    ] = "best",
    annotated_in: Annotated[Player, typer.Option(help="Player of the annotator.")] = Player.chrome,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every frame too.")] = False,
    as_json: Json = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the JSON document there as well.")
    ] = None,
) -> None:
    """Measure every stream of recordings: frames, times, rates, gaps, and the offsets between them.

    Example: dogclips probe dog_video/Feb/2_2_kt
    """
    from dogclips.files import write_whole
    from dogclips.reports.probed import probe_document

    files = probe_files(
        recordings(paths),
        deep=deep,
        reference=_stream(reference, "--reference", ("auto",)),
        target=_stream(target, "--target", ("auto", "best")),
        annotated_in=annotated_in.value,
    )
    document = probe_document(files)
    if output is not None:
        write_whole(output, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        print_json(document)
    else:
        _print_tables(files)
    if any(file.status == "error" for file in files):
        raise typer.Exit(1)


def _print_tables(files: "Sequence[ProbedFile]") -> None:
    from dogclips.reports.probe import probe_table

    for file in files:
        if file.table is not None:
            print_result(probe_table(file))
        if file.error is not None:
            print_error(str(file.error))


def recordings(paths: Sequence[Path]) -> list[Path]:
    """Return the named files and the recordings of the named session folders."""
    from dogclips.clips.session import recordings_in

    files: list[Path] = []
    for path in paths:
        files.extend(recordings_in(path) if path.is_dir() else [path])
    return files


def probe_files(paths: Sequence[Path], *, deep: bool = False, **choice: Any) -> list["ProbedFile"]:
    """Measure and align files; a bad one is an entry with its error."""
    from dogclips.media.probe import probe_many

    return aligned(paths, probe_many(paths, deep=deep), **choice)


def aligned(
    paths: Sequence[Path],
    tables: Sequence["StreamTable | MediaError"],
    *,
    trust: "Trust" = "auto",
    **choice: Any,
) -> list["ProbedFile"]:
    """Align the streams of measured files; `choice` is that of `alignment.choose_streams`."""
    from dogclips.alignment import align, choose_streams
    from dogclips.reports.probed import ProbedFile

    files = []
    for path, table in zip(paths, tables, strict=True):
        if isinstance(table, DogclipsError):
            files.append(ProbedFile(path, None, None, table))
            continue
        try:
            alignment = align(*choose_streams(table, **choice), trust=trust)
        except AlignmentError as error:
            files.append(ProbedFile(path, table, None, error))
        else:
            files.append(ProbedFile(path, table, alignment))
    return files


def _stream(text: str, option: str, words: tuple[str, ...]) -> int | str:
    if text in words:
        return text
    if text.isdigit():
        return int(text)
    raise UsageError(
        f"{text!r} is no stream", where=option, todo=f"a number, or {' or '.join(words)}"
    )
