"""Windows streamed from a recording are what a model sees of the clips that would be cut there."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dogclips.alignment import StreamChoice
from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import ClipPlan, measure_session, plan_session
from dogclips.clips.recordings import measure_recordings
from dogclips.clips.session import find_session
from dogclips.clips.viewing import Viewing, viewing_of
from dogclips.loading import Views
from dogclips.loading.dataset import FixedViews
from dogclips.loading.sampling import Sampling
from dogclips.loading.streaming import DOES_NOT_DECODE, WindowViews, stream_windows
from dogclips.media.excerpt import Excerpt
from dogclips.prediction.predictor import SlidingRules, SlidingWindow, sliding_windows
from tests.faults.damage import write_damaged, zeroed
from tests.moving import write_moving
from tests.sessions import write_project, write_session

# Lossless, so that a clip's frames are those of the recording to the bit.
LOSSLESS = {"encoder": {"crf": 0, "preset": "ultrafast"}, "stride_seconds": 1, "background": "keep"}
SAMPLING = Sampling(8)
CROPS = Views(32, "crop", 3)


def planned(base_dir: Path, **settings: object) -> ClipPlan:
    config = CutConfig.model_validate(LOSSLESS | settings)
    session = find_session(base_dir)
    projects, _ = read_dataset(session.projects)
    recordings = measure_session(session, projects, config)
    return plan_session(session, projects, recordings, config)


def viewing(path: Path) -> Viewing:
    choice = StreamChoice()
    return viewing_of(measure_recordings([path], [choice])[path, choice], choice)


def streamed(
    own: Viewing, windows: list[SlidingWindow], num_views: int, short_side: int | None
) -> dict[int, Tensor | str]:
    """Return the views of each window that has frames, by its number."""
    views = WindowViews(SAMPLING, num_views, CROPS, short_side)
    shown = {n: window for n, window in enumerate(windows) if not isinstance(window, str)}
    found = stream_windows(own.path, own.target, list(shown.values()), views)
    return {list(shown)[number]: video for number, video in found}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(tmp_path_factory.mktemp("session"), segments=[(0, 11.9, "1")])


@pytest.fixture(scope="module", params=[{"short_side": 64}, {"frame_rate": 7}], ids=str)
def cut(request: pytest.FixtureRequest, session: Path) -> Iterator[tuple[ClipPlan, Path]]:
    plan = planned(session, **request.param)
    table = cut_plan(plan)
    assert set(table["status"]) <= {"cut", "skipped"}
    yield plan, session / "video" / "020500.mp4"
    for clip in plan.session.output.rglob("*.mp4"):
        clip.unlink()


def rules_of(config: CutConfig) -> SlidingRules:
    return SlidingRules(Fraction(4), Fraction(1), config.resample_to)


@pytest.mark.parametrize("num_views", [1, 3])
def test_a_window_shows_what_its_clip_shows(cut: tuple[ClipPlan, Path], num_views: int) -> None:
    plan, path = cut
    own = viewing(path)
    windows = sliding_windows(own, rules_of(plan.config))  # one a second

    found = streamed(own, windows, num_views, plan.config.short_side)

    load = FixedViews(SAMPLING, num_views, CROPS)
    starts = {place: int(plan.table["start_s"][place]) for place in plan.jobs}
    assert sorted(starts.values()) == sorted(found)
    for place, job in plan.jobs.items():
        clip = load(Excerpt(job.path), np.random.default_rng(0))
        window = found[starts[place]]
        assert isinstance(window, Tensor)
        assert window.shape == clip.shape == (3 * num_views, 3, 8, 32, 32)
        assert torch.equal(window, clip)


def test_windows_have_the_frames_and_the_reasons_of_a_plan(tmp_path: Path) -> None:
    """Frames are lost in the middle of the larger stream, which claims to begin with the other."""
    shows = [*range(7, 130), *range(136, 260)]
    path = write_moving(tmp_path / "video" / "yard.mp4", range(260), shows)
    write_project(tmp_path, "yard", {"yard.mp4": [(0, 26, "1")]})
    plan = planned(tmp_path)
    table = plan.table.set_index("start_s")
    jobs = {plan.table["start_s"][place]: job for place, job in plan.jobs.items()}

    windows = sliding_windows(viewing(path), rules_of(plan.config))  # one a second

    assert list(range(len(windows))) == table.index.tolist()
    reasons = [window if isinstance(window, str) else "" for window in windows]
    assert set(reasons) > {"", "before-target-start", "after-end"}
    assert reasons == table["reason"].tolist()
    for start_s, window in enumerate(windows):
        if not isinstance(window, str):
            assert list(window.indices) == list(jobs[start_s].indices)


def test_a_damaged_frame_costs_the_windows_that_show_it(tmp_path: Path) -> None:
    path = write_damaged(tmp_path, "mp4", zeroed) / "video" / "020500.mp4"
    own = viewing(path)
    windows = sliding_windows(own, SlidingRules(Fraction(4), Fraction(2)))

    found = streamed(own, windows, 1, None)

    lost = {number for number, video in found.items() if isinstance(video, str)}
    assert lost == {
        9,
        10,
    }  # of two seconds each: frames from 105 up to the keyframe 110 at 5 a second
    assert {found[number] for number in lost} == {DOES_NOT_DECODE}
    assert len(found) == 15
