"""Windows of a recording as views for a model, from one pass over the file.

Shapes: V views in time x crops, C crops, T frames, S side of a view.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dogclips.clips.frames import SourceFrames
from dogclips.errors import MediaError
from dogclips.loading.excerpts import timeline_of
from dogclips.loading.sampling import Sampling
from dogclips.loading.transforms import Views
from dogclips.media.decoding import decode_places
from dogclips.media.picture import Pictures, output_size
from dogclips.streams import Stream

DOES_NOT_DECODE = "does-not-decode"

# Views in time x frames (V, T): the place in `Stream.pts` of each frame of a window.
Places: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class WindowViews:
    """How the frames of a window become views: as evaluation makes them of a cut clip.

    Parameters
    ----------
    sampling, num_views
        Which frames, in how many views in time.
    crops
        Crops in space.
    short_side
        Of the clips that `dogclips cut` would make of the recording; None for its own.
    """

    sampling: Sampling
    num_views: int
    crops: Views
    short_side: int | None = None

    def places(self, frames: SourceFrames) -> Places:
        """Return which source frames each view in time sees (V, T)."""
        timeline = timeline_of(np.asarray(frames.pts, dtype=np.int64), frames.time_base)
        if timeline is None:
            raise AssertionError("the frames of a whole clip are always its own")
        shown = timeline.on_screen(self.sampling.fixed_views(timeline, self.num_views))
        return np.asarray(frames.places, dtype=np.int64)[shown]


def stream_windows(
    source: Path, stream: Stream, clips: Sequence[SourceFrames], views: WindowViews
) -> Iterator[tuple[int, Tensor | str]]:
    """Decode a stream once and yield each window as soon as its last frame has come.

    What is held at a time is the frames of the windows that overlap, at the size of the views.

    Parameters
    ----------
    clips
        For each window the frames of the clip that would be cut of it.

    Yields
    ------
    number, video
        Which window, by index; its views (V, 3, T, S, S), RGB bytes, or
        `DOES_NOT_DECODE` if a frame is damaged.

    Raises
    ------
    MediaError
        The file cannot be opened, or nothing of the stream decodes.
    """
    windows = [views.places(frames) for frames in clips]
    order = sorted(range(len(windows)), key=lambda number: int(windows[number].max()))
    # From which place on frames are still wanted when so many windows are done.
    firsts = [int(windows[number].min()) for number in order]
    wanted_from = [*np.minimum.accumulate(firsts[::-1])[::-1].tolist(), len(stream.pts)]
    held: dict[int, Tensor] = {}
    done = 0
    for place, crops in _crops(source, stream, windows, views):
        while done < len(order) and int(windows[order[done]].max()) < place:
            yield order[done], _video(windows[order[done]], held)
            done += 1
        for gone in [old for old in held if old < wanted_from[done]]:
            del held[gone]
        held[place] = crops
    for number in order[done:]:
        yield number, _video(windows[number], held)


def _crops(
    source: Path, stream: Stream, windows: Sequence[Places], views: WindowViews
) -> Iterator[tuple[int, Tensor]]:
    """Yield wanted frames as crops (C, 3, 1, S, S), first made what a cut clip would show.

    A fault that ends the file ends the frames, as it does where clips are cut.
    """
    if not windows:
        return
    wanted = np.unique(np.concatenate([places.ravel() for places in windows])).tolist()
    pictures, place = Pictures(stream, output_size(stream, views.short_side)), -1
    try:
        for place, frame in decode_places(source, stream, wanted):
            yield place, views.crops(_rgb(pictures.of(place, frame)))
    except MediaError:
        if place < 0:
            raise


def _rgb(frame: av.VideoFrame) -> Tensor:
    """Return a frame as bytes (1, 3, H, W)."""
    return torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1).unsqueeze(0)


def _video(places_VT: Places, held: dict[int, Tensor]) -> Tensor | str:
    """Return the views (V x C, 3, T, S, S) of a window."""
    if not held.keys() >= set(places_VT.ravel().tolist()):
        return DOES_NOT_DECODE
    return torch.cat(
        [torch.cat([held[place] for place in own], dim=2) for own in places_VT.tolist()]
    )
