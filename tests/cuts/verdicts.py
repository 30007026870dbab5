"""What became of each window of an odd recording, judged by the numbers that its clip shows.

right
    Every frame shows what a player shows at its time, for three readers and as a virtual clip.
refused
    There is no clip, and a reason.
warned
    Some frame is wrong or illegible, and `dogclips probe` warns about the recording.
wrong
    Some frame is wrong, and nothing says so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, Self, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.errors import MediaError
from dogclips.loading.frames import frames_at
from dogclips.media.display import output_size
from dogclips.media.encoding import EncoderConfig, cut_source
from dogclips.media.excerpt import Excerpt, FrameTimes, Window
from dogclips.media.lanes import ClipJob
from dogclips.media.probe import probe_file
from dogclips.streams import Stream, StreamTable
from dogclips.timebase import Span, exact
from tests.cuts.odd import KINDS, OddCase, make_odd
from tests.cuts.painting import read
from tests.cuts.readers import Clip, all_by_ffmpeg, by_opencv, by_pyav
from tests.odd_streams import RATE, Odd

Verdict: TypeAlias = Literal["right", "refused", "warned", "wrong"]
_SLACK = Fraction(1, 10)  # of a frame: containers round times
_BLACK = 28  # levels: bars are darker, what is painted is lighter
_OFF = 0.1  # of the sides' ratio


@dataclass(frozen=True)
class Judged:
    """What became of one window: why it was refused, or what is wrong with its clip."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Tally:
    """What became of the windows of one recording, in a form that can be stored."""

    seed: int
    kind: str
    windows: Sequence[Judged]
    warnings: Sequence[str] = ()
    num_faults: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return asdict(self)

    @classmethod
    def of_json(cls, document: dict[str, Any]) -> Self:
        """Return what `as_json` gave."""
        return cls(**document | {"windows": [Judged(**own) for own in document["windows"]]})


@dataclass
class OddReport:
    """What became of a case: its windows, and a line for each fault."""

    case: OddCase
    windows: list[Judged] = field(default_factory=list)
    warnings: tuple[str, ...] = ()  #: Codes of what `dogclips probe` warns of
    faults: list[str] = field(default_factory=list)

    @property
    def tally(self) -> Tally:
        """Return what is counted of it."""
        own = self.case
        return Tally(own.seed, own.kind, self.windows, self.warnings, len(self.faults))


@dataclass(frozen=True)
class _Planned:
    """A window that is cut: where it begins, in frames of the truth, and its frames."""

    start: int
    frames: SourceFrames
    path: Path


@dataclass(frozen=True)
class _Done:
    """A recording of which all windows are cut or refused; these by where they begin."""

    odd: Odd
    stream: Stream
    clips: tuple[_Planned, ...]
    refused: Mapping[int, str]


def report_of_odd(case: OddCase) -> OddReport:
    """Make a case, cut it and judge all its windows."""
    return reports_of_odd([case])[0]


def reports_of_odd(cases: Sequence[OddCase]) -> list[OddReport]:
    """Make several cases and judge all their windows; one start of ffmpeg reads all clips."""
    reports = [OddReport(case) for case in cases]
    with TemporaryDirectory() as folder:
        done = [_done(report, Path(folder) / str(n)) for n, report in enumerate(reports)]
        paths = [own.path for each in done if each is not None for own in each.clips]
        by_ffmpeg = all_by_ffmpeg(paths) if paths else {}
        for report, own in zip(reports, done, strict=True):
            if own is not None:
                _judge(report, own, by_ffmpeg)
    return reports


def _done(report: OddReport, folder: Path) -> _Done | None:
    """Make and cut a case; None if the recording is refused, which is then in its report."""
    case = report.case
    folder.mkdir()
    odd = make_odd(case, folder)
    try:
        table = probe_file(odd.path, reader=case.reader)  # type: ignore[arg-type]
    except MediaError as error:
        _refuse_all(report, error.what)
        return None
    if not table.cameras:
        _refuse_all(report, "no video stream with frames")
        return None
    report.warnings = _warnings(table)
    stream = table.cameras[0]
    planned, refused = [], dict[int, str]()
    rate = None if case.resample is None else exact(case.resample)
    for start in sorted(set(case.starts)):
        frames = select_frames(stream, _window(case, odd, stream, start), rate)
        if isinstance(frames, str):
            refused[start] = frames
        else:
            planned.append(_Planned(start, frames, folder / f"{start}.mp4"))
    failed = _cut(odd, stream, planned)
    refused |= {own.start: "does-not-decode" for own in planned if own.path in failed}
    clips = tuple(own for own in planned if own.path not in failed)
    return _Done(odd, stream, clips, refused)


