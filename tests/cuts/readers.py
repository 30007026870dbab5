"""Three programs that read a clip: PyAV, the ffmpeg command and OpenCV."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from tests.cuts.painting import read, read_frame


@dataclass(frozen=True)
class Clip:
    """A clip as one reader sees it.

    `times_s` is None where the reader tells no exact times; `oddity` is what else should not be.
    """

    numbers: tuple[int | None, ...]
    size: tuple[int, int]
    times_s: tuple[Fraction, ...] | None = None
    oddity: str = ""


Reader: TypeAlias = Callable[[Path], Clip]


def by_pyav(path: Path) -> Clip:
    """Read with PyAV, and with it the container's facts: one stream, upright, square pixels."""
    with av.open(str(path)) as container:
        track = container.streams.video[0]
        clip = _decoded(container, track)
        if len(container.streams) != 1:
            return replace(clip, oddity=f"{len(container.streams)} streams")
        oblong = track.sample_aspect_ratio not in (None, 0, 1)
        return replace(clip, oddity="oblong pixels") if oblong else clip


def by_pyav_without_edit_list(path: Path) -> Clip:
    """Read with PyAV as those readers do that know no edit lists."""
    with av.open(str(path), options={"ignore_editlist": "1"}) as container:
        return _decoded(container, container.streams.video[0])


def _decoded(container: InputContainer, track: VideoStream) -> Clip:
    numbers, times, rotations = [], [], set()
    for frame in container.decode(track):
        rotations.add(frame.rotation)
        numbers.append(read_frame(frame))
        times.append(Fraction(frame.pts * track.time_base))
    oddity = f"rotated by {rotations}" if rotations - {0} else ""
    return Clip(tuple(numbers), (track.width, track.height), tuple(times), oddity)


def by_ffmpeg(path: Path) -> Clip:
    """Read with the ffmpeg command."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *_as_pictures(0), "-"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    return _from_pictures(done.stdout, done.stderr.decode())


def all_by_ffmpeg(paths: Sequence[Path]) -> dict[Path, Clip]:
    """Read several clips with one start of the ffmpeg command; each alone if it complains."""
    with TemporaryDirectory() as folder:
        written = [Path(folder) / str(number) for number in range(len(paths))]
        inputs = [part for path in paths for part in ("-i", str(path))]
        outputs = [
            part for number, path in enumerate(written) for part in (*_as_pictures(number), path)
        ]
        command = ["ffmpeg", "-nostdin", "-v", "error", *inputs, *map(str, outputs)]
        done = subprocess.run(command, check=False, capture_output=True, timeout=60)
        if done.returncode or done.stderr:
            return {path: by_ffmpeg(path) for path in paths}
        return {
            path: _from_pictures(pictures.read_bytes(), "")
            for path, pictures in zip(paths, written, strict=True)
        }


def _as_pictures(number: int) -> list[str]:
    """Return the options that write an input as gray pictures, an extension of that format."""
    options = ["-map", f"{number}:v:0", "-fps_mode", "passthrough", "-pix_fmt", "gray"]
    return [*options, "-f", "yuv4mpegpipe", "-strict", "-1"]


def _from_pictures(written: bytes, oddity: str) -> Clip:
    """Return a clip from ffmpeg's output: a header that names the size, and the frames."""
    header, _, data = written.partition(b"\n")
    width, height = (int(header.split(sign)[1].split()[0]) for sign in (b" W", b" H"))
    whole = np.frombuffer(data, np.uint8).reshape(-1, len(b"FRAME\n") + width * height)
    pictures = whole[:, len(b"FRAME\n") :].reshape(-1, height, width)
    numbers = tuple(read(picture) for picture in pictures)
    return Clip(numbers, (width, height), oddity=oddity)


def by_opencv(path: Path) -> Clip:
    """Read with OpenCV from the start to the end, and count what it claims to hold."""
    video = cv2.VideoCapture(str(path))
    numbers = []
    while (found := video.read())[0]:
        numbers.append(read(cv2.cvtColor(found[1], cv2.COLOR_BGR2GRAY)))
    claimed = round(video.get(cv2.CAP_PROP_FRAME_COUNT))
    oddity = f"{claimed} frames claimed" if claimed != len(numbers) else ""
    size = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    width, height = (round(video.get(side)) for side in size)
    video.release()
    return Clip(tuple(numbers), (width, height), oddity=oddity)


READERS: Final[Mapping[str, Reader]] = {
    "PyAV": by_pyav,
    "ffmpeg": by_ffmpeg,
    "OpenCV": by_opencv,
}
