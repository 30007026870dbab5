"""Which clips are cut together: those that share frames, and no more than a minute of them."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.plan import measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.clips.units import Unit, plan_units
from tests.sessions import write_session
from tests.videos import steady

RATE = 2
SECONDS = 125


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole = [(0.0, float(SECONDS), "0")]
    recording = [steady(SECONDS * RATE, Fraction(RATE), options={"g": "20"})]
    return write_session(tmp_path_factory.mktemp("long") / "2_2_kt", whole, recording)


def units_of(base_dir: Path, **settings: object) -> list[Unit]:
    config = CutConfig.model_validate(settings)
    found = find_session(base_dir)
    projects, _ = read_dataset(found.projects)
    plan = plan_session(found, projects, measure_session(found, projects, config), config)
    return plan_units(plan, {job.path for job in plan.jobs.values()})


def begins_s(unit: Unit) -> list[float]:
    return [job.indices[0] / RATE for job in unit.jobs]


def test_clips_that_share_no_frame_are_cut_by_twenty_seconds(session: Path) -> None:
    assert [begins_s(unit)[0] for unit in units_of(session)] == [0, 20, 40, 60, 80, 100, 120]


def test_clips_that_overlap_are_cut_by_the_minute(session: Path) -> None:
    units = units_of(session, stride_seconds=1)
    assert [(begins_s(unit)[0], len(unit.jobs)) for unit in units] == [(0, 60), (60, 60), (120, 2)]


@pytest.mark.parametrize(("stride", "phase"), [(3, 0), (4, 2), (4.5, 1), (6, 3), (1.5, 0)])
def test_no_two_units_of_a_minute_share_a_frame(session: Path, stride: float, phase: float) -> None:
    units = units_of(session, stride_seconds=stride, phase_seconds=phase)

    assert all(begins_s(unit) == sorted(begins_s(unit)) for unit in units)
    assert all(begins_s(unit)[-1] // 60 == begins_s(unit)[0] // 60 for unit in units)
    for one, other in pairwise(units):
        apart = one.jobs[-1].indices[-1] < other.jobs[0].indices[0]
        assert apart or begins_s(one)[0] // 60 != begins_s(other)[0] // 60
