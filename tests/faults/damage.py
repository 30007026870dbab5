"""Recordings with a fault in the middle, and sessions of a damaged and a sound one."""

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from tests.sessions import write_project
from tests.videos import steady, write_made

RATE, NUM_FRAMES, CLIP_FRAMES = 5, 160, 20
FIRST_BAD, NUM_BAD = 105, 3  # frames; the keyframe before is at 100, the next one at 110
_H264 = {"preset": "ultrafast", "g": "10", "crf": "18"}


def packets_in(path: Path) -> list[tuple[int, int]]:
    """Return (offset, size) of each video packet in a file, in its order."""
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


def zeroed(path: Path) -> None:
    """Overwrite the packets of some frames with zeros, as a bad sector reads."""
    _overwrite(path, bytes)


def scribbled(path: Path, seed: int = 1) -> None:
    """Overwrite the packets of some frames with noise."""
    _overwrite(path, random.Random(seed).randbytes)  # noqa: S311 (noise)


def truncated(path: Path) -> None:
    """End the file in the middle of a packet, as a full card does."""
    offset, size = packets_in(path)[FIRST_BAD]
    path.write_bytes(path.read_bytes()[: offset + size // 2])


def _overwrite(path: Path, garbage: Callable[[int], bytes]) -> None:
    """Overwrite the second half of the first bad packet, and the next ones."""
    packets, content = packets_in(path), bytearray(path.read_bytes())
    offset, size = packets[FIRST_BAD]
    begin, end = offset + size // 2, packets[FIRST_BAD + NUM_BAD][0]
    content[begin:end] = garbage(end - begin)
    path.write_bytes(content)


def write_damaged(base_dir: Path, suffix: str, damage: Callable[[Path], None]) -> Path:
    """Write a session whose first recording of two is damaged, with everything labelled."""
    names = (f"020500.{suffix}", "020600.mp4")
    mpeg4 = {"codec": "mpeg4", "options": {"g": "10", "b": "4M"}}
    for name in names:
        more = mpeg4 if name.endswith("avi") else {"options": _H264}
        write_made(base_dir / "video" / name, steady(NUM_FRAMES, Fraction(RATE), **more))
    write_project(base_dir, "0205", {name: [(0, NUM_FRAMES / RATE, "1")] for name in names})
    damage(base_dir / "video" / names[0])
    return base_dir
