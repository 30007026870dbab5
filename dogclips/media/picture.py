"""Turn decoded frames into the pictures of a clip: upright, square pixels, the wanted size."""

from fractions import Fraction
from itertools import pairwise
from typing import cast

import av
from av.filter import Graph

from dogclips.errors import MediaError
from dogclips.streams import Stream

# Filters that undo a display rotation, counter-clockwise degrees as ffprobe prints them.
_UPRIGHT = {-90: ("transpose=clock",), 90: ("transpose=cclock",), 180: ("hflip", "vflip")}


def output_size(stream: Stream, short_side: int | None) -> tuple[int, int]:
    """Return the even width and height of the upright picture with square pixels.

    FFmpeg looks for the size of a stream's frames only in the first seconds: it may be unknown.

    >>> phone = Stream(0, "video", "h264", Fraction(1), [], 0, 0, width=1280, height=720,
    ...                rotation=-90)
    >>> output_size(phone, 256)
    (256, 456)
    """
    if not (stream.width and stream.height):
        raise MediaError(
            "the size of its frames is unknown: they start too late in the file",
            where=f"stream {stream.index}",
            todo="set `target` to another stream, or remux the file with ffmpeg",
        )
    width, height = stream.width * stream.pixel_aspect, Fraction(stream.height)
    if stream.rotation in (90, -90):
        width, height = height, width
    scale = short_side / min(width, height) if short_side else Fraction(1)
    return max(round(width * scale / 2) * 2, 2), max(round(height * scale / 2) * 2, 2)


class Scaler:
    """A filter graph from one stream's frames to pictures of `size` (width, height), yuv420p."""

    def __init__(self, stream: Stream, size: tuple[int, int]) -> None:
        self._stream = stream
        self._size = size[::-1] if stream.rotation in (90, -90) else size
        self._graph: Graph | None = None
        self._last: tuple[int, av.VideoFrame] | None = None

    def picture(self, index: int, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture of a frame, made once however many clips show it."""
        if self._last is None or self._last[0] != index:
            self._graph = self._graph or self._build(frame)
            self._graph.push(frame)
            self._last = index, cast("av.VideoFrame", self._graph.pull())
        return self._last[1]

    def _build(self, frame: av.VideoFrame) -> Graph:
        graph = Graph()
        graph.threads = 1  # as many sources at once as cores instead
        source = graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
            f":time_base={self._stream.time_base}:range={int(frame.color_range)}"
            f":colorspace={int(frame.colorspace)}",
        )
        # Phones write full-range colours. Clips are limited range, which every reader expects.
        scale = f"scale={self._size[0]}:{self._size[1]}:flags=area:out_range=tv"
        upright = _UPRIGHT.get(self._stream.rotation, ())
        steps = [scale, *upright, "setsar=1", "format=yuv420p"]
        filters = [graph.add(*step.split("=", 1)) for step in steps]
        for above, below in pairwise([source, *filters, graph.add("buffersink")]):
            above.link_to(below)
        graph.configure()
        return graph
