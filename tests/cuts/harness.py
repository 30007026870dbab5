"""Make a recording, cut it as a user would, and compare every frame with the truth."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.clips.plan import measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.clips.units import local_engine
from dogclips.media.display import output_size
from dogclips.media.encoding import EncoderConfig, cut_source
from dogclips.media.lanes import ClipJob
from dogclips.media.probe import probe_file
from dogclips.timebase import Span, exact
from tests.cuts.cases import CutCase, Truth, make_source, truth_of
from tests.cuts.checks import Wanted, faults_of, wanted
from tests.cuts.readers import READERS, Clip, all_by_ffmpeg, by_pyav_without_edit_list
from tests.cuts.verdicts import Judged, OddReport, Tally
from tests.sessions import write_project


@dataclass(frozen=True)
class Done:
    """What became of a window: "cut" with its file, or the reason why not."""

    start_s: Fraction
    outcome: str
    path: Path = Path()


@dataclass
class Report:
    """What became of a case: clips, windows by outcome, and a line for each fault.

    `num_unsure` counts the windows of which rounding decides what is right.
    """

    case: CutCase
    num_clips: int = 0
    num_unsure: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def tally(self) -> Tally:
        """Return what is counted of it; a clip with a fault is wrong."""
        refused = Counter(self.outcomes)
        cut = refused.pop("cut", 0)
        wrong = min(len({fault.split(",")[0] for fault in self.faults}), cut)
        windows = [Judged("right")] * (cut - wrong) + [Judged("wrong", "see above")] * wrong
        windows += [Judged("refused", reason) for reason in refused.elements()]
        return Tally(self.case.seed, f"plain, {self.case.timing}", windows, (), len(self.faults))


def report_of(case: CutCase) -> Report:
    """Make a case, cut it and check all clips and all windows without one."""
    report = Report(case)
    with TemporaryDirectory() as folder:
        base_dir = Path(folder) / "2_2_kt"
        (base_dir / "video").mkdir(parents=True)
        source = make_source(case, base_dir / "video")
        try:
            truth = truth_of(case, source)
        except AssertionError as error:  # the case is wrong, not dogclips; but nobody may miss it
            report.faults.append(f"the recording is not what was meant: {error}")
            return report
        if not all(stream.width for stream in probe_file(source).cameras):
            report.outcomes["size-unknown"] += 1  # FFmpeg looked for it in vain; refused by the cut
            return report
        done = _cut_starts(case, source, truth) if case.starts else _cut_session(case, base_dir)
        cut = [window.path for window in done if window.outcome == "cut"]
        read = all_by_ffmpeg(cut) if cut else {}
        for window in done:
            _check(report, truth, window, read)
    return report


def _cut_session(case: CutCase, base_dir: Path) -> list[Done]:
    """Cut a session in which all is labelled, through what `dogclips cut` calls."""
    name = f"020500.{case.container}"
    write_project(base_dir, "0205", {name: [(0, float(case.num_frames / case.rate) + 4, "1")]})
    settings = {
        "clip_seconds": case.clip_seconds,
        "stride_seconds": case.stride_seconds,
        "min_overlap_seconds": 0.1,
        "content": "never",
        "frame_rate": case.resample or "source",
        "short_side": case.short_side,
        "encoder": _encoder(case),
    }
    config = CutConfig.model_validate(settings)
    session = find_session(base_dir)
    projects, _ = read_dataset(session.projects)
    recordings = measure_session(session, projects, config)
    plan = plan_session(session, projects, recordings, config)
    manifest = cut_plan(plan, engine=local_engine(1))
    return [
        Done(exact(row["start_s"]), row["status"], session.output / row["clip"])
        if row["status"] == "cut"
        else Done(exact(row["start_s"]), row["reason"])
        for row in manifest.to_dict("records")
    ]


def _cut_starts(case: CutCase, source: Path, truth: Truth) -> list[Done]:
    """Cut windows that begin anywhere."""
    stream = probe_file(source, reader=case.reader).streams[case.target]  # type: ignore[arg-type]
    rate = None if case.resample is None else exact(case.resample)
    done, jobs = [], []
    for number, start in enumerate(case.starts):
        frames = select_frames(stream, Span(start, start + exact(case.clip_seconds)), rate)
        path = source.with_name(f"{number}.mp4")
        begin_s = truth.times_s[0] + start
        if isinstance(frames, SourceFrames):
            size = output_size(stream, case.short_side)
            rate_of = (frames.time_base, frames.frame_rate)
            jobs.append(ClipJob(path, frames.indices, frames.pts, *rate_of, size))
            done.append(Done(begin_s, "cut", path))
        else:
            done.append(Done(begin_s, frames))
    outcomes = list(cut_source(source, stream, jobs, _encoder(case))) if jobs else []
    errors = {outcome.path: outcome.error for outcome in outcomes if outcome.error}
    return [Done(d.start_s, errors.get(d.path, d.outcome), d.path) for d in done]


def _encoder(case: CutCase) -> EncoderConfig:
    return EncoderConfig(preset="superfast", crf=18, b_frames=case.clip_b_frames)


def _check(report: Report, truth: Truth, done: Done, read: Mapping[Path, Clip]) -> None:
    case = report.case
    window = wanted(case, truth, done.start_s)
    report.outcomes[done.outcome] += 1
    report.num_unsure += window.is_unsure
    where = f"window at {float(done.start_s)} s"
    if done.outcome not in window.outcomes:
        expected = " or ".join(sorted(window.outcomes))
        report.faults.append(f"{where}: {done.outcome}, not {expected}")
    elif done.outcome == "cut":
        report.num_clips += 1
        found = _faults_of_clip(case, truth, window, done.path, read[done.path])
        report.faults.extend(f"{where}, {fault}" for fault in found)


def _faults_of_clip(
    case: CutCase, truth: Truth, window: Wanted, path: Path, by_ffmpeg: Clip
) -> list[str]:
    readers = {**READERS, "ffmpeg": lambda _: by_ffmpeg}
    found = []
    if case.clip_b_frames == 0:  # B-frames take an edit list, or begin later than at 0
        readers["PyAV without edit lists"] = by_pyav_without_edit_list
        if b"elst" in path.read_bytes():
            found.append("an edit list where none is needed")
    for name, read_clip in readers.items():
        found += [f"{name}: {fault}" for fault in faults_of(case, truth, read_clip(path), window)]
    return found


def shown_faults(reports: Sequence[Report | OddReport]) -> str:
    """Return all faults with the cases that make them again; empty if there are none."""
    return "\n".join(
        f"{report.case!r}\n  " + "\n  ".join(report.faults) for report in reports if report.faults
    )
