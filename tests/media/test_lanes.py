"""Clips that overlap share an encoder, and nobody can tell from the clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.media import encoding
from dogclips.media.display import output_size
from dogclips.media.encoding import EncoderConfig, LaneWriter, cut_source
from dogclips.media.lanes import ClipJob, plan_lanes
from dogclips.media.probe import probe_file
from dogclips.streams import Stream
from tests.videos import numbers_in, steady, write_made


@dataclass(frozen=True)
class Job:
    indices: tuple[int, ...]


def in_order(jobs: Sequence[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.indices[0])


CONTIGUOUS = st.builds(
    lambda first, count: Job(tuple(range(first, first + count))),
    st.integers(0, 60),
    st.integers(1, 40),
)
# As a rate is made of another: frames repeat or are left out, evenly.
RESAMPLED = st.builds(
    lambda first, count, tenths: Job(tuple(first + tenths * k // 10 for k in range(count))),
    st.integers(0, 60),
    st.integers(1, 40),
    st.integers(3, 25),
)
ANY = st.builds(
    lambda indices: Job(tuple(sorted(indices))),
    st.lists(st.integers(0, 30), min_size=1, max_size=12),
)
JOBS = st.lists(CONTIGUOUS | RESAMPLED | ANY, min_size=1, max_size=12).map(in_order)


@given(JOBS, st.booleans())
def test_every_job_finds_exactly_its_frames_in_one_lane(jobs: list[Job], share: bool) -> None:
    lanes = plan_lanes(jobs, share=share)

    assert sorted(id(job) for lane in lanes for job in lane.jobs) == sorted(map(id, jobs))
    for lane in lanes:
        for start, job in zip(lane.starts, lane.jobs, strict=True):
            assert tuple(lane.indices[start : start + len(job.indices)]) == job.indices


@given(JOBS, st.booleans())
def test_a_lane_holds_nothing_but_its_jobs_in_the_order_of_the_source(
    jobs: list[Job], share: bool
) -> None:
    for lane in plan_lanes(jobs, share=share):
        assert lane.indices == sorted(lane.indices)
        assert lane.starts == sorted(lane.starts)
        spans = zip(lane.starts, lane.jobs, strict=True)
        held = {k for start, job in spans for k in range(start, start + len(job.indices))}
        assert held == set(range(len(lane.indices)))


@given(st.lists(CONTIGUOUS, min_size=1, max_size=12).map(in_order))
def test_clips_without_holes_share_one_lane_that_holds_no_frame_twice(jobs: list[Job]) -> None:
    [lane] = plan_lanes(jobs)

    assert lane.jobs == jobs
    assert lane.indices == sorted({index for job in jobs for index in job.indices})


@given(JOBS)
def test_unshared_lanes_have_one_job_each(jobs: list[Job]) -> None:
    lanes = plan_lanes(jobs, share=False)

    assert [lane.indices for lane in lanes] == [list(job.indices) for job in jobs]
    assert [lane.starts for lane in lanes] == [[0]] * len(jobs)
    assert [lane.jobs for lane in lanes] == [[job] for job in jobs]


@given(
    st.integers(0, 50),
    st.integers(5, 40),
    st.integers(1, 40),
    st.integers(2, 6),
    st.sampled_from([(5, 4), (1, 2), (3, 2), (6, 5)]),
)
def test_resampled_clips_on_one_grid_share_a_lane(
    first: int, count: int, stride: int, number: int, step: tuple[int, int]
) -> None:
    # Windows a whole number of clip frames apart show the same source frames where they overlap.
    grid = [first + k * step[0] // step[1] for k in range(number * stride + count)]
    jobs = [Job(tuple(grid[n * stride : n * stride + count])) for n in range(number)]

    [lane] = plan_lanes(in_order(jobs))

    # Clips that only touch may share a repeated frame on top of what they must.
    covered = {n * stride + k for n in range(number) for k in range(count)}
    assert len(covered) - number < len(lane.indices) <= len(covered)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made(tmp_path_factory.mktemp("source") / "plain.mp4", steady(140))


def jobs_at(folder: Path, stream: Stream, starts: Sequence[int], count: int = 40) -> list[ClipJob]:
    folder.mkdir(exist_ok=True)
    rate = stream.frame_rate or Fraction(20)
    return [
        ClipJob(
            path=folder / f"{start}.mp4",
            indices=tuple(range(start, start + count)),
            pts=tuple(range(count)),
            time_base=1 / rate,
            frame_rate=rate,
            size=output_size(stream, None),
        )
        for start in starts
    ]


OVERLAPPING = (0, 10, 20, 25, 90)


def packets_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def keyframes_of(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [place for place, packet in enumerate(packets) if packet.is_keyframe]


def test_overlapping_clips_are_encoded_once(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int | None] = []

    class Watched(LaneWriter):
        def write(self, picture: av.VideoFrame):  # type: ignore[no-untyped-def]
            encoded.append(self.next_index)
            return super().write(picture)

    monkeypatch.setattr(encoding, "LaneWriter", Watched)
    stream = probe_file(source).streams[0]
    jobs = jobs_at(tmp_path / "out", stream, OVERLAPPING)

    outcomes = list(cut_source(source, stream, jobs, EncoderConfig()))

    assert [outcome.error for outcome in outcomes] == [None] * len(jobs)
    assert encoded == [*range(65), *range(90, 130)]


def test_frames_that_clips_share_have_the_same_bytes_in_each(source: Path, tmp_path: Path) -> None:
    stream = probe_file(source).streams[0]
    jobs = jobs_at(tmp_path / "out", stream, OVERLAPPING)

    list(cut_source(source, stream, jobs, EncoderConfig()))

    for job, later in pairwise(jobs[:4]):
        apart = later.indices[0] - job.indices[0]
        assert packets_of(job.path)[apart:] == packets_of(later.path)[:-apart]
        # A clip begins with a keyframe, and so does every other clip that begins within it.
        assert {0, apart} <= set(keyframes_of(job.path))
    for job in jobs:
        assert numbers_in(job.path) == list(job.indices)


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("wanted", [{0}, {2}, {1, 4}, {0, 1, 2, 3}], ids=str)
def test_a_clip_has_the_same_bytes_whichever_others_are_written(
    source: Path, tmp_path: Path, wanted: set[int], b_frames: int
) -> None:
    stream = probe_file(source).streams[0]
    encoder = EncoderConfig(b_frames=b_frames)
    whole = jobs_at(tmp_path / "whole", stream, OVERLAPPING)
    some = jobs_at(tmp_path / "some", stream, OVERLAPPING)
    list(cut_source(source, stream, whole, encoder))

    paths = {some[number].path for number in wanted}
    outcomes = list(cut_source(source, stream, some, encoder, paths))

    assert {outcome.path for outcome in outcomes} == paths
    assert set((tmp_path / "some").iterdir()) == paths
    for number in wanted:
        assert some[number].path.read_bytes() == whole[number].path.read_bytes()


def test_clips_are_the_same_in_whatever_order_they_are_named(source: Path, tmp_path: Path) -> None:
    stream = probe_file(source).streams[0]
    one = jobs_at(tmp_path / "one", stream, OVERLAPPING)
    other = jobs_at(tmp_path / "other", stream, OVERLAPPING[::-1])

    for jobs in (one, other):
        list(cut_source(source, stream, jobs, EncoderConfig()))

    for job in one:
        assert job.path.read_bytes() == (tmp_path / "other" / job.path.name).read_bytes()
