"""Small clips whose pixels say which frame they are."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Paint = Callable[[int, NDArray[np.uint8]], None]  # number of the frame, its pixels to paint
TICKS = 1000  # of a second


def brightness(number: int, pixels: NDArray[np.uint8]) -> None:
    """Paint the whole frame in a grey that names it, three levels apart."""
    pixels[:] = 3 * number


def number_of(pixels: NDArray[np.uint8]) -> int:
    """Read the number of a frame painted by `brightness`."""
    return round(float(pixels.mean()) / 3)


def write_clip(
    path: Path,
    num_frames: int = 40,
    *,
    paint: Paint = brightness,
    size: tuple[int, int] = (64, 48),
    times_ms: Sequence[int] | None = None,
) -> Path:
    """Write frames at 20 a second, or at the given times, with B-frames as x264 makes them."""
    times = times_ms or [50 * number for number in range(num_frames)]
    width, height = size
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        stream.codec_context.thread_count = 1
        for number, time in enumerate(times):
            pixels = np.zeros((height, width, 3), np.uint8)
            paint(number, pixels)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
