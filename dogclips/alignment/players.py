"""What players show and readers pick in a file with several video streams.

Measured on files whose frames carry their number in the pixels: ffmpeg 5.1, PyAV 18.1,
Chromium 156, Firefox 153, mpv 0.35, OpenCV 5, decord 0.6, TorchCodec 0.17. What the players paint
is compared with this module by tests/players. Two things escape it: with B-frames in Matroska
Firefox paints frames up to four too early, and with B-frames in MP4 without an edit list Chromium
skips the frame before each keyframe.
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
    chrome = flagged if _is_mp4(table) else first
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


def zero_of(player: AnnotatedIn, shown: Stream, table: StreamTable) -> Fraction:
    """Return the container time in seconds that the player calls zero while it shows a stream.

    Chromium counts from the container's zero in every container. mpv does so in MP4; in all others
    its zero is the earliest time of the packets with which picture and sound begin in the file. In
    open groups frames that are shown before follow. Where the clock of a transport or program
    stream wraps around, that zero is before the container's; in Matroska it never is.

    Firefox's zero is where the first of the two streams that it plays starts: the shown one and the
    first sound. In MP4 it makes two errors. Frames that an edit list hides before the start are
    played like the others. The wait that an empty edit asks for is taken for ticks of the track
    instead of the movie: half a second in milliseconds becomes 500/10240 s.

    In Matroska the sound is taken to start with its first packet. Its priming is unknown: where
    Opus starts a late file, Firefox and mpv count from 7 ms later.
    """
    if player == "firefox" and shown.start_s is not None:
        sound = next((s for s in table.streams if s.type == "audio" and len(s.pts)), shown)
        return _vanished_s(shown) + min(_in_firefox_s(stream) for stream in (shown, sound))
    if player == "mpv" and not _is_mp4(table):
        first_s = table.first_packet_s or Fraction(0)
        return max(first_s, Fraction(0)) if table.format.startswith("matroska") else first_s
    return Fraction(0)


def _in_firefox_s(stream: Stream) -> Fraction:
    """Return the container time at which Firefox believes a stream to start."""
    start_s = stream.start_s or Fraction(0)
    if stream.type == "audio":
        start_s = max(start_s, Fraction(0))  # priming and other sound before zero is cut off
    elif stream.hidden_start_pts is not None:
        start_s = stream.hidden_start_pts * stream.time_base
    return start_s - _vanished_s(stream)


def _vanished_s(stream: Stream) -> Fraction:
    """Return how much of a stream's empty edit Firefox does not see."""
    edit = stream.empty_edit
    return Fraction(0) if edit is None else edit.seconds - edit.ticks * stream.time_base


def fault_of(player: AnnotatedIn, shown: Stream, table: StreamTable) -> str:
    """Return how far off a player's picture may be in a file, in words; empty if it is exact."""
    if player == "firefox" and table.format.startswith("matroska") and shown.reordered:
        return "Firefox shows B-frames in Matroska out of order: labels may be 4 frames late"
    return ""


def _is_mp4(table: StreamTable) -> bool:
    return table.format.startswith("mov")


def _pixels(stream: Stream) -> int:
    return stream.width * stream.height
