"""`dogclips probe`: measure every stream and say how the streams align."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import print_error, print_json, print_result
from dogclips.cli.options import AnnotatedIn, Json, Reference, Target, stream_choice

if TYPE_CHECKING:
    from dogclips.clips.recordings import ContentCheck, Recording

_CONTENT_CHECKS: "dict[bool | None, ContentCheck]" = {
    None: "when-needed",
    True: "always",
    False: "never",
}


def probe(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Videos or base dirs.")],
    reference: Reference = "auto",
    target: Target = "best",
    annotated_in: AnnotatedIn = "chrome",
    content: Annotated[
        bool | None,
        typer.Option(
            "--content/--no-content",
            help="Compare the pixels of the streams; default: where timestamps may lie.",
            show_default=False,
        ),
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every frame too.")] = False,
    as_json: Json = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the JSON document there as well.")
    ] = None,
) -> None:
    """Measure every stream of recordings: frames, times, rates, gaps, and the offsets between them.

    Example: dogclips probe dog_video/Feb/2_2_kt
    """
    from dogclips.clips.probed import probe_document
    from dogclips.clips.recordings import measure_recordings
    from dogclips.files import write_whole

    choice = stream_choice(reference, target, annotated_in)
    files = list(
        measure_recordings(
            recordings(paths), [choice], content=_CONTENT_CHECKS[content], deep=deep
        ).values()
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


def _print_tables(files: "Sequence[Recording]") -> None:
    from dogclips.reports.tables.probe import probe_table

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
