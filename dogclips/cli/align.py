"""`dogclips align`: show how two streams of a recording align, and why to believe it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import print_error, print_json, print_result, progress_bar
from dogclips.cli.options import AnnotatedIn, Json, Reference, Target, stream_choice
from dogclips.errors import UsageError

if TYPE_CHECKING:
    from dogclips.alignment import StreamChoice
    from dogclips.clips.recordings import Recording

_SUFFIXES = (".html", ".png")


class Trusted(StrEnum):
    """What counts as a usable alignment."""

    auto = "auto"
    timestamps = "timestamps"
    frame_count = "frame-count"


def align(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    reference: Reference = "auto",
    target: Target = "best",
    annotated_in: AnnotatedIn = "chrome",
    trust: Annotated[Trusted, typer.Option(help="What to believe.")] = Trusted.auto,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a page (.html) or picture (.png) to look at as well."
        ),
    ] = None,
) -> None:
    """Show how late one stream runs against another, by timestamps, frame counts and pixels.

    Example: dogclips align video/020500.mp4 --output align.html
    """
    from dogclips.clips.probed import probe_document
    from dogclips.reports.tables.align import alignment_report

    choice = stream_choice(reference, target, annotated_in)
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"cannot write {output.suffix or 'a file without suffix'}",
            where="--output",
            todo="name a file that ends in .html or .png",
        )
    file = _measured(path, choice, trust)
    if as_json:
        print_json(probe_document([file]))
    elif file.alignment is not None:
        print_result(alignment_report(file))
    if file.error is not None:
        print_error(str(file.error))
    elif output is not None:
        _write(file, output)
    if file.alignment is None or not file.alignment.trusted:
        raise typer.Exit(1)


def _measured(path: Path, choice: "StreamChoice", trust: Trusted) -> "Recording":
    from dogclips.clips.recordings import measure_recordings

    with progress_bar("") as progress:
        progress.add_task(f"comparing the streams of {path.name}", total=None)
        found = measure_recordings([path], [choice], trust=trust.value, content="always")
    return found[path, choice]


def _write(file: "Recording", output: Path) -> None:
    from dogclips.clips.compared_frames import compared_frames
    from dogclips.files import whole_file
    from dogclips.reports.pages.alignment import alignment_html, alignment_png

    draw = alignment_png if output.suffix.lower() == ".png" else alignment_html
    picture = draw(file, compared_frames(file))
    with whole_file(output) as part:
        part.write_bytes(picture)
