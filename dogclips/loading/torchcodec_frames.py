"""Decode frames with TorchCodec, where it is installed and loads.

It has no rules for what it may open, so it is given only files that PyAV has just opened under
ours, by their absolute path, and the frames that PyAV found in them: it numbers and times them as
we do, and reads no packet twice to learn that.
"""

import json
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dogclips.media.packets import OpenClip

# Frames of one call, all in memory at their full size.
_AT_ONCE = 16


@cache
def fault() -> str | None:
    """Return why TorchCodec cannot be used here, in one line; None if it can."""
    try:
        import torchcodec.decoders  # noqa: F401, PLC0415 (its import loads libraries, or fails)
    except ImportError:
        return "it is not installed"
    except (RuntimeError, OSError) as error:
        return f"it does not load: {str(error).strip().splitlines()[0]}"
    return None


def pictures(clip: OpenClip, wanted: set[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield time and RGB (H, W, 3), upright, of the frames at `wanted` times that it decodes.

    It ends at the first fault, or at the first frame that is not the one that was asked for.
    """
    import torchcodec.decoders  # noqa: PLC0415 (loads libraries, or fails)

    tick_s = float(clip.track.tick_s)
    indices = np.searchsorted(clip.known, sorted(wanted)).tolist()
    try:
        decoder = torchcodec.decoders.VideoDecoder(  # type: ignore[attr-defined]
            str(clip.track.path.resolve()),
            stream_index=clip.track.video.index,
            dimension_order="NHWC",
            device="cpu",
            custom_frame_mappings=_mappings(clip),
        )
        for begin in range(0, len(indices), _AT_ONCE):
            chosen = indices[begin : begin + _AT_ONCE]
            batch = decoder.get_frames_at(chosen)
            for index, pixels, seconds in zip(chosen, batch.data, batch.pts_seconds, strict=True):
                if abs(float(seconds) / tick_s - clip.known[index]) > 0.5:
                    return
                yield int(clip.known[index]), pixels.numpy()
    except (RuntimeError, ValueError, IndexError):  # PyAV then says what is wrong
        return


def _mappings(clip: OpenClip) -> str:
    """Return the frames that there are as TorchCodec wants them, so that it need not look."""
    keys = {packet.pts for packet in clip.packets if packet.is_keyframe}
    ends = np.append(clip.known[1:], clip.known[-1] + 1)
    frames = [
        {"pts": int(pts), "duration": int(end - pts), "key_frame": int(pts) in keys}
        for pts, end in zip(clip.known.tolist(), ends.tolist(), strict=True)
    ]
    return json.dumps({"frames": frames})
