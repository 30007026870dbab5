"""Windows of a recording as views for a model, from one pass over the file.

Shapes: V views in time x crops, C crops, T frames, S side of a view.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dogclips.clips.frames import SourceFrames
from dogclips.errors import MediaError
from dogclips.loading.sampling import Sampling
from dogclips.loading.transforms import Views
from dogclips.media.display import Decoding, decode_pictures, output_size
from dogclips.media.excerpt import frame_times_of
from dogclips.streams import Stream

DOES_NOT_DECODE = "does-not-decode"

# Views in time x frames (V, T): the index in `Stream.pts` of each frame of a window.
FrameIndices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class WindowViews:
    """How the frames of a window become views: as evaluation makes them of a cut clip."""

    #: Which frames, in how many views in time.
    sampling: Sampling
    num_views: int
    crops: Views  #: Crops in space
    #: Of the clips that `dogclips cut` would make of the recording; None for its own.
    short_side: int | None = None
    deinterlace: bool = True  #: Whether interlaced frames show their first moment only

    def indices(self, frames: SourceFrames) -> FrameIndices:
        """Return which source frames each view in time sees (V, T)."""
        times = frame_times_of(np.asarray(frames.pts, dtype=np.int64), frames.time_base)
        shown = times.on_screen(self.sampling.fixed_views(times, self.num_views))
        return np.asarray(frames.indices, dtype=np.int64)[shown]


def stream_windows(
    source: Path, stream: Stream, clips: Sequence[SourceFrames], views: WindowViews
) -> Iterator[tuple[int, Tensor | str]]:
    """Decode a stream once and yield each window as soon as its last frame has come.

    What is held at a time is the frames of the windows that overlap, at the size of the views.
    `clips` has for each window the frames of the clip that would be cut of it. With its index comes
    its views (V, 3, T, S, S), RGB bytes, or `DOES_NOT_DECODE` if a frame is damaged.
    """
    windows = [views.indices(frames) for frames in clips]
    order = sorted(range(len(windows)), key=lambda number: int(windows[number].max()))
    # From which index on frames are still wanted when so many windows are done.
    firsts = [int(windows[number].min()) for number in order]
    wanted_from = [*np.minimum.accumulate(firsts[::-1])[::-1].tolist(), len(stream.pts)]
    held: dict[int, Tensor] = {}
    done = 0
    for index, crops in _crops(source, stream, windows, views):
        while done < len(order) and int(windows[order[done]].max()) < index:
            yield order[done], _video(windows[order[done]], held)
            done += 1
        for gone in [old for old in held if old < wanted_from[done]]:
            del held[gone]
        held[index] = crops
    for number in order[done:]:
        yield number, _video(windows[number], held)


def _crops(
    source: Path, stream: Stream, windows: Sequence[FrameIndices], views: WindowViews
) -> Iterator[tuple[int, Tensor]]:
    """Yield wanted frames as crops (C, 3, 1, S, S), first made what a cut clip would show.

    A fault that ends the file ends the frames, as it does where clips are cut.
    """
    if not windows:
        return
    wanted = np.unique(np.concatenate([own.ravel() for own in windows])).tolist()
    index, size = -1, output_size(stream, views.short_side)
    decoding = Decoding(deinterlace=views.deinterlace)
    try:
        for index, frame, _ in decode_pictures(source, stream, wanted, size, decoding):
            pixels = frame.to_ndarray(format="rgb24")
            yield index, views.crops(torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0))
    except MediaError:
        if index < 0:
            raise


def _video(indices_VT: FrameIndices, held: dict[int, Tensor]) -> Tensor | str:
    """Return the views (V x C, 3, T, S, S) of a window."""
    if not held.keys() >= set(indices_VT.ravel().tolist()):
        return DOES_NOT_DECODE
    return torch.cat(
        [torch.cat([held[index] for index in own], dim=2) for own in indices_VT.tolist()]
    )
