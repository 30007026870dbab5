"""Probe: measure every stream of recordings, and how the streams align."""

from dataclasses import dataclass
from pathlib import Path

from dogclips.alignment import AnnotatedIn
from dogclips.clips.originals import cut_from, originals_of
from dogclips.clips.probed import probe_document
from dogclips.clips.recordings import ContentCheck, Recording, measure_recordings
from dogclips.clips.session import recordings_in, session_in
from dogclips.errors import SessionError
from dogclips.events import Feed, Progress, Result
from dogclips.files import Paths, json_text, paths_of, write_whole
from dogclips.steps.arguments import stream_choice, with_original


@dataclass(frozen=True, eq=False)
class ProbeResult(Result):
    """What was measured of each recording; those that cannot be used hold their fault.

    `clips.probed.probe_document` has all of it as a document.
    """

    recordings: tuple[Recording, ...]


def probe(
    paths: Paths,
    *,
    reference: int | str = "auto",
    target: int | str = "best",
    annotated_in: AnnotatedIn = "chrome",
    content: bool | None = None,
    deep: bool = False,
    original: str | Path | None = None,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> ProbeResult:
    """Measure frames, times, rates and gaps of every stream, and how the streams align.

    Parameters
    ----------
    paths
        Recordings or session folders; one or several.
    reference, target, annotated_in
        The stream that the annotator saw (its index or "auto"), the one that clips are cut from
        (its index, "auto" or "best"), and the player.
    content
        Whether to compare the pixels of the streams; None compares them where timestamps may be
        wrong.
    deep
        Decode every frame and count it.
    original
        The file that clips are cut from, where the only path is a copy of it. Of session folders
        those in `originals/` are known.
    output
        Write the result to this file as JSON.
    progress
        Called with each event.

    Returns
    -------
    result
        A recording or folder that cannot be used is a failure and does not stop the others.

    Raises
    ------
    UsageError
        A stream is not a number or a known word, or there is an original of several paths.
    OutputError
        `output` cannot be written.
    """
    feed, choice = Feed(progress), stream_choice(reference, target, annotated_in)
    files: dict[Path, Path] = {}  # and what is cut: mostly the same
    for path in paths_of(paths):
        try:
            files |= _cut_from_in(path) if path.is_dir() else {path: path}
        except SessionError as error:
            feed.fail(error)
    if original is not None:
        files = with_original(files, Path(original))
    check: ContentCheck = "when-needed" if content is None else "always" if content else "never"
    with feed.task("measuring recordings"):
        found = measure_recordings(files, [choice], content=check, deep=deep)
    recordings = tuple(found.values())
    for recording in recordings:
        if recording.error is not None:
            feed.fail(recording.error)
    if output is not None:
        write_whole(Path(output), json_text(probe_document(recordings)))
    return ProbeResult(recordings, **feed.kept)


def _cut_from_in(base_dir: Path) -> dict[Path, Path]:
    """Return for each recording of a session which file clips are cut from."""
    videos = recordings_in(base_dir)
    return cut_from(videos, originals_of(session_in(base_dir, videos), {}))
