"""The frames of a clip at chosen instants, as pixels.

A clip is short, so its packets are read into memory once: their times say which frames there are,
and only packets that a wanted frame needs reach the decoder.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from dogclips.loading import torchcodec_frames
from dogclips.media.decoding import decode_wanted, plain_keyframe
from dogclips.media.display import shows_as_stored, turned, window_pictures
from dogclips.media.excerpt import Excerpt, FrameTimes, Window
from dogclips.media.looking import orientation_of_frame
from dogclips.media.packets import OpenClip, open_clip, undecodable
from dogclips.media.writing import Pixels

DecoderName = Literal["pyav", "torchcodec"]

# When a clip's frames are shown -> the wanted instants in seconds, in any shape and order.
Choice = Callable[[FrameTimes], NDArray[np.float64]]


@dataclass(frozen=True)
class FrameAt:
    """A frame that was asked for."""

    #: RGB bytes (H, W, 3), upright; of recordings as cut clips would show them.
    pixels: Pixels
    #: Which of the wanted instants it is shown at, counted through their whole array.
    positions: NDArray[np.int64]


def frames_at(excerpt: Excerpt, choice: Choice, decoder: DecoderName = "pyav") -> Iterator[FrameAt]:
    """Yield each frame that is on screen at one of the wanted instants, once.

    A wanted frame that does not decode is a MediaError: no other frame is given in its place.

    Parameters
    ----------
    choice
        Called once with the frames of the clip, before anything is decoded.
    decoder
        Both give the same frames. Files in which not every keyframe can be believed, such as AVI
        and transport streams, are left to PyAV, and so is what TorchCodec does not decode.
    """
    with open_clip(excerpt) as clip:
        wanted = clip.times.pts[clip.times.on_screen(choice(clip.times).ravel())]
        shape: tuple[int, ...] = ()
        for time, pixels in _pictures(clip, excerpt.window, set(wanted.tolist()), decoder):
            if shape and pixels.shape != shape:
                raise undecodable(excerpt.path, "its frames differ in size")
            shape = pixels.shape
            yield FrameAt(pixels, np.flatnonzero(wanted == time))


def _pictures(
    clip: OpenClip, window: Window | None, wanted: set[int], decoder: DecoderName
) -> Iterator[tuple[int, Pixels]]:
    """Yield time and upright RGB of the wanted frames, each once.

    Of a recording, they are what a clip would show that is cut from it.
    """
    left = set(wanted)
    if decoder == "torchcodec" and _is_plain(clip, window):
        for time, pixels in torchcodec_frames.pictures(clip, wanted):
            left.discard(time)
            yield time, pixels
    if window is not None:
        for time, frame in window_pictures(clip, window, left):
            yield time, _pixels(frame)
        return
    for time, frame in decode_wanted(clip, left):
        yield time, turned(_pixels(frame), orientation_of_frame(frame))


def _is_plain(clip: OpenClip, window: Window | None) -> bool:
    """Return whether a reader without our rules shows the frames of a clip as we do."""
    frame = plain_keyframe(clip)
    if frame is None:
        return False
    if window is None:
        return not orientation_of_frame(frame).mirrored
    return shows_as_stored(clip, window, frame)


class _OfThread(threading.local):
    """One reformatter for all frames of a thread: two threads that share one crash.

    A new one for each frame takes ten times as long.
    """

    def __init__(self) -> None:
        self.reformatter = VideoReformatter()


_OF_THREAD = _OfThread()


def _pixels(frame: VideoFrame) -> Pixels:
    pixels = _OF_THREAD.reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
    return pixels.astype(np.uint8, copy=False)
