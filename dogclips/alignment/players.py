"""What players show and readers pick in a file with several video streams.

Measured on files whose frames carry their number in the pixels: ffmpeg 5.1, PyAV 18.1,
Chromium 156, Firefox 153, mpv 0.35, OpenCV 5, decord 0.6, TorchCodec 0.17.
"""

from fractions import Fraction
from typing import Literal

from dogclips.streams import Stream, StreamTable

AnnotatedIn = Literal["chrome", "firefox", "edge", "mpv", "container"]


def shown_in(table: StreamTable) -> dict[str, int]:
    """Return the index of the video stream that each player shows; empty without video."""
    cameras = table.cameras
    if not cameras:
        return {}
    first = cameras[0].index
    flagged = next((stream.index for stream in cameras if stream.default), first)
    # Chromium obeys the enabled flag in MP4 only; in Matroska it takes the first track.
    chrome = flagged if table.format.startswith("mov") else first
    return {"chrome": chrome, "edge": chrome, "firefox": first, "mpv": flagged}


def read_by(table: StreamTable) -> dict[str, int]:
    """Return the index of the video stream that each reader picks when it is told nothing."""
    cameras = table.cameras
    if not cameras:
        return {}
    first = cameras[0].index
    largest = max(cameras, key=_pixels).index
    # libavformat: streams with the default flag first, among them the larger picture.
    best = max(cameras, key=lambda stream: (stream.default, _pixels(stream))).index
    return {
        "ffmpeg": best,
        "pyav_first": first,
        "pyav_best": best,
        "opencv": first,
        "decord": largest,
        "torchcodec": best,
    }


def zero_of(player: AnnotatedIn, shown: Stream) -> Fraction:
    """Return the container time in seconds that the player calls zero.

    Firefox counts from the first frame of the stream it shows, all others from the container's
    zero.
    """
    if player == "firefox" and shown.start_s is not None:
        return shown.start_s
    return Fraction(0)


def _pixels(stream: Stream) -> int:
    return stream.width * stream.height
