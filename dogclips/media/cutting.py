"""Cut the clips of one source in one pass: decode once, pick frames by their timestamps."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import av

from dogclips.errors import MediaError
from dogclips.media.decoding import decode_from
from dogclips.media.encoding import ClipJob, ClipOutcome, ClipWriter, EncoderConfig
from dogclips.media.picture import Pictures
from dogclips.streams import Stream
from dogclips.timebase import shown


def cut_source(
    source: Path, stream: Stream, jobs: Sequence[ClipJob], encoder: EncoderConfig
) -> Iterator[ClipOutcome]:
    """Cut clips of one picture size out of one stream and yield each outcome as it is known.

    A file appears under its name only after it was verified: one video stream, every frame at
    its planned time, the planned size, upright. Closing the iterator leaves no unfinished file.
    What the source cannot give is an outcome with its reason.

    Raises
    ------
    OutputError
        The encoder refuses its settings, or the output folder is full or not writable.
    """
    waiting = deque(sorted(jobs, key=lambda job: job.places[0]))
    writers: list[ClipWriter] = []
    reason = "the source ended early"
    try:
        frames = decode_from(source, stream, waiting[0].places[0])
        pictures = Pictures(stream, waiting[0].size)
        for place, frame in frames:
            while waiting and waiting[0].places[0] <= place:
                writers.append(ClipWriter(waiting.popleft(), encoder))
            yield from _feed_all(writers, place, frame, pictures)
            if not waiting and not writers:
                return
    except MediaError as error:
        reason = error.what
    finally:
        for writer in writers:
            writer.abandon(reason)
    for job in (*(writer.job for writer in writers), *waiting):
        start = shown(int(stream.pts[job.places[0]]) * stream.time_base)
        yield ClipOutcome(job.path, f"{reason}; the clip begins at {start} s of the stream")


def _feed_all(
    writers: list[ClipWriter], place: int, frame: av.VideoFrame, pictures: Pictures
) -> Iterator[ClipOutcome]:
    """Give a decoded frame to all open clips; yield and drop those that it finishes."""
    for writer in list(writers):
        outcome = _feed(writer, place, frame, pictures)
        if outcome is not None:
            writers.remove(writer)
            yield outcome


def _feed(
    writer: ClipWriter, place: int, frame: av.VideoFrame, pictures: Pictures
) -> ClipOutcome | None:
    """Give a decoded frame to a clip if it is the next one; return the outcome of the last one."""
    wanted = writer.next_place
    if wanted is None or wanted > place:
        return None
    if wanted < place or frame.is_corrupt:
        return writer.abandon(f"frame {wanted} of the stream does not decode")
    writer.write(pictures.of(place, frame))
    return writer.finish() if writer.next_place is None else None
