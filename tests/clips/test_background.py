"""Windows in which nothing happens, windows of one subject, and how both become clips."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import ClipPlan, measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.clips.units import local_engine
from dogclips.lists.listfile import read_list
from dogclips.lists.sessions import write_session_lists
from tests.sessions import write_session
from tests.videos import numbers_in, steady

RATE = 2
SLOW = [steady(80 * RATE, Fraction(RATE))]  # twenty windows
# Labels five windows and none of the others, one of which it touches.
BUSY = [(8.0, 16.0, "0"), (30.0, 30.5, "1"), (60.0, 70.0, "1")]
BACKGROUND = [0, 4, 16, 20, 24, 32, 36, 40, 44, 48, 52, 56]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(tmp_path_factory.mktemp("quiet") / "2_2_kt", BUSY, SLOW)


def planned(base_dir: Path, **settings: object) -> ClipPlan:
    config = CutConfig.model_validate(settings)
    session = find_session(base_dir)
    projects, _ = read_dataset(session.projects)
    return plan_session(session, projects, measure_session(session, projects, config), config)


def background(plan: ClipPlan) -> pd.DataFrame:
    table = plan.table
    return table[(table["status"] == "planned") & (table["labels"].map(len) == 0)]


def test_background_is_dropped_unless_somebody_wants_it(session: Path) -> None:
    table = planned(session).table
    assert Counter(table["reason"]) == {"": 5, "no-label": 15}


def test_background_is_what_lies_between_the_segments(session: Path) -> None:
    plan = planned(session, background="keep")

    assert background(plan)["start_s"].tolist() == BACKGROUND
    assert Counter(plan.table["reason"]) == {"": 17, "near-label": 1, "after-annotations": 2}
    assert plan.annotated == {"sit": (1, 8), "walk": (2, Fraction("10.5"))}


def test_behaviours_that_are_no_class_show_that_somebody_looked(session: Path) -> None:
    plan = planned(session, background="keep", labels={"drop": ["walk"]})

    assert plan.classes == ("sit",)
    assert background(plan)["start_s"].tolist() == [*BACKGROUND[:5], 28, *BACKGROUND[5:], 60, 64]


@pytest.mark.parametrize(("ratio", "count"), [("0", 0), ("0.4", 2), ("1", 5), ("9", 12)])
def test_a_sample_of_the_background_is_the_same_in_every_run(
    session: Path, ratio: str, count: int
) -> None:
    plan, again = (planned(session, background=f"sample:{ratio}") for _ in range(2))

    assert len(background(plan)) == count
    assert plan.table.equals(again.table)
    assert Counter(plan.table["reason"])["not-sampled"] == 12 - count
    given_up = plan.table[plan.table["reason"] == "not-sampled"]
    assert set(given_up["clip"]) <= {""}
    assert given_up["num_frames"].isna().all()
    assert len(plan.jobs) == 5 + count


def test_a_larger_sample_holds_the_smaller_one(session: Path) -> None:
    few, more = (background(planned(session, background=f"sample:{n}")) for n in ("0.4", "1"))
    assert set(few["clip"]) < set(more["clip"])


def test_background_becomes_clips_without_labels(session: Path) -> None:
    plan = planned(session, background="sample:0.4")
    output = plan.session.output
    manifest = cut_plan(plan, engine=local_engine(1))
    write_session_lists(output, manifest, plan.classes)

    assert Counter(manifest["status"]) == {"cut": 7, "skipped": 13}
    listed = read_list(output / "dataset.txt")
    without = [clip.path for clip in listed.clips if not clip.labels]
    assert sorted(without) == [output / clip for clip in sorted(background(plan)["clip"])]
    for start_s, path in zip(background(plan)["start_s"], background(plan)["clip"], strict=True):
        assert path.endswith(f"_start{start_s}_none.mp4")
        first = round(start_s * RATE)
        assert numbers_in(output / path) == list(range(first, first + 4 * RATE))


TWO = """file,start,end,label,task,subject
020500.mp4,0,8,sit,posture,Rex
020500.mp4,0,4,walk,gait,Ida Bell
"""


@pytest.fixture
def two_dogs(tmp_path: Path) -> Path:
    base_dir = write_session(tmp_path / "2_2_kt", BUSY, SLOW)
    (base_dir / "via" / "0205.json").unlink()
    (base_dir / "via" / "0205.csv").write_text(TWO)
    return base_dir


def test_every_subject_has_clips_of_its_own_that_bear_its_name(two_dogs: Path) -> None:
    plan = planned(two_dogs, per_subject=True, name={"date": "20240202"})
    manifest = cut_plan(plan, engine=local_engine(1))

    kept = manifest[manifest["status"] == "cut"]
    assert sorted(Path(clip).name for clip in kept["clip"]) == [
        "20240202kt_020500_start0.0_Ida-Bell_1.mp4",
        "20240202kt_020500_start0.0_Rex_0.mp4",
        "20240202kt_020500_start4.0_Rex_0.mp4",
    ]
    assert [list(own) for own in kept["subjects"]] == [["Ida Bell"], ["Rex"], ["Rex"]]
    assert kept["sha256"].nunique() == 2  # two clips show the same frames
    assert Counter(manifest["reason"])["no-label"] == 37


def test_a_template_may_say_where_the_subject_stands(two_dogs: Path) -> None:
    template = "{subject}_{video}_{start}"
    plan = planned(two_dogs, per_subject=True, name={"template": template})
    assert {Path(job.path).name for job in plan.jobs.values()} == {
        "Ida-Bell_020500_0.0.mp4",
        "Rex_020500_0.0.mp4",
        "Rex_020500_4.0.mp4",
    }
