"""Cut clips of one source in one pass: every frame is decoded once and encoded once."""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av

from dogclips.errors import MediaError
from dogclips.media.decoding import decode_frames
from dogclips.media.encoding import ClipOutcome, EncoderConfig, LaneWriter
from dogclips.media.hardware import SOFTWARE
from dogclips.media.lanes import ClipJob, plan_lanes
from dogclips.media.picture import Scaler
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
    What the source cannot give is an outcome with its reason; what the encoder or the folder
    refuses is an OutputError.

    Only the `wanted` paths are written; None means all. Other jobs are encoded all the same where
    they share an encoder with these, so that a clip has the same bytes whichever are written.
    """
    ordered = sorted(jobs, key=lambda job: job.indices[0])
    lanes = [
        LaneWriter(lane, encoder, wanted)
        for lane in plan_lanes(ordered, share=encoder.b_frames == 0)
        if wanted is None or any(job.path in wanted for job in lane.jobs)
    ]
    reason = "the source ended early"
    try:
        try:
            scaler = Scaler(stream, ordered[0].size)
            indices = sorted({index for lane in lanes for index in lane.indices})
            for index, frame in decode_frames(source, stream, indices, device):
                for lane in lanes:
                    yield from _feed(lane, index, frame, scaler, stream)
        except MediaError as error:
            reason = error.what
        for lane in lanes:
            yield from lane.finish()
    finally:
        lost = [outcome for lane in lanes for outcome in lane.abandon(reason)]
    starts = {job.path: int(stream.pts[job.indices[0]]) * stream.time_base for job in ordered}
    for outcome in lost:
        begins = f"the clip begins at {shown(starts[outcome.path])} s of the stream"
        yield replace(outcome, error=f"{outcome.error}; {begins}")


def _feed(
    lane: LaneWriter, index: int, frame: av.VideoFrame, scaler: Scaler, stream: Stream
) -> Iterator[ClipOutcome]:
    """Give a decoded frame to a lane if it is the one that comes next there."""
    while lane.next_index is not None and lane.next_index < index:
        at_s = shown(int(stream.pts[lane.next_index]) * stream.time_base)
        yield from lane.skip(f"the frame at {at_s} s of the stream does not decode")
    if lane.next_index == index:
        yield from lane.write(scaler.picture(index, frame))