def _judge(report: OddReport, done: _Done, by_ffmpeg: Mapping[Path, Clip]) -> None:
    found = {start: Judged("refused", reason) for start, reason in done.refused.items()}
    for own in done.clips:
        wrong = next(_wrong(done.odd, done.stream, own, by_ffmpeg[own.path]), None)
        verdict: Verdict = "right"
        if wrong is not None:
            verdict = "warned" if report.warnings else "wrong"
        found[own.start] = Judged(verdict, wrong or "")
    for start, judged in sorted(found.items()):
        report.windows.append(judged)
        report.faults += _faults(report.case, done.odd, start, judged)


def _warnings(table: StreamTable) -> tuple[str, ...]:
    return tuple(sorted({own.code for own in table.messages if own.level == "warning"}))


def _refuse_all(report: OddReport, reason: str) -> None:
    report.windows += [Judged("refused", reason)] * len(report.case.starts)
    if not any(own in reason for own in KINDS[report.case.kind].reasons):
        report.faults.append(f"the recording is refused: {reason}")


def _faults(case: OddCase, odd: Odd, start: int, judged: Judged) -> Iterator[str]:
    """Yield what should not have become of a window, whatever the kind."""
    kind, where = KINDS[case.kind], f"window at frame {start}"
    shown = odd.numbers[start : start + case.clip_frames]
    if judged.verdict == "refused":
        # Nobody can see what was meant, the recording has ended, or the kind says so.
        known = any(reason in judged.reason for reason in kind.reasons)
        fine = None in shown or len(shown) < case.clip_frames or known
        if not fine and not kind.pending:
            yield f"{where}: {judged.reason}, not cut"
    elif kind.ambiguous and judged.verdict == "warned":
        return
    elif judged.verdict != "right" and not kind.pending:
        yield f"{where}, {judged.verdict}: {judged.reason}"


def _window(case: OddCase, odd: Odd, stream: Stream, start: int) -> Span:
    """Return a window in seconds since the first frame of the stream."""
    late = 0 if odd.start_s is None else (stream.start_s or 0) - odd.start_s
    return Span(start / RATE - late, (start + case.clip_frames) / RATE - late)


def _cut(odd: Odd, stream: Stream, planned: Iterable[_Planned]) -> set[Path]:
    """Cut all windows in one pass; return which did not come to their end."""
    size = output_size(stream, None)
    jobs = [
        ClipJob(
            own.path,
            own.frames.indices,
            own.frames.pts,
            own.frames.time_base,
            own.frames.frame_rate,
            size,
        )
        for own in planned
    ]
    if not jobs:
        return set()
    encoder = EncoderConfig(preset="superfast", crf=14)
    return {own.path for own in cut_source(odd.path, stream, jobs, encoder) if own.error}


def _wrong(odd: Odd, stream: Stream, own: _Planned, by_ffmpeg: Clip) -> Iterator[str]:
    """Yield what is wrong with a clip, by reader."""
    shown = by_pyav(own.path)
    times = shown.times_s or ()
    wanted = [_at(odd.numbers, own.start + time * RATE) for time in times]
    seen = {
        "PyAV": shown.numbers,
        "ffmpeg": by_ffmpeg.numbers,
        "OpenCV": by_opencv(own.path).numbers,
    }
    held = [_held(odd.numbers, own.start + time * RATE) for time in times]
    for name, numbers in seen.items():
        if not _are(numbers, wanted, held):
            yield f"{name}: {list(numbers)}, not {wanted}"
    if own.frames.timing != "resampled":
        yield from _unseen(odd, own, times, wanted)
    if odd.sizes:
        yield from _stretched(odd, own, times)
    try:
        numbers_here = virtual(odd, stream, own.frames)
    except MediaError as error:
        yield f"virtual: {error}"
        return
    if not _are(numbers_here, wanted, held):
        yield f"virtual: {numbers_here}, not {wanted}"


