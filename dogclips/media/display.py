"""From decoded frames to what is displayed: upright, square pixels, whole moments, the wanted size.

Cutting, virtual clips, `predict` and its overlay all show what is made here, pixel for pixel.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.media.decoding import decode_frames, decode_wanted
from dogclips.media.excerpt import Window
from dogclips.media.facts import is_deep_grey
from dogclips.media.hardware import SOFTWARE
from dogclips.media.looking import FIELD_ORDERS, grey_of, orientation_of_frame
from dogclips.media.packets import OpenClip, Track, measured_stream, undecodable
from dogclips.streams import UPRIGHT, Levels, Orientation, Stream
from dogclips.timebase import shown

# Filters that turn a picture, by the number of quarter turns counter-clockwise.
_TURNED = ((), ("transpose=cclock",), ("hflip", "vflip"), ("transpose=clock",))
# Frames whose size is rounded differ by so many pixels from the picture that they belong to.
_ROUNDING_PX = 2
_DEINTERLACER = "bwdif=mode=send_frame:parity=auto:deint=interlaced"


def turned(pixels: NDArray[np.uint8], orientation: Orientation) -> NDArray[np.uint8]:
    """Return a stored picture (H, W, ...) as it is shown."""
    if orientation == UPRIGHT:
        return pixels
    own = pixels[:, ::-1] if orientation.mirrored else pixels
    return np.ascontiguousarray(np.rot90(own, orientation.turns))


def output_size(stream: Stream, short_side: int | None) -> tuple[int, int]:
    """Return the even width and height of the upright picture with square pixels.

    FFmpeg looks for the size of a stream's frames only in the first seconds: it may be unknown.

    >>> phone = Stream(0, "video", "h264", Fraction(1), [], 0, 0, width=1280, height=720,
    ...                orientation=Orientation(3))
    >>> output_size(phone, 256)
    (256, 456)
    """
    if not (stream.width and stream.height):
        raise MediaError(
            "the size of its frames is unknown: they start too late in the file",
            where=f"stream {stream.index}",
            todo="set `target` to another stream, or remux the file with ffmpeg",
        )
    return _even_size(stored_as(stream), short_side)


def _even_size(stored: "Stored", short_side: int | None) -> tuple[int, int]:
    width, height = stored.size[0] * stored.pixel_aspect, Fraction(stored.size[1])
    if stored.orientation.sideways:
        width, height = height, width
    scale = short_side / min(width, height) if short_side else Fraction(1)
    return max(round(width * scale / 2) * 2, 2), max(round(height * scale / 2) * 2, 2)


def in_8_bits(frame: av.VideoFrame, levels: Levels | None) -> av.VideoFrame:
    """Return a frame whose grey levels in use are stretched from black to white.

    Cameras that measure heat use a few hundred of 65536 levels: their upper 8 bits are all alike.
    """
    if levels is None:
        return frame
    darkest, brightest = levels
    grey = grey_of(frame).astype(np.float32)
    stretched = np.rint((grey - darkest) * (255 / max(brightest - darkest, 1)))
    made = av.VideoFrame.from_ndarray(np.clip(stretched, 0, 255).astype(np.uint8), format="gray")
    made.pts, made.time_base = frame.pts, frame.time_base
    return made


@dataclass(frozen=True)
class Decoding:
    """How the frames of a recording are decoded."""

    device: str = SOFTWARE  #: What decodes them
    deinterlace: bool = True  #: Whether interlaced frames show their first moment only


AS_USUAL = Decoding()


class Picture(NamedTuple):
    """A frame as it is shown."""

    place: int  #: Index in `Stream.pts`
    frame: av.VideoFrame
    #: The width and height of its frame, where that is not of the size of the first ones.
    fitted_from: tuple[int, int] | None = None


class Stored(NamedTuple):
    """How the frames of a stream are stored."""

    size: tuple[int, int]  #: Width and height of the frames that the stream begins with
    pixel_aspect: Fraction
    orientation: Orientation
    levels: Levels | None = None


def stored_as(stream: Stream) -> Stored:
    """Return how the frames of a measured stream are stored."""
    size = stream.width, stream.height
    return Stored(size, stream.pixel_aspect, stream.orientation, stream.levels)


class Scaler:
    """Makes one stream's frames pictures of `size` (width, height), yuv420p.

    Where a recorder changes the size of its frames, they are fitted in between black edges: each is
    as it was seen, and a clip still has one size.
    """

    def __init__(self, stored: Stored, size: tuple[int, int]) -> None:
        self._stored = stored
        self._size = size[::-1] if stored.orientation.sideways else size
        self._graph: tuple[str, Graph] | None = None

    def picture(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture of a frame."""
        frame = in_8_bits(frame, self._stored.levels)
        source = _described(frame)
        if self._graph is None or self._graph[0] != source:
            self._graph = source, self._build(source, (frame.width, frame.height))
        self._graph[1].push(frame)
        return cast("av.VideoFrame", self._graph[1].pull())

    def _build(self, source: str, size: tuple[int, int]) -> Graph:
        width, height = self._size
        inner = self._fitted(size)
        # Phones write full-range colours. Clips are limited range, which every reader expects.
        steps = [f"scale={inner[0]}:{inner[1]}:flags=area:out_range=tv"]
        if inner != self._size:
            steps.append(f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:black")
        orientation = self._stored.orientation
        steps += ["hflip"] * orientation.mirrored
        steps += [*_TURNED[orientation.turns], "setsar=1", "format=yuv420p"]
        return _linked(source, steps)

    def _fitted(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return how large frames of a size are within the picture: all of it, as a rule."""
        width, height = self._size
        if size == self._stored.size:
            return width, height
        # A pixel of the picture is as wide as those of the first frames, scaled, allow.
        first = self._stored.size
        wide = Fraction(size[0] * width * first[1], size[1] * first[0])
        inner_width = min(round(wide / 2) * 2, width)
        inner_height = min(round(height * width / wide / 2) * 2, height)
        if inner_width + _ROUNDING_PX >= width and inner_height + _ROUNDING_PX >= height:
            return width, height
        return max(inner_width, 2), max(inner_height, 2)


def decode_pictures(
    source: Path,
    stream: Stream,
    indices: Sequence[int],
    size: tuple[int, int],
    decoding: Decoding = AS_USUAL,
) -> Iterator[Picture]:
    """Yield the wanted frames as pictures of one size; those that do not decode are left out.

    Indices are those of `stream.pts`, ascending. Where pictures hold two moments, and they are to
    be parted, each shows the first of them.
    """
    scaler = Scaler(stored_as(stream), size)
    decode = partial(decode_frames, source, stream, device=decoding.device)
    parted = decoding.deinterlace and stream.interlaced
    frames = _deinterlaced(decode, indices, len(stream.pts)) if parted else decode(indices)
    first = stream.width, stream.height
    for index, frame in frames:
        own = frame.width, frame.height
        yield Picture(index, scaler.picture(frame), own if own != first else None)


def window_pictures(
    clip: OpenClip, window: Window, wanted: Collection[int]
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield the wanted frames of a recording's window, with their times in the clip's terms.

    They are the pictures that would be encoded, were the clip cut. A wanted frame that does not
    decode is a MediaError.
    """
    track = clip.track
    context = track.video.codec_context
    if _is_interlaced(track) or is_deep_grey(context.pix_fmt or ""):
        yield from _of_measured(clip, window, wanted)
        return
    size = context.width, context.height
    aspect = track.video.sample_aspect_ratio or Fraction(1)
    scaler: Scaler | None = None
    for time, frame in decode_wanted(clip, wanted):
        if scaler is None:
            stored = Stored(size, aspect, orientation_of_frame(frame))
            scaler = Scaler(stored, window.size or _even_size(stored, None))
        yield time, scaler.picture(frame)


def shows_as_stored(clip: OpenClip, window: Window, frame: av.VideoFrame) -> bool:
    """Return whether frames of a window need no change to become pictures of the clip."""
    size = frame.width, frame.height
    return (
        window.size in (None, size)
        and (clip.track.video.sample_aspect_ratio or 1) == 1
        and frame.format.name == "yuv420p"
        and not _is_interlaced(clip.track)
        and orientation_of_frame(frame) == UPRIGHT
        and not any(size_part % 2 for size_part in size)
    )


def _is_interlaced(track: Track) -> bool:
    fields = track.pictures.num_second_fields if track.pictures is not None else 0
    return fields > 0 or int(track.video.codec_context.field_order) in FIELD_ORDERS


def _of_measured(
    clip: OpenClip, window: Window, wanted: Collection[int]
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield frames that others of the recording help to show."""
    track = clip.track
    stream = measured_stream(track.path, track.video.index)
    counted = track.pictures is not None
    places = {time if counted else int(np.searchsorted(stream.pts, time)): time for time in wanted}
    left, size = set(wanted), window.size or output_size(stream, None)
    decoding = Decoding(deinterlace=window.deinterlace)
    found = decode_pictures(track.path, stream, sorted(places), size, decoding)
    for index, frame, _ in found:
        left.discard(places[index])
        yield places[index], frame
    if left:
        at_s = stream.frame_time(min(index for index, time in places.items() if time in left))
        raise undecodable(track.path, f"the frame at {shown(at_s)} s is missing")


def _deinterlaced(
    decode: Callable[[Sequence[int]], Iterator[tuple[int, av.VideoFrame]]],
    indices: Sequence[int],
    count: int,
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield the wanted frames of `count`, the lines of their later moment replaced.

    What replaces them is taken from the frames before and after, which are decoded as well: then a
    picture is the same whichever others are wanted.
    """
    wanted = set(indices)
    around = sorted({near for own in wanted for near in (own - 1, own, own + 1)})
    run: _Run | None = None
    for index, frame in decode([near for near in around if 0 <= near < count]):
        if run is not None and not run.goes_on(index, frame):
            yield from run.finish(wanted)
            run = None
        run = run or _Run(frame)
        yield from run.add(index, frame, wanted)
    if run is not None:
        yield from run.finish(wanted)


class _Run:
    """Frames of one size that follow each other, on their way through the deinterlacer."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._source = _described(frame)
        self._graph = _linked(self._source, [_DEINTERLACER])
        self._waiting = deque[int]()
        self._next = -1

    def goes_on(self, index: int, frame: av.VideoFrame) -> bool:
        """Return whether a frame follows those that were added."""
        return index == self._next and _described(frame) == self._source

    def add(
        self, index: int, frame: av.VideoFrame, wanted: Collection[int]
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """Add a frame, and yield what is finished."""
        self._waiting.append(index)
        self._next = index + 1
        frame.pts, frame.time_base = index, Fraction(1, 1000)
        self._graph.push(frame)
        yield from self._finished(wanted)

    def finish(self, wanted: Collection[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        """Yield what was waiting for the frame after it."""
        self._graph.push(None)
        yield from self._finished(wanted)

    def _finished(self, wanted: Collection[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                frame = cast("av.VideoFrame", self._graph.pull())
                index = self._waiting.popleft()
                if index in wanted:
                    yield index, frame


def _described(frame: av.VideoFrame) -> str:
    """Return what a filter graph has to know of the frames that it gets."""
    return (
        f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/1000"
        f":range={int(frame.color_range)}:colorspace={int(frame.colorspace)}"
    )


def _linked(source: str, steps: Iterable[str]) -> Graph:
    """Return a graph of filters, one after the other."""
    graph = Graph()
    graph.threads = 1  # as many sources at once as cores instead
    filters = [graph.add(*step.split("=", 1)) for step in steps]
    for above, below in pairwise([graph.add("buffer", source), *filters, graph.add("buffersink")]):
        above.link_to(below)
    graph.configure()
    return graph
