"""Cut clips of one source in one pass: every frame is decoded once and encoded once."""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av

from dogclips.errors import MediaError
from dogclips.media.decoding import decode_places
from dogclips.media.encoding import ClipJob, ClipOutcome, EncoderConfig, LaneWriter
from dogclips.media.hardware import SOFTWARE
from dogclips.media.lanes import plan_lanes
from dogclips.media.picture import Pictures
from dogclips.streams import Stream
from dogclips.timebase import shown


def cut_source(
    source: Path,
    stream: Stream,
    jobs: Sequence[ClipJob],
    encoder: EncoderConfig,
    wanted: Collection[Path] | None = None,
    *,
    device: str = SOFTWARE,
) -> Generator[ClipOutcome]:
    """Cut clips of one picture size out of one stream and yield each outcome as it is known.

    A file appears under its name only after it was verified: one video stream, every frame at
    its planned time, the planned size, upright. Closing the iterator leaves no unfinished file.
    What the source cannot give is an outcome with its reason.

    Parameters
    ----------
    wanted
        The jobs to write, by path; None means all. The others are encoded all the same where they
        share an encoder with these, so that a clip has the same bytes whichever are written.
    device
        What decodes; see `hardware.hardware`.

    Raises
    ------
    OutputError
        The encoder refuses its settings, or the output folder is full or not writable.
    """
    ordered = sorted(jobs, key=lambda job: job.places[0])
    shared = (
        (lane, [ordered[number] for number in numbers])
        for lane, numbers in plan_lanes(ordered, share=encoder.b_frames == 0)
    )
    lanes = [
        LaneWriter(lane, own, encoder, wanted)
        for lane, own in shared
        if wanted is None or any(job.path in wanted for job in own)
    ]
    reason = "the source ended early"
    try:
        try:
            pictures = Pictures(stream, ordered[0].size)
            places = sorted({place for lane in lanes for place in lane.places})
            for place, frame in decode_places(source, stream, places, device):
                for lane in lanes:
                    yield from _feed(lane, place, frame, pictures, stream)
        except MediaError as error:
            reason = error.what
        for lane in lanes:
            yield from lane.finish()
    finally:
        lost = [outcome for lane in lanes for outcome in lane.abandon(reason)]
    starts = {job.path: int(stream.pts[job.places[0]]) * stream.time_base for job in ordered}
    for outcome in lost:
        begins = f"the clip begins at {shown(starts[outcome.path])} s of the stream"
        yield replace(outcome, error=f"{outcome.error}; {begins}")


def _feed(
    lane: LaneWriter, place: int, frame: av.VideoFrame, pictures: Pictures, stream: Stream
) -> Iterator[ClipOutcome]:
    """Give a decoded frame to a lane if it is the one that comes next there."""
    while lane.next_place is not None and lane.next_place < place:
        at_s = shown(int(stream.pts[lane.next_place]) * stream.time_base)
        yield from lane.skip(f"the frame at {at_s} s of the stream does not decode")
    if lane.next_place == place:
        yield from lane.write(pictures.of(place, frame))
