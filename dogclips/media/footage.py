"""Small gray pictures of a recording's streams, read only where somebody looks."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.media.container import open_input
from dogclips.media.decoding import decode_from
from dogclips.streams import THUMBNAIL_COLUMNS, THUMBNAIL_ROWS, Stream, Thumbnails


class Footage:
    """One recording, as thumbnails and as the sizes of its packets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sizes: dict[int, dict[int, int]] | None = None

    def look(self, stream: Stream, first: int, stop: int) -> Thumbnails:
        """Return the thumbnails of the frames at places `first` to `stop` of a stream.

        Raises
        ------
        MediaError
            The file cannot be opened, or decoding stopped at a fault.
        """
        seen = list(self._decode(stream, max(first, 0), min(stop, stream.num_frames)))
        shape = (0, THUMBNAIL_ROWS, THUMBNAIL_COLUMNS)
        return Thumbnails(
            indices=np.array([place for place, _, _ in seen], dtype=np.int64),
            pictures=np.stack([picture for _, picture, _ in seen])
            if seen
            else np.empty(shape, dtype=np.uint8),
            keyframes=np.array([key for _, _, key in seen], dtype=np.bool_),
        )

    def picture(self, stream: Stream, place: int, width: int) -> NDArray[np.uint8]:
        """Return one frame as a person sees it: (H, W, 3), RGB, upright, with square pixels.

        At most `width` columns; a smaller picture is not enlarged.

        Raises
        ------
        MediaError
            The file cannot be opened, or that frame does not decode.
        """
        for found, frame in decode_from(self.path, stream, place):
            if found == place:
                return _upright(frame, stream, width)
            if found > place:
                break
        where = f"{self.path}, stream {stream.index}, frame {place}"
        raise MediaError("a frame does not decode", where=where, todo="check the recording")

    def activity(self, stream: Stream) -> NDArray[np.float64]:
        """Return how much each frame of a stream has to say: the size of its packet in bytes.

        Keyframes say nothing about motion and count as much as the usual frame; so do frames whose
        packet is not known.
        """
        if self._sizes is None:
            self._sizes = self._measure()
        known = self._sizes.get(stream.index, {})
        sizes = np.array([known.get(int(time), -1) for time in stream.pts], dtype=np.float64)
        usual = float(np.median(sizes[sizes >= 0])) if (sizes >= 0).any() else 0.0
        return np.where(sizes < 0, usual, sizes)

    def _decode(
        self, stream: Stream, first: int, stop: int
    ) -> Iterator[tuple[int, NDArray[np.uint8], bool]]:
        if first >= stop:
            return
        turns = stream.rotation // 90
        scaler = VideoReformatter()
        for place, frame in decode_from(self.path, stream, first):
            if place >= stop:
                return
            if place >= first and not frame.is_corrupt:
                yield place, _thumbnail(scaler, frame, turns), bool(frame.key_frame)

    def _measure(self) -> dict[int, dict[int, int]]:
        """Return the packet sizes of all frames between keyframes, by stream and pts."""
        sizes: dict[int, dict[int, int]] = {}
        with open_input(self.path) as container:
            videos = [stream for stream in container.streams if stream.type == "video"]
            for packet in container.demux(videos):
                if packet.size and packet.pts is not None and not packet.is_keyframe:
                    sizes.setdefault(packet.stream_index, {})[packet.pts] = packet.size
        return sizes


def _thumbnail(scaler: VideoReformatter, frame: av.VideoFrame, turns: int) -> NDArray[np.uint8]:
    """Return a frame as a small gray picture, turned counter-clockwise by `turns` quarters."""
    rows, columns = THUMBNAIL_ROWS, THUMBNAIL_COLUMNS
    if turns % 2:
        rows, columns = columns, rows
    small = scaler.reformat(
        frame, width=columns, height=rows, format="gray", interpolation=Interpolation.AREA
    )
    picture = np.asarray(small.to_ndarray(), dtype=np.uint8)
    return np.rot90(picture, turns) if turns else picture


def _upright(frame: av.VideoFrame, stream: Stream, width: int) -> NDArray[np.uint8]:
    turns = stream.rotation // 90
    columns, rows = float(stream.width * stream.pixel_aspect), float(stream.height)
    if turns % 2:
        columns, rows = rows, columns
    columns, rows = min(columns, width), rows * min(1, width / columns)
    size = max(round(columns), 1), max(round(rows), 1)
    lying = size[::-1] if turns % 2 else size
    seen = VideoReformatter().reformat(
        frame, *lying, format="rgb24", interpolation=Interpolation.AREA
    )
    return np.ascontiguousarray(np.rot90(seen.to_ndarray(), turns), dtype=np.uint8)
