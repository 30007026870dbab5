"""Pictures of recordings and clips, for programs and for people, read only where somebody looks."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.media.decoding import decode_from
from dogclips.media.display import in_8_bits, turned
from dogclips.media.inputs import open_input
from dogclips.media.pyavprobe import probe_with_pyav
from dogclips.streams import THUMBNAIL_COLUMNS, THUMBNAIL_ROWS, Stream, Thumbnails

_MOST_KEPT = 30_000  # frames of a stream; 69 MB of thumbnails, 20 minutes at 25 fps
_STRIP_FRAMES = 3  # first, middle and last
_STRIP_GAP = 2  # white columns between two frames


class FileFootage:
    """One video file, as thumbnails and as the sizes of its packets.

    Looks overlap. Where the `whole` of a file will be looked at, the streams of a short one are
    decoded once and their thumbnails kept.
    """

    def __init__(self, path: Path, *, whole: bool = False) -> None:
        self.path = path
        self._whole = whole
        self._kept: dict[int, Thumbnails] = {}  # by stream
        self._sizes: dict[int, dict[int, int]] | None = None

    def look(self, stream: Stream, first: int, stop: int) -> Thumbnails:
        """Return the thumbnails of the frames `first` to `stop` of a stream."""
        first, stop = max(first, 0), min(stop, stream.num_frames)
        if not self._whole or stream.num_frames > _MOST_KEPT:
            return self._decoded(stream, first, stop)
        if stream.index not in self._kept:
            self._kept[stream.index] = self._decoded(stream, 0, stream.num_frames)
        kept = self._kept[stream.index]
        rows = slice(*np.searchsorted(kept.indices, (first, max(first, stop))))
        return Thumbnails(kept.indices[rows], kept.pictures[rows], kept.keyframes[rows])

    def _decoded(self, stream: Stream, first: int, stop: int) -> Thumbnails:
        size = THUMBNAIL_COLUMNS, THUMBNAIL_ROWS
        scaler = VideoReformatter()
        indices, pictures, keyframes = list[int](), list[NDArray[np.uint8]](), list[bool]()
        for index, frame in decode_from(self.path, stream, first) if first < stop else ():
            if index >= stop:
                break
            if index >= first and not frame.is_corrupt:
                indices.append(index)
                pictures.append(_upright(scaler, frame, size, stream, "gray"))
                keyframes.append(bool(frame.key_frame))
        return Thumbnails(
            indices=np.array(indices, dtype=np.int64),
            pictures=np.array(pictures, dtype=np.uint8).reshape(-1, *size[::-1]),
            keyframes=np.array(keyframes, dtype=np.bool_),
        )

    def picture(self, stream: Stream, index: int, width: int) -> NDArray[np.uint8]:
        """Return one frame as a person sees it: (H, W, 3), RGB, upright, with square pixels.

        At most `width` columns; a smaller picture is not enlarged.
        """
        columns, rows = float(stream.width * stream.pixel_aspect), float(stream.height)
        if stream.orientation.sideways:
            columns, rows = rows, columns
        share = min(1, width / columns)
        size = max(round(columns * share), 1), max(round(rows * share), 1)
        for found, frame in decode_from(self.path, stream, index):
            if found == index:
                return _upright(VideoReformatter(), frame, size, stream, "rgb24")
            if found > index:
                break
        where = f"{self.path}, stream {stream.index}, frame {index}"
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

    def _measure(self) -> dict[int, dict[int, int]]:
        """Return the packet sizes of all frames between keyframes, by stream and pts."""
        sizes: dict[int, dict[int, int]] = {}
        with open_input(self.path) as container:
            videos = [stream for stream in container.streams if stream.type == "video"]
            for packet in container.demux(videos):
                if packet.size and packet.pts is not None and not packet.is_keyframe:
                    sizes.setdefault(packet.stream_index, {})[packet.pts] = packet.size
        return sizes


class PairFootage(FileFootage):
    """Two files as one recording: of one stream the frames lie in another file.

    `seen` stands for the stream `own` of `other`, on a clock that suits this file.
    """

    def __init__(
        self, path: Path, other: Path, own: Stream, seen: Stream, *, whole: bool = False
    ) -> None:
        super().__init__(path, whole=whole)
        self._other, self._own, self._seen = FileFootage(other, whole=whole), own, seen

    def look(self, stream: Stream, first: int, stop: int) -> Thumbnails:
        """Return the thumbnails of the frames `first` to `stop` of a stream of either file."""
        if stream is self._seen:
            return self._other.look(self._own, first, stop)
        return super().look(stream, first, stop)

    def picture(self, stream: Stream, index: int, width: int) -> NDArray[np.uint8]:
        """Return one frame of a stream of either file, as `FileFootage` does."""
        if stream is self._seen:
            return self._other.picture(self._own, index, width)
        return super().picture(stream, index, width)

    def activity(self, stream: Stream) -> NDArray[np.float64]:
        """Return how much each frame of a stream of either file has to say."""
        if stream is self._seen:
            return self._other.activity(self._own)
        return super().activity(stream)


def _upright(
    scaler: VideoReformatter,
    frame: av.VideoFrame,
    size: tuple[int, int],
    stream: Stream,
    colours: str,
) -> NDArray[np.uint8]:
    """Return a frame of a stream as it is shown, at a size (width, height)."""
    lying = size[::-1] if stream.orientation.sideways else size
    # For small pictures several threads take longer than one; 0 means one per core.
    threads = 1 if frame.width < 1280 else 0
    small = scaler.reformat(
        in_8_bits(frame, stream.levels),
        *lying,
        format=colours,
        interpolation=Interpolation.AREA,
        threads=threads,
    )
    return turned(small.to_ndarray().astype(np.uint8, copy=False), stream.orientation)


def camera_of(path: Path) -> Stream:
    """Return the first camera of a clip."""
    cameras = probe_with_pyav(path).cameras
    if not cameras:
        raise MediaError("no video stream with frames", where=path, todo="remove its line")
    if not len(cameras[0].pts):
        raise MediaError("no timestamps", where=path, todo="remux it, for example to MP4")
    return cameras[0]


def strip(path: Path, width: int) -> NDArray[np.uint8]:
    """Return the first, the middle and the last frame of a clip in one row.

    They are enough for a person to see whether its label is wrong. (rows, columns, 3), RGB,
    upright, with square pixels; `width` columns of a frame at most. A clip of fewer frames shows
    some of them twice.
    """
    stream = camera_of(path)
    last = len(stream.pts) - 1
    places = (round(number * last / (_STRIP_FRAMES - 1)) for number in range(_STRIP_FRAMES))
    return strip_of(FileFootage(path), stream, places, width)


def strip_of(
    footage: FileFootage, stream: Stream, indices: Iterable[int], width: int
) -> NDArray[np.uint8]:
    """Return frames of a stream in one row, as `strip` does those of a clip."""
    parts = list[NDArray[np.uint8]]()
    for index in indices:
        picture = footage.picture(stream, index, width)
        parts += [np.full((len(picture), _STRIP_GAP, 3), 255, dtype=np.uint8), picture]
    return np.concatenate(parts[1:], axis=1)
