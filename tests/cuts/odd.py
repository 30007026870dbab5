"""Recordings whose packets are not pictures, or whose pictures are not shown as they are stored.

`tests.odd_streams` and its like make them, `tests.cuts.verdicts` cuts and judges them. A case is
drawn from a seed: a recording of one kind in one container, and some windows of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from tests import odd_clocks, odd_displays, odd_files, odd_streams
from tests.odd_streams import COUNT, Odd

T = TypeVar("T")


@dataclass(frozen=True)
class OddCase:
    """One recording and the windows to cut from it; its `repr` makes it again."""

    seed: int
    kind: str
    container: str
    group: int = 12
    b_frames: int = 0
    every: int = 9  #: How far apart odd places are, in frames
    first: int = 5  #: Where they begin, or how many packets are missing
    codec: str = "libx264"
    starts: tuple[int, ...] = (12, 66)  #: Of the windows, in frames
    clip_frames: int = 25
    resample: float | None = None
    reader: str = "ffprobe"

    @property
    def name(self) -> str:
        """Return the name of the file."""
        return f"020500.{self.container}"

    @property
    def options(self) -> dict[str, str]:
        """Return how it is encoded."""
        group = {"g": str(self.group), "bf": str(self.b_frames)}
        if self.codec == "libx264":
            fast = {"preset": "ultrafast", "sc_threshold": "0", "b-adapt": "0"}
            return fast | group | {"x264-params": "repeat-headers=1"}
        if self.codec == "libx265":
            params = f"log-level=0:keyint={self.group}:min-keyint=1:bframes={self.b_frames}"
            own = f"{params}:scenecut=0:pools=none:frame-threads=1:repeat-headers=1"
            return {"preset": "ultrafast", "x265-params": own}
        if self.codec.startswith("libvpx"):
            return {"g": str(self.group), "deadline": "realtime", "cpu-used": "8", "b": "1M"}
        if self.codec == "h263":
            group.pop("bf")
        return {"b": "4M", "sc_threshold": "1000000000"} | group

    @property
    def named(self) -> dict[str, Any]:
        """Return what most makers take."""
        return {"name": self.name, "codec": self.codec, "options": self.options}

    @property
    def random(self) -> np.random.Generator:
        """Return a source of chance for what no field says."""
        return np.random.default_rng((self.seed, 23))


Maker = Callable[[Path, OddCase], Odd]


@dataclass(frozen=True)
class Kind:
    """What is odd about recordings, and how they are made.

    Parameters
    ----------
    make
        Writes the recording of a case into a folder.
    containers
        In which it is made.
    codecs, b_frames
        Of which one is drawn.
    reasons
        Why a window may be refused although a player shows all of it: a part of the reason.
    ambiguous
        A time may mean two frames: a clip with a warning is as good as none.
    pending
        What is still wrong, if it is known: no fault is counted.
    """

    make: Maker
    containers: tuple[str, ...]
    codecs: tuple[str, ...] = ("libx264",)
    b_frames: tuple[int, ...] = (0,)
    reasons: tuple[str, ...] = ()
    ambiguous: bool = False
    pending: str = ""


def _odd_places(case: OddCase) -> range:
    return range(case.first + 2, COUNT - 2, case.every)


def _within_a_group(folder: Path, case: OddCase) -> Odd:
    return odd_streams.begins_within_a_group(folder, **case.named, dropped=case.first)


def _not_coded(folder: Path, case: OddCase) -> Odd:
    return odd_streams.not_coded(folder, case.name, case.options, _odd_places(case))


def _hidden_references(folder: Path, case: OddCase) -> Odd:
    return odd_streams.hidden_references(folder, case.name, case.group, case.codec)


def _field_pictures(folder: Path, case: OddCase) -> Odd:
    return odd_streams.field_pictures(folder, case.name, case.group)


def _file_order(folder: Path, case: OddCase) -> Odd:
    return odd_streams.file_order(folder, **case.named)


def _in_bursts(folder: Path, case: OddCase) -> Odd:
    return odd_streams.in_bursts(folder, case.options, _odd_places(case))


def _stepping_back(folder: Path, case: OddCase) -> Odd:
    return odd_streams.stepping_back(folder, case.options, _odd_places(case))


def _without_times(folder: Path, case: OddCase) -> Odd:
    return odd_streams.some_without_times(folder, case.options, case.first, case.every)


def _packs(folder: Path, case: OddCase) -> Odd:
    return odd_streams.some_packs_with_times(folder, case.b_frames, f"{100 * case.every}k")


def _false_keyframes(folder: Path, case: OddCase) -> Odd:
    return odd_streams.false_keyframes(folder, **case.named, every=case.every)


def _lost_packets(folder: Path, case: OddCase) -> Odd:
    lost = range(20 + case.first, 20 + case.first + case.every // 4 + 1)
    return odd_streams.lossy(folder, **case.named, lost=lost)


def _left_out(folder: Path, case: OddCase) -> Odd:
    return odd_streams.left_out(folder, **case.named, gone=_odd_places(case))


def _lost_parts(folder: Path, case: OddCase) -> Odd:
    return odd_files.without_packets(folder, **case.named, frame=20 + case.first)


def _wraps(folder: Path, case: OddCase) -> Odd:
    return odd_clocks.wrapping(folder, **case.named, before=3 * case.every)


def _restarts(folder: Path, case: OddCase) -> Odd:
    return odd_clocks.restarting(folder, case.name, case.options, before=3 * (1 + case.every % 20))


def _open_group(folder: Path, case: OddCase) -> Odd:
    return odd_clocks.begins_with_open_group(folder, case.name, case.options, case.first)


def _held_frames(folder: Path, case: OddCase) -> Odd:
    """Write a screen recording: some frames at once, then the last of them for up to 3 s."""
    random, kept, place = case.random, {0, COUNT - 1}, 0
    while place < COUNT:
        length = int(random.integers(1, 8))
        kept.update(range(place, min(place + length, COUNT)))
        place += length + int(random.integers(2, 75))
    return odd_clocks.left_out(folder, kept, **case.named)


def _single_losses(folder: Path, case: OddCase) -> Odd:
    lost = case.random.random(COUNT) < (0.04 if case.every % 2 else 0.08)
    kept = {0, COUNT - 1, *np.flatnonzero(~lost).tolist()}
    return odd_clocks.left_out(folder, kept, **case.named)


def _other_rate(folder: Path, case: OddCase) -> Odd:
    """Write every second or third frame from a moment on, as cameras do at night."""
    change = 3 * case.every
    kept = {*range(change), *range(change, COUNT, 2 + case.first % 2)}
    return odd_clocks.left_out(folder, kept, **case.named)


def _mirrored(folder: Path, case: OddCase) -> Odd:
    flipped, quarters = case.first % 4 > 0, case.every % 4
    return odd_displays.mirrored(folder, **case.named, flipped=flipped, quarters=quarters)


def _resized(folder: Path, case: OddCase) -> Odd:
    size = _one_of(case.random, ((64, 64), (48, 32), (192, 128), (64, 96)))
    return odd_displays.resized(folder, case.name, case.options, size, before=3 * case.every)


def _deep(folder: Path, case: OddCase) -> Odd:
    darkest, used = 1000 * case.first, 150 * case.every
    return odd_displays.deep(folder, case.name, darkest, darkest + used)


def _interlaced(folder: Path, case: OddCase) -> Odd:
    return odd_displays.interlaced(folder, **case.named)


def _rare_format(folder: Path, case: OddCase) -> Odd:
    return odd_files.in_format(folder, case.name)


def _from_recorder(folder: Path, case: OddCase) -> Odd:
    return odd_files.from_recorder(folder, case.name, case.options)


def _broken_off(folder: Path, case: OddCase) -> Odd:
    return odd_files.broken_off(folder, **case.named, share=0.3 + case.every / 60)


_X264_AND_MPEG4 = ("libx264", "mpeg4")
_LOSSY = ("libx264", "mpeg4", "mpeg2video", "libx265")
_MOST = ("avi", "mkv", "mp4", "ts", "flv")
KINDS: Final[Mapping[str, Kind]] = {
    "begins within a group": Kind(_within_a_group, ("avi", "mkv", "mp4")),
    "begins with a P picture": Kind(_within_a_group, ("avi", "mkv", "mp4"), ("mpeg4",)),
    "begins with an open group": Kind(_open_group, ("mkv", "ts"), b_frames=(1, 2, 3)),
    "not coded": Kind(_not_coded, ("avi", "mkv", "mp4"), ("mpeg4",)),
    "hidden references": Kind(_hidden_references, ("mkv", "webm"), ("libvpx", "libvpx-vp9")),
    "field pictures": Kind(_field_pictures, ("ts", "mp4", "mkv")),
    "interlaced": Kind(_interlaced, ("ts", "mp4", "mkv"), ("libx264", "mpeg2video")),
    "times of the file's order": Kind(
        _file_order, ("avi", "mp4", "mkv", "flv", "ts"), b_frames=(1, 2, 3)
    ),
    "in bursts": Kind(_in_bursts, ("mkv",)),
    "stepping back": Kind(_stepping_back, ("mkv",)),
    "some without times": Kind(_without_times, ("ts",), b_frames=(0, 0, 0, 1, 2, 3)),
    "packs": Kind(_packs, ("mpg",), b_frames=(1, 2)),
    "clock wraps": Kind(_wraps, ("ts",), ("libx264", "mpeg2video"), b_frames=(0, 2)),
    "packs, clock wraps": Kind(_wraps, ("mpg",), ("mpeg2video",), b_frames=(0, 2)),
    "clock restarts": Kind(_restarts, ("ts",), ambiguous=True),
    "held frames": Kind(
        _held_frames, ("mkv", "mp4", "avi"), _X264_AND_MPEG4, reasons=("frames-missing",)
    ),
    "single losses": Kind(_single_losses, _MOST, reasons=("frames-missing",)),
    "another rate": Kind(_other_rate, ("mkv", "mp4", "ts"), reasons=("frames-missing",)),
    "false keyframes": Kind(_false_keyframes, ("3gp", "mp4"), ("mpeg4",)),
    "lost packets": Kind(_lost_packets, ("mkv", "mp4", "ts"), _LOSSY),
    "left out": Kind(_left_out, ("mkv", "mp4", "ts", "flv"), reasons=("frames-missing",)),
    "lost parts": Kind(
        _lost_parts,
        ("ts",),
        ("libx264", "mpeg2video"),
        reasons=("frames-missing", "does-not-decode"),
    ),
    "lost parts, HEVC": Kind(
        _lost_parts,
        ("ts",),
        ("libx265",),
        reasons=("frames-missing", "does-not-decode"),
        pending="a keyframe that lacks a part counts as whole where reading begins with it",
    ),
    # The last frame may be there in part.
    "broken off": Kind(
        _broken_off, _MOST, reasons=("after-end", "cannot be opened", "does-not-decode")
    ),
    "mirrored": Kind(_mirrored, ("mp4", "mov")),
    "resized": Kind(
        _resized,
        ("ts", "mkv", "mp4"),
        pending="numbers of pictures that are fitted in between black edges cannot be read",
    ),
    "16 bits": Kind(_deep, ("mkv",), ("ffv1",)),
    "rare format": Kind(
        _rare_format, tuple(odd_files.FORMATS), ("any",), reasons=("no-timestamps",)
    ),
    "recorder's own": Kind(_from_recorder, ("dav",)),
}
PAIRS: Final = tuple((kind, name) for kind, own in KINDS.items() for name in own.containers)


def draw_odd(seed: int, pair: tuple[str, str] | None = None) -> OddCase:
    """Return the case of a seed, perhaps of a given kind and container."""
    random = np.random.default_rng((seed, 17))
    kind = _one_of(random, tuple(KINDS))
    container = _one_of(random, KINDS[kind].containers)
    kind, container = pair or (kind, container)
    case = OddCase(
        seed,
        kind,
        container,
        group=int(random.integers(8, 40)),
        every=int(random.integers(4, 30)),
        first=int(random.integers(1, 20)),
        codec=_one_of(random, KINDS[kind].codecs),
        b_frames=_one_of(random, KINDS[kind].b_frames),
        starts=tuple(sorted(random.integers(0, COUNT - 30, 3).tolist())),
        clip_frames=int(random.integers(5, 30)),
        resample=_one_of(random, (None, None, None, 12.5, 30)),
        reader=_one_of(random, ("ffprobe", "pyav")),
    )
    if container == "3gp":
        case = replace(case, codec="h263")
    if case.codec == "mpeg4" and container == "ts":  # which stores the size of pictures only once
        case = replace(case, codec="mpeg2video")
    return case


def make_odd(case: OddCase, folder: Path) -> Odd:
    """Write the recording of a case into a folder."""
    return KINDS[case.kind].make(folder, case)


def _one_of(random: np.random.Generator, choices: Sequence[T]) -> T:
    return choices[int(random.integers(len(choices)))]
