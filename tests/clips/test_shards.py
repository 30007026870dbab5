"""Shards of a plan are the whole plan, and only shards that belong together are merged."""

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import ClipPlan, measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.clips.shards import Shard, merging, only_writer, shard_of
from dogclips.clips.units import local_engine, plan_units
from dogclips.errors import OutputError, UsageError
from dogclips.files import part_of
from dogclips.records.manifest import read_manifest, write_manifest
from tests.sessions import write_project
from tests.videos import steady, write_made

PutShard = Callable[..., int]  # number, of and settings; returns how many clips the shard has


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of 75 s at two frames a second, and an annotation file without one."""
    base_dir = tmp_path_factory.mktemp("sessions") / "2_2_kt"
    for name in ("0205", "0206"):
        made = steady(150, Fraction(2), options={"g": "20"})
        write_made(base_dir / "video" / f"{name}.mp4", made)
        write_project(base_dir, name, {f"{name}.mp4": [(0, 60, "1"), (40, 68, "2")]})
    write_project(base_dir, "0207", {"0207.mp4": [(0, 4, "0")]})
    return base_dir


@pytest.fixture
def session(recorded: Path) -> Path:
    """Return the session as nobody has cut it; it stays where it is, so that plans stay true."""
    shutil.rmtree(recorded / "output", ignore_errors=True)
    return recorded


@cache
def planned(base_dir: Path, **settings: object) -> ClipPlan:
    found = find_session(base_dir)
    more = {"name": {"year": settings.pop("year")}} if "year" in settings else {}
    config = CutConfig.model_validate({"stride_seconds": 8, **settings, **more})
    projects, _ = read_dataset(found.projects)
    return plan_session(found, projects, measure_session(found, projects, config), config)


@pytest.fixture(scope="module")
def put_shard(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> PutShard:
    """Put a shard into the session that was cut, alone, when a test asked for it first."""
    store, output = tmp_path_factory.mktemp("shards"), recorded / "output"

    def put(number: int, of: int, **settings: object) -> int:
        plan, others = planned(recorded, **settings), store / "others"
        kept = store / f"{number}-of-{of}-{settings}"
        if not kept.exists():
            output.mkdir(exist_ok=True)
            output.rename(others)
            cut_shard(plan, number, of)
            output.rename(kept)
            others.rename(output)
        shutil.copytree(kept, output, dirs_exist_ok=True)
        own, _ = shard_of(plan, Shard(number, of))
        return len(own.jobs)

    return put


def cut_shard(plan: ClipPlan, number: int, of: int) -> pd.DataFrame:
    own, head = shard_of(plan, Shard(number, of))
    return cut_plan(own, engine=local_engine(1), shard=head)


def refusal(base_dir: Path) -> str:
    with pytest.raises(OutputError) as refused, merging(base_dir / "output"):
        pass
    return str(refused.value)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "-1/3", "1", "1/", "a/b", "1/3/5", "1.0/3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="I from 1 to N"):
        Shard.from_text(text)


@pytest.mark.parametrize("of", [1, 2, 3, 4, 7])
def test_every_row_belongs_to_one_shard_and_units_stay_whole(session: Path, of: int) -> None:
    plan = planned(session)
    shards = [shard_of(plan, Shard(number, of)) for number in range(1, of + 1)]

    rows = Counter(place for own, _ in shards for place in own.table.index)
    assert rows == Counter(plan.table.index)
    units = plan_units(plan, {job.path for job in plan.jobs.values()})
    assert len(units) == 8  # of twenty seconds each
    found = [
        {job.path for job in unit.jobs}
        for own, _ in shards
        for unit in plan_units(own, {job.path for job in own.jobs.values()})
    ]
    assert sorted(map(sorted, found)) == sorted(
        sorted(job.path for job in unit.jobs) for unit in units
    )
    assert max(len(own.jobs) for own, _ in shards) - min(len(own.jobs) for own, _ in shards) < (
        len(plan.jobs) if of > 4 else 16
    )
    statuses = [set(own.table["status"]) - {"planned"} for own, _ in shards]
    assert statuses == [{"skipped", "failed"}, *[set()] * (of - 1)]


def test_the_plan_is_the_same_however_its_folder_is_named(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, absolute = shard_of(planned(session), Shard(1, 2))
    monkeypatch.chdir(session.parent)
    _, relative = shard_of(planned(Path(session.name)), Shard(1, 2))
    _, other = shard_of(planned(session, short_side=64), Shard(1, 2))

    assert absolute.plan == relative.plan != other.plan


def test_merged_shards_are_what_one_run_makes(session: Path) -> None:
    plan = planned(session)
    for number in (3, 1, 2):
        cut_shard(plan, number, 3)
    with merging(session / "output") as merged:
        table = merged.table
        assert (merged.classes, merged.documents) == (plan.classes, plan.documents)

    assert table.drop(columns=["status", "size_bytes", "sha256"]).equals(
        plan.table.drop(columns=["status", "size_bytes", "sha256"])
    )
    assert set(table["status"]) == {"cut", "skipped", "failed"}
    assert refusal(session).startswith("no shards to merge")
    write_manifest(table, session / "output")
    again = cut_plan(plan, engine=local_engine(1))
    assert Counter(again["status"])["reused"] == len(plan.jobs) > 10


def test_a_missing_shard_is_named(session: Path, put_shard: PutShard) -> None:
    put_shard(2, 3)

    assert "missing: shard 1/3, 3/3" in refusal(session)
    assert (session / "output" / "manifest.shard-2-of-3.parquet").exists()


def test_shards_of_different_plans_are_not_mixed(session: Path, put_shard: PutShard) -> None:
    put_shard(1, 2)
    cut_shard(planned(session, short_side=64), 2, 2)

    assert "the shards come from different plans" in refusal(session)


def test_shards_of_different_numbers_are_not_mixed(session: Path, put_shard: PutShard) -> None:
    put_shard(1, 2)
    put_shard(2, 3)

    assert "there are shards of 2 and of 3" in refusal(session)


def test_a_shard_that_has_not_come_to_its_end_is_not_merged(
    session: Path, put_shard: PutShard
) -> None:
    plan = planned(session)
    put_shard(1, 2)
    own, head = shard_of(plan, Shard(2, 2))
    with pytest.raises(KeyboardInterrupt):
        cut_plan(own, engine=_interrupted, shard=head)

    assert "shard 2/2 has clips that are not cut yet" in refusal(session)
    cut_shard(plan, 2, 2)
    with merging(session / "output") as merged:
        assert not (merged.table["status"] == "planned").any()


def _interrupted(_: object) -> object:
    raise KeyboardInterrupt


def test_a_clip_that_is_gone_stops_the_merge(session: Path, put_shard: PutShard) -> None:
    put_shard(1, 1)
    clip = next(iter(planned(session).jobs.values())).path
    clip.unlink()

    assert f"a clip of shard 1/1 is missing or has changed ({clip})" in refusal(session)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 4000], ids=["empty", "short", "noise"])
def test_a_damaged_manifest_of_a_shard_is_named(
    session: Path, put_shard: PutShard, content: bytes
) -> None:
    put_shard(1, 2)
    (session / "output" / "manifest.shard-2-of-2.parquet").write_bytes(content)

    assert "the manifest of a shard cannot be read" in refusal(session)


def test_nothing_is_removed_when_the_rest_cannot_be_written(
    session: Path, put_shard: PutShard
) -> None:
    put_shard(1, 1)

    with pytest.raises(OutputError, match="disk"), merging(session / "output"):
        raise OutputError("the disk is full")

    with merging(session / "output") as merged:
        assert len(merged.table)


def test_shards_reuse_what_shards_of_another_number_have_cut(
    session: Path, put_shard: PutShard
) -> None:
    plan = planned(session)
    cut = put_shard(1, 2)

    again = Counter[str]()
    for number in (1, 2, 3):
        again.update(cut_shard(plan, number, 3)["status"])

    assert again["reused"] == cut > 0
    assert again["cut"] == len(plan.jobs) - cut > 0


def test_clips_that_only_an_earlier_plan_had_stay_and_are_stale_after_the_merge(
    session: Path,
) -> None:
    earlier = cut_plan(planned(session, clip_seconds=6), engine=local_engine(1))
    for number in (1, 2):
        cut_shard(planned(session, year=2020), number, 2)

    with merging(session / "output") as merged:
        stale = merged.table[merged.table["status"] == "stale"]

    assert stale["clip"].tolist() == [clip for clip in earlier["clip"] if clip]
    assert all((session / "output" / clip).is_file() for clip in stale["clip"])


def test_a_shard_removes_its_own_unfinished_files_only(session: Path) -> None:
    plan = planned(session)
    mine, _ = shard_of(plan, Shard(1, 2))
    others, _ = shard_of(plan, Shard(2, 2))
    parts = [part_of(next(iter(own.jobs.values())).path) for own in (mine, others)]
    for part in parts:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text("half a clip")

    cut_shard(plan, 1, 2)

    assert [part.exists() for part in parts] == [False, True]


RUNS = {"all": None, "1/2": Shard(1, 2), "2/2": Shard(2, 2), "1/3": Shard(1, 3)}


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("1/2", "2/2", True),
        ("1/2", "1/2", False),
        ("1/2", "1/3", False),
        ("1/2", "all", False),
        ("all", "1/2", False),
        ("all", "all", False),
    ],
)
def test_only_shards_of_one_number_run_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str, allowed: bool
) -> None:
    monkeypatch.setattr("dogclips.clips.shards._WAIT_S", 0.05)
    refused: AbstractContextManager[object]
    refused = nullcontext() if allowed else pytest.raises(OutputError, match="another dogclips")
    with only_writer(tmp_path, RUNS[first]), refused, only_writer(tmp_path, RUNS[second]):
        pass

    with only_writer(tmp_path, RUNS[second]):  # once the first has ended
        pass


def test_nothing_is_pruned_where_nothing_is_stale(session: Path, put_shard: PutShard) -> None:
    plan = planned(session)
    put_shard(1, 1)
    cut_plan(plan, engine=local_engine(1))
    again = cut_plan(plan, engine=local_engine(1), prune=True)
    assert "stale" not in set(again["status"])
    assert Counter(again["status"])["reused"] == len(plan.jobs)


def test_a_plain_run_takes_over_what_shards_have_cut(session: Path, put_shard: PutShard) -> None:
    plan = planned(session)
    cut = put_shard(1, 2)

    table = cut_plan(plan, engine=local_engine(1))

    assert Counter(table["status"])["reused"] == cut > 0
    assert refusal(session).startswith("no shards to merge")
    manifest = read_manifest(session / "output")
    assert manifest is not None
    assert manifest.equals(table)


def test_a_recording_with_one_keyframe_is_cut_in_one_pass_after_its_first_minute(
    tmp_path: Path,
) -> None:
    base_dir = tmp_path / "2_2_kt"
    (base_dir / "video").mkdir(parents=True)
    options = {"preset": "ultrafast", "g": "10000", "sc_threshold": "0"}
    made = steady(480, Fraction(2), options=options)
    video = write_made(base_dir / "video" / "020500.mp4", made)
    write_project(base_dir, "0205", {video.name: [(0, 240, "0")]})
    plan = planned(base_dir, stride_seconds=4)

    units = plan_units(plan, {job.path for job in plan.jobs.values()})

    begins = [min(job.indices[0] for job in unit.jobs) / 2 for unit in units]
    assert begins == [0, 20, 40, 60]
    assert sum(len(unit.jobs) for unit in units) == 60
