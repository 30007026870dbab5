"""Made videos whose every frame carries its number, and reading those numbers back."""

import dataclasses
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from dogclips.demo.numbers import paint_number, read_number
from dogclips.media.writing import TimedFrame, VideoTrack, write_video
from dogclips.streams import StreamTable

# One for all frames: a new one for each starts threads and takes several times as long.
_OF_THREAD = threading.local()  # threads that share a reformatter crash

FAST = {"preset": "ultrafast"}

# How keyframes may lie: with B-frames, in open groups (frames behind a keyframe that are shown
# before it and need the group before), in closed ones, every frame, and where none is one.
KEYFRAMES = {
    "closed groups": {"g": "8", "bf": "0", "sc_threshold": "0"},
    "B-frames": {"g": "8", "bf": "3", "b-pyramid": "normal"},
    "open groups": {"g": "8", "bf": "3", "x264-params": "open-gop=1"},
    "every frame": {"g": "1"},
    "no keyframe but the first": {"g": "999", "sc_threshold": "0"},
    "rolling refresh": {"g": "8", "bf": "0", "x264-params": "intra-refresh=1"},
}


@dataclass(frozen=True)
class Made:
    """One video stream of a made file: frame k of the scene is shown at `times[k]`.

    The number painted into a picture is its key in `times`; times are in ticks of `time_base`.
    """

    times: Mapping[int, int]
    time_base: Fraction
    rate: Fraction = Fraction(20)
    width: int = 128
    height: int = 72
    codec: str = "libx264"
    options: Mapping[str, str] = field(default_factory=lambda: FAST)
    default: bool = True
    pixel_format: str = "yuv420p"


def steady(
    count: int, rate: Fraction = Fraction(20), *, first: int = 0, late: int = 0, **more: object
) -> Made:
    """Frames `first`.. of a constant rate, `late` frame periods after the container's zero."""
    times = {first + k: k + late for k in range(count)}
    return Made(times, 1 / rate, rate, **more)  # type: ignore[arg-type]


def write_made(path: Path, *streams: Made, metadata: Mapping[str, str] | None = None) -> Path:
    """Write the streams into one file, in time order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tracks = [
        VideoTrack(
            made.width,
            made.height,
            made.rate,
            made.codec,
            made.options,
            made.pixel_format,
            made.default,
            made.time_base,
        )
        for made in streams
    ]
    write_video(path, tracks, _frames(streams), metadata=metadata)
    return path


def numbers_in(path: Path, stream: int = 0) -> list[int | None]:
    """Return the numbers painted into a stream's frames, in presentation order."""
    with av.open(str(path)) as container:
        track = container.streams[stream]
        frames = container.decode(track)
        return [read_number(gray_of(frame)) for frame in frames]


def gray_of(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return the brightness of a decoded frame."""
    if not hasattr(_OF_THREAD, "reformatter"):
        _OF_THREAD.reformatter = VideoReformatter()
    gray = _OF_THREAD.reformatter.reformat(frame, format="gray", threads=1)
    return np.asarray(gray.to_ndarray(), dtype=np.uint8)


def facts(table: StreamTable) -> dict[str, Any]:
    """Everything measured, in a form that can be compared."""
    streams = [
        {field.name: getattr(stream, field.name) for field in dataclasses.fields(stream)}
        | {
            "pts": stream.pts.tolist(),
            "pictures": stream.pictures and repr(vars(stream.pictures)),
            "keyframes": None if stream.keyframes is None else stream.keyframes.tolist(),
            "frame_rate": stream.frame_rate,
            "variable": stream.variable_frame_rate,
            "gaps": stream.gaps,
        }
        for stream in table.streams
    ]
    return {
        "format": table.format,
        "created": table.created,
        "start_s": table.start_s,
        "duration_s": table.duration_s,
        "messages": table.messages,
        "streams": streams,
    }


def _frames(streams: tuple[Made, ...]) -> Iterator[TimedFrame]:
    shown = sorted(
        (ticks * made.time_base, index, number)
        for index, made in enumerate(streams)
        for number, ticks in made.times.items()
    )
    for _, index, number in shown:
        made = streams[index]
        # A gradient that moves, so that codecs have something to do between the numbers.
        ramp = (np.arange(made.width)[None, :] + np.arange(made.height)[:, None] + 2 * number) % 200
        picture = np.repeat(ramp[:, :, None], 3, axis=2).astype(np.uint8)
        paint_number(picture, number)
        yield index, made.times[number], picture
