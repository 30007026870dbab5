"""Align: find how two streams of a recording align, and how certain that is."""

from dataclasses import dataclass
from pathlib import Path

from dogclips.alignment import AnnotatedIn, Trust
from dogclips.clips.compared_frames import compared_frames
from dogclips.clips.recordings import Recording, measure_recordings
from dogclips.errors import AlignmentError
from dogclips.events import Feed, Progress, Result
from dogclips.files import write_whole
from dogclips.reports.pages.alignment import alignment_html, alignment_png
from dogclips.reports.tables.align import verdict_of
from dogclips.steps.arguments import stream_choice, suffix_of, with_original


@dataclass(frozen=True, eq=False)
class AlignResult(Result):
    """How the streams of a recording align, and what was measured of it.

    Streams that cannot be aligned are a failure.
    """

    recording: Recording


def align(
    path: str | Path,
    *,
    reference: int | str = "auto",
    target: int | str = "best",
    annotated_in: AnnotatedIn = "chrome",
    trust: Trust = "auto",
    original: str | Path | None = None,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> AlignResult:
    """Find how late one stream starts against another, by timestamps, frame counts and pixels.

    The streams are those of one recording, or of a copy that was annotated and its original.

    Parameters
    ----------
    path
        A recording.
    reference, target, annotated_in
        The stream that the annotator saw (its index or "auto"), the one that clips are cut from
        (its index, "auto" or "best"), and the player.
    trust
        What to believe: timestamps, frame-count, or auto to weigh timestamps, frame counts and
        pixels.
    original
        The file that clips are cut from, if the recording is a copy of it.
    output
        Write a page (.html) or a picture (.png) to look at.
    progress
        Called with each event.

    Returns
    -------
    result
        The recording and its alignment. If its streams cannot be aligned, that is a failure.

    Raises
    ------
    UsageError
        A stream is not a number or a known word, or `output` has an unknown suffix.
    MediaError
        The recording does not decode where pixels are compared.
    OutputError
        `output` cannot be written.
    """
    feed, path = Feed(progress), Path(path)
    choice = stream_choice(reference, target, annotated_in)
    files = {path: path} if original is None else with_original({path: path}, Path(original))
    suffix = suffix_of(Path(output), (".html", ".png")) if output is not None else ""
    with feed.task(f"comparing the streams of {path.name}"):
        found = measure_recordings(files, [choice], trust=trust, content="always")
    recording = found[path, choice]
    if recording.error is not None:
        feed.fail(recording.error)
    elif output is not None:
        draw = alignment_png if suffix == ".png" else alignment_html
        write_whole(Path(output), draw(recording, compared_frames(recording)))
    if recording.alignment is not None and not recording.alignment.trusted:
        # The table says it as well: no line of its own.
        feed.failures.append(AlignmentError(verdict_of(recording), where=path, todo="see --trust"))
    return AlignResult(recording, **feed.kept)
