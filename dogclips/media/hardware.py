"""Encoders and decoders of a graphics card: they are used where they work, and nowhere else.

FFmpeg knows `h264_nvenc` or `cuda` on machines without any card; only trying them tells.
"""

import io
from collections.abc import Callable
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.stream import VideoStream

SOFTWARE = "software"
_SIZE = (256, 144)  # of a trial picture; some cards take none below 145 in one direction
_RATE = Fraction(20)


def encoder_fault(codec: str) -> str | None:
    """Return why an encoder does not work on this machine; None if it encodes a picture."""
    return _fault(lambda: _encode_one(codec))


def decoder_fault(device: str) -> str | None:
    """Return why a kind of device does not decode on this machine; None if it does."""
    return None if device == SOFTWARE else _fault(lambda: _decode_one(device))


def _fault(trial: Callable[[], object]) -> str | None:
    try:
        trial()
    except (av.FFmpegError, ValueError, OSError) as error:  # an unknown name is a ValueError
        return " ".join(str(error).split()) or type(error).__name__
    return None


def hardware(device: str) -> HWAccel | None:
    """Return what `av.open` wants in order to decode on a device; None for software.

    Streams that the device cannot decode are decoded in software.
    """
    return None if device == SOFTWARE else HWAccel(device, allow_software_fallback=True)


def _encode_one(codec: str) -> bytes:
    """Return a whole video of one picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        track = cast("VideoStream", container.add_stream(codec, _RATE))
        track.width, track.height = _SIZE
        track.pix_fmt = "yuv420p"
        grey = np.full((_SIZE[1], _SIZE[0], 3), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return file.getvalue()


def _decode_one(device: str) -> None:
    video = io.BytesIO(_encode_one("libx264"))
    with cast("InputContainer", av.open(video, hwaccel=hardware(device))) as container:
        next(container.decode(video=0))
