"""Recordings whose packets are not pictures of their own times, drawn from a seed and cut.

`tests.odd_streams` makes them. What is cut shows the right number in every frame, for three readers
and as a virtual clip; what is not cut has a reason.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.errors import MediaError
from dogclips.loading.frames import frames_at
from dogclips.media.encoding import EncoderConfig, cut_source
from dogclips.media.excerpt import Excerpt, FrameTimes, Window
from dogclips.media.lanes import ClipJob
from dogclips.media.probe import probe_file
from dogclips.streams import Stream
from dogclips.timebase import Span
from tests import odd_streams
from tests.cuts.painting import read
from tests.cuts.readers import READERS
from tests.odd_streams import COUNT, RATE, Odd

# Each kind with the containers that it is made in, or none where there is no choice.
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "begins within a group": ("avi", "mkv", "mp4"),
    "begins with a P picture": ("avi", "mkv", "mp4"),
    "not coded": ("avi", "mkv", "mp4"),
    "hidden references": ("mkv",),
    "field pictures": ("ts", "mp4", "mkv"),
    "times of the file's order": ("avi", "mp4", "mkv", "flv", "ts"),
    "in bursts": ("mkv",),
    "stepping back": ("mkv",),
    "some without times": ("ts",),
    "packs": ("mpg",),
    "false keyframes": ("3gp", "mp4"),
    "lost packets": ("mkv", "mp4", "ts"),
    "left out": ("mkv", "mp4", "ts", "flv"),
}


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
        if self.codec == "h263":
            group.pop("bf")
        return {"b": "4M", "sc_threshold": "1000000000"} | group


def draw_odd(seed: int) -> OddCase:
    """Return the case of a seed."""
    random = np.random.default_rng((seed, 17))
    kind = list(KINDS)[int(random.integers(len(KINDS)))]
    container = str(random.choice(KINDS[kind]))
    case = OddCase(
        seed,
        kind,
        container,
        group=int(random.integers(8, 40)),
        every=int(random.integers(4, 30)),
        first=int(random.integers(1, 20)),
        starts=tuple(sorted(random.integers(0, COUNT - 30, 3).tolist())),
        clip_frames=int(random.integers(5, 30)),
        reader=str(random.choice(["ffprobe", "pyav"])),
    )
    reordered = kind in ("times of the file's order", "packs")
    if reordered or (kind == "some without times" and random.random() < 0.5):
        case = replace(case, b_frames=int(random.integers(1, 4)))
    if kind == "packs":
        case = replace(case, b_frames=min(case.b_frames, 2))
    if kind in ("begins with a P picture", "not coded"):
        case = replace(case, codec="mpeg4")
    if kind == "false keyframes":
        case = replace(case, codec="h263" if container == "3gp" else "mpeg4")
    if kind == "lost packets" and container != "ts" and random.random() < 0.5:
        case = replace(case, codec="mpeg4")
    return case


def make_odd(case: OddCase, folder: Path) -> Odd:
    """Write the recording of a case into a folder."""
    return _MAKERS[case.kind](folder, case)


def _odd_places(case: OddCase) -> range:
    return range(case.first + 2, COUNT - 2, case.every)


def _named(case: OddCase) -> dict[str, Any]:
    return {"name": case.name, "codec": case.codec, "options": case.options}


def _within_a_group(folder: Path, case: OddCase) -> Odd:
    return odd_streams.begins_within_a_group(folder, **_named(case), dropped=case.first)


def _not_coded(folder: Path, case: OddCase) -> Odd:
    return odd_streams.not_coded(folder, case.name, case.options, _odd_places(case))


def _hidden_references(folder: Path, case: OddCase) -> Odd:
    return odd_streams.hidden_references(folder, group=case.group)


def _field_pictures(folder: Path, case: OddCase) -> Odd:
    return odd_streams.field_pictures(folder, case.name, case.group)


def _file_order(folder: Path, case: OddCase) -> Odd:
    return odd_streams.file_order(folder, **_named(case))


def _in_bursts(folder: Path, case: OddCase) -> Odd:
    return odd_streams.in_bursts(folder, case.options, _odd_places(case))


def _stepping_back(folder: Path, case: OddCase) -> Odd:
    return odd_streams.stepping_back(folder, case.options, _odd_places(case))


def _without_times(folder: Path, case: OddCase) -> Odd:
    return odd_streams.some_without_times(folder, case.options, case.first, case.every)


def _packs(folder: Path, case: OddCase) -> Odd:
    return odd_streams.some_packs_with_times(folder, case.b_frames, f"{100 * case.every}k")


def _false_keyframes(folder: Path, case: OddCase) -> Odd:
    return odd_streams.false_keyframes(folder, **_named(case), every=case.every)


def _lost_packets(folder: Path, case: OddCase) -> Odd:
    lost = range(20 + case.first, 20 + case.first + case.every // 4 + 1)
    return odd_streams.lossy(folder, **_named(case), lost=lost)


def _left_out(folder: Path, case: OddCase) -> Odd:
    return odd_streams.left_out(folder, **_named(case), gone=_odd_places(case))


_MAKERS: Final[Mapping[str, Callable[[Path, OddCase], Odd]]] = {
    "begins within a group": _within_a_group,
    "begins with a P picture": _within_a_group,
    "not coded": _not_coded,
    "hidden references": _hidden_references,
    "field pictures": _field_pictures,
    "times of the file's order": _file_order,
    "in bursts": _in_bursts,
    "stepping back": _stepping_back,
    "some without times": _without_times,
    "packs": _packs,
    "false keyframes": _false_keyframes,
    "lost packets": _lost_packets,
    "left out": _left_out,
}


@dataclass
class OddReport:
    """What became of a case: clips, windows by outcome, and a line for each fault."""

    case: OddCase
    num_clips: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def report_of_odd(case: OddCase) -> OddReport:
    """Make a case, cut it and check all clips and all windows without one."""
    report = OddReport(case)
    with TemporaryDirectory() as folder:
        odd = make_odd(case, Path(folder))
        [stream] = probe_file(odd.path, reader=case.reader).cameras  # type: ignore[arg-type]
        for number, start in enumerate(case.starts):
            span = Span(start / RATE, (start + case.clip_frames) / RATE)
            frames = select_frames(stream, span, None)
            outcome, path = str(frames), Path(folder) / f"{number}.mp4"
            if isinstance(frames, SourceFrames):
                error = _cut(odd, stream, frames, path)
                outcome = "does-not-decode" if error else "cut"
            report.outcomes[f"{case.kind}: {outcome}"] += 1
            wanted = list(odd.numbers[start : start + case.clip_frames])
            if isinstance(frames, SourceFrames) and outcome == "cut":
                report.num_clips += 1
                faults = _faults(odd, stream, frames, path, wanted_of(odd, stream, start, frames))
            else:  # only where nobody can see what was meant, or the recording has ended
                fine = None in wanted or len(wanted) < case.clip_frames
                faults = [] if fine else [f"{outcome}, not cut"]
            report.faults += [f"window at frame {start}: {fault}" for fault in faults]
    return report


def wanted_of(odd: Odd, stream: Stream, start: int, frames: SourceFrames) -> list[int | None]:
    """Return the numbers that a clip has to show: of its rate, or each at its own time."""
    if frames.timing == "grid":
        return list(odd.numbers[start : start + len(frames.indices)])
    places = [start + round(time * stream.time_base * RATE) for time in frames.pts]
    return [odd.numbers[place] for place in places]


def _cut(odd: Odd, stream: Stream, frames: SourceFrames, path: Path) -> str | None:
    size = stream.width, stream.height
    own = frames.indices, frames.pts, frames.time_base, frames.frame_rate
    encoder = EncoderConfig(preset="superfast", crf=14)
    [outcome] = cut_source(odd.path, stream, [ClipJob(path, *own, size)], encoder)
    return outcome.error


def _faults(
    odd: Odd, stream: Stream, frames: SourceFrames, path: Path, wanted: list[int | None]
) -> list[str]:
    seen = {name: list(read_clip(path).numbers) for name, read_clip in READERS.items()}
    try:
        seen["virtual"] = virtual(odd, stream, frames)
    except MediaError as error:
        return [f"virtual: {error}"]
    return [f"{name}: {own}, not {wanted}" for name, own in seen.items() if own != wanted]


def virtual(odd: Odd, stream: Stream, frames: SourceFrames) -> list[int | None]:
    """Return the numbers of a clip that is read from its recording, one a frame."""
    first, last = (int(stream.pts[frames.indices[place]]) for place in (0, -1))
    times = (len(frames.indices), frames.frame_rate, frames.begin_s, frames.timing)
    found = dict[int, int | None]()
    excerpt = Excerpt(odd.path, stream.index, Window(first, last, *times))
    for shown in frames_at(excerpt, _each):
        number = read(np.round(shown.pixels.mean(axis=2)).astype(np.uint8))
        found |= dict.fromkeys(shown.positions.tolist(), number)
    return [found[place] for place in sorted(found)]


def _each(times: FrameTimes) -> NDArray[np.float64]:
    return times.times_s
