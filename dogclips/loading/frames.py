"""The frames of a clip at chosen instants, as pixels.

A clip is short, so its packets are read into memory once: their times say which frames there are,
and only packets that a wanted frame needs reach the decoder.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import torch
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from torchvision.transforms.v2 import functional

from dogclips.loading import torchcodec_frames
from dogclips.media.decoding import decode_wanted, has_plain_keyframes
from dogclips.media.excerpt import Excerpt, FrameTimes
from dogclips.media.facts import rotation_of
from dogclips.media.packets import OpenClip, open_clip, undecodable
from dogclips.media.writing import Pixels

DecoderName = Literal["pyav", "torchcodec"]

# When a clip's frames are shown -> the wanted instants in seconds, in any shape and order.
Choice = Callable[[FrameTimes], NDArray[np.float64]]


@dataclass(frozen=True)
class FrameAt:
    """A frame that was asked for."""

    #: RGB bytes (H, W, 3), upright; of recordings with square pixels, as cut clips have them.
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
        # Of a recording as a cut clip would show it.
        aspect = clip.track.video.sample_aspect_ratio if excerpt.window else None
        for time, stored in _pictures(clip, set(wanted.tolist()), decoder):
            pixels = _with_square_pixels(stored, aspect)
            if shape and pixels.shape != shape:
                raise undecodable(excerpt.path, "its frames differ in size")
            shape = pixels.shape
            yield FrameAt(pixels, np.flatnonzero(wanted == time))


def _pictures(
    clip: OpenClip, wanted: set[int], decoder: DecoderName
) -> Iterator[tuple[int, Pixels]]:
    """Yield time and upright RGB of the wanted frames, each once."""
    left = set(wanted)
    if decoder == "torchcodec" and has_plain_keyframes(clip):
        for time, pixels in torchcodec_frames.pictures(clip, wanted):
            left.discard(time)
            yield time, pixels
    for time, frame in decode_wanted(clip, left):
        yield time, _pixels(frame)


class _OfThread(threading.local):
    """One reformatter for all frames of a thread: two threads that share one crash.

    A new one for each frame takes ten times as long.
    """

    def __init__(self) -> None:
        self.reformatter = VideoReformatter()


_OF_THREAD = _OfThread()


def _pixels(frame: VideoFrame) -> Pixels:
    pixels = _OF_THREAD.reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
    # Both FFmpeg and numpy turn counter-clockwise.
    turns = rotation_of(frame.rotation) // 90
    stored = pixels.astype(np.uint8, copy=False)
    return np.ascontiguousarray(np.rot90(stored, turns)) if turns else stored


def _with_square_pixels(pixels: Pixels, aspect: Fraction | None) -> Pixels:
    """Return the picture as wide as it is displayed, like that of a cut clip."""
    if not aspect or aspect == 1:
        return pixels
    height, width = pixels.shape[:2]
    size = [height, max(round(width * aspect), 1)]
    resized = functional.resize(torch.from_numpy(pixels).permute(2, 0, 1), size, antialias=True)
    return np.ascontiguousarray(resized.permute(1, 2, 0).numpy())
