"""Three programs that read a clip: PyAV, the ffmpeg command and OpenCV."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final, TypeAlias

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from tests.cuts.painting import read


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
        numbers.append(read(frame.to_ndarray(format="gray")))
        times.append(Fraction(frame.pts * track.time_base))
    oddity = f"rotated by {rotations}" if rotations - {0} else ""
    return Clip(tuple(numbers), (track.width, track.height), tuple(times), oddity)


def by_ffmpeg(path: Path) -> Clip:
    """Read with the ffmpeg command, which names the size in a header and the frames behind it."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v:0"]
    command += ["-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "yuv4mpegpipe"]
    command += ["-strict", "-1", "-"]  # gray is an extension of that format
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    header, _, data = done.stdout.partition(b"\n")
    width, height = (int(header.split(sign)[1].split()[0]) for sign in (b" W", b" H"))
    whole = np.frombuffer(data, np.uint8).reshape(-1, len(b"FRAME\n") + width * height)
    pictures = whole[:, len(b"FRAME\n") :].reshape(-1, height, width)
    numbers = tuple(read(picture) for picture in pictures)
    return Clip(numbers, (width, height), oddity=done.stderr.decode())


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