def _are(
    shown: Sequence[int | None], wanted: Sequence[int | None], held: Sequence[int | None]
) -> bool:
    """Return whether a clip shows what is wanted, or holds the last picture where it is lost."""
    return len(shown) == len(wanted) and all(
        number == want or (want is None and number == last)
        for number, want, last in zip(shown, wanted, held, strict=True)
    )


def _held(numbers: Sequence[int | None], place: Fraction) -> int | None:
    """Return the number that is held at a place: the last one known, for a quarter of a second."""
    stop = int(place + _SLACK) + 1
    recent = numbers[max(stop - 1 - int(RATE / 4), 0) : stop]
    return next((number for number in reversed(recent) if number is not None), None)


def _at(numbers: Sequence[int | None], place: Fraction) -> int | None:
    whole = int(place + _SLACK)
    return numbers[whole] if 0 <= whole < len(numbers) else None


def _unseen(
    odd: Odd, own: _Planned, times: Sequence[Fraction], wanted: Sequence[int | None]
) -> Iterator[str]:
    """Yield where a clip goes on showing a frame although a player shows the next one."""
    places = [own.start + int(time * RATE + _SLACK) for time in times]
    stops = [*places[1:], places[-1] + 1]
    for number, place, stop in zip(wanted, places, stops, strict=True):
        held = set(odd.numbers[place:stop]) - {number}
        if held:
            yield f"{sorted(held, key=str)} are not shown"


def _stretched(odd: Odd, own: _Planned, times: Sequence[Fraction]) -> Iterator[str]:
    """Yield where a picture, without black bars, is not of the shape that it was recorded in."""
    with av.open(str(own.path)) as container:
        for time, frame in zip(times, container.decode(video=0), strict=True):
            light = frame.to_ndarray(format="gray") > _BLACK
            height, width = (np.count_nonzero(light.any(axis=axis)) for axis in (1, 0))
            meant = odd.sizes[own.start + int(time * RATE + _SLACK)]
            if abs(width * meant[1] - height * meant[0]) > _OFF * meant[0] * meant[1]:
                yield f"a picture of {meant} is shown as {(width, height)}"


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


def wanted_of(odd: Odd, stream: Stream, start: int, frames: SourceFrames) -> list[int | None]:
    """Return the numbers that a clip has to show: of its rate, or each at its own time."""
    if frames.timing == "grid":
        return list(odd.numbers[start : start + len(frames.indices)])
    places = [start + round(time * stream.time_base * RATE) for time in frames.pts]
    return [odd.numbers[place] for place in places]


def _each(times: FrameTimes) -> NDArray[np.float64]:
    return times.times_s


COLUMNS: Final = ("kind", "files", "windows", "right", "refused", "warned", "wrong", "codes")


def table_of(tallies: Sequence[Tally]) -> list[list[str]]:
    """Return a row for each kind: recordings, windows, what became of these, warnings."""
    others = sorted({own.kind for own in tallies} - set(KINDS))
    rows = []
    for kind in (*others, *KINDS):
        own = [tally for tally in tallies if tally.kind == kind]
        windows = [judged for tally in own for judged in tally.windows]
        verdicts = Counter(judged.verdict for judged in windows)
        counts = [len(own), len(windows), verdicts["right"]]
        wrong = [verdicts["warned"], verdicts["wrong"]]
        codes = sorted({code for tally in own for code in tally.warnings})
        rows.append(
            [kind, *map(str, counts), _refused(windows), *map(str, wrong), ", ".join(codes)]
        )
    return rows


def _refused(windows: Iterable[Judged]) -> str:
    reasons = Counter(own.reason.split(":")[0] for own in windows if own.verdict == "refused")
    return ", ".join(f"{number} {reason}" for reason, number in reasons.most_common()) or "0"
