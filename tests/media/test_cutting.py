"""Every frame of a cut clip is the one that was asked for."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from dogclips.errors import MediaError
from dogclips.media.display import output_size
from dogclips.media.encoding import ClipOutcome, EncoderConfig, cut_source, verify_clip
from dogclips.media.lanes import ClipJob
from dogclips.media.probe import probe_file
from dogclips.media.pyavprobe import probe_with_pyav
from dogclips.streams import Stream
from tests.videos import Made, numbers_in, steady, write_made


def job_for(path: Path, stream: Stream, first: int, count: int, **more: object) -> ClipJob:
    rate = stream.frame_rate or Fraction(20)
    settings = {
        "indices": tuple(range(first, first + count)),
        "pts": tuple(range(count)),
        "time_base": 1 / rate,
        "frame_rate": rate,
        "size": output_size(stream, None),
    }
    return ClipJob(path, **(settings | more))  # type: ignore[arg-type]


def cut(source: Path, stream: int, *jobs: ClipJob) -> list[ClipOutcome]:
    measured = probe_file(source).streams[stream]
    return list(cut_source(source, measured, jobs, EncoderConfig(preset="ultrafast")))


SOURCES = {
    "plain": ("plain.mp4", steady(200)),
    "long groups with b-frames": (
        "b.mp4",
        steady(200, options={"preset": "veryfast", "bf": "3", "g": "250"}),
    ),
    "open groups": (
        "open.mkv",
        steady(
            200, options={"preset": "veryfast", "bf": "3", "g": "20", "x264-params": "open-gop=1"}
        ),
    ),
    "late start": ("late.mp4", steady(200, first=10, late=10)),
    "avi with b-frames": ("b.avi", steady(200, codec="mpeg4", options={"bf": "2", "b": "4M"})),
    "transport stream": ("s.ts", steady(200, codec="mpeg2video", options={"b": "4M", "bf": "2"})),
    "hevc": (
        "h.mp4",
        steady(200, codec="libx265", options={"preset": "ultrafast", "x265-params": "log-level=1"}),
    ),
    "vp9": ("v.webm", steady(200, codec="libvpx-vp9", options={"cpu-used": "8", "b": "2M"})),
    "milliseconds at 29.97": ("ntsc.mkv", steady(200, Fraction(30000, 1001))),
}


@pytest.mark.parametrize(("name", "made"), SOURCES.values(), ids=SOURCES)
def test_clips_hold_exactly_the_planned_frames(tmp_path: Path, name: str, made: Made) -> None:
    source = write_made(tmp_path / name, made)
    stream = probe_file(source).streams[0]
    numbers = list(made.times)
    jobs = [job_for(tmp_path / f"{first}.mp4", stream, first, 80) for first in (0, 37, 80, 120)]

    outcomes = cut(source, 0, *jobs)

    assert [outcome.error for outcome in outcomes] == [None] * 4
    for job in jobs:
        first = job.indices[0]
        assert numbers_in(job.path) == numbers[first : first + 80]


def test_the_named_stream_is_cut_not_the_one_a_reader_would_pick(tmp_path: Path) -> None:
    small = steady(120, width=128, height=72)
    large = steady(110, first=10, late=10, width=256, height=144)
    source = write_made(tmp_path / "two.mp4", small, large)
    stream = probe_file(source).streams[1]
    job = job_for(tmp_path / "clip.mp4", stream, 0, 80)

    cut(source, 1, job)

    assert numbers_in(job.path) == list(range(10, 90))


def test_a_clip_needs_no_edit_list_and_starts_at_zero(tmp_path: Path) -> None:
    source = write_made(tmp_path / "plain.mp4", steady(120))
    job = job_for(tmp_path / "clip.mp4", probe_file(source).streams[0], 17, 80)

    cut(source, 0, job)

    with av.open(str(job.path), options={"ignore_editlist": "1"}) as container:
        pts = [packet.pts for packet in container.demux(video=0) if packet.size]
        tick = container.streams.video[0].time_base
    assert [time * tick for time in pts] == [Fraction(k, 20) for k in range(80)]
    assert b"elst" not in job.path.read_bytes()


def test_frames_shown_longer_are_repeated(tmp_path: Path) -> None:
    source = write_made(tmp_path / "plain.mp4", steady(40))
    indices = (3, 3, 4, 6, 6, 6, 9)
    job = job_for(
        tmp_path / "clip.mp4",
        probe_file(source).streams[0],
        0,
        7,
        indices=indices,
        pts=tuple(range(7)),
    )

    cut(source, 0, job)

    assert numbers_in(job.path) == list(indices)


def test_pictures_are_scaled_with_their_aspect(tmp_path: Path) -> None:
    source = write_made(tmp_path / "plain.mp4", steady(40, width=320, height=180))
    stream = probe_file(source).streams[0]
    job = job_for(tmp_path / "clip.mp4", stream, 0, 20, size=output_size(stream, 72))

    cut(source, 0, job)

    clip = probe_file(job.path).streams[0]
    assert (clip.width, clip.height) == (128, 72)
    assert numbers_in(job.path) == list(range(20))


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_rotated_pictures_become_upright(tmp_path: Path, degrees: int) -> None:
    plain = write_made(tmp_path / "plain.mp4", steady(30, width=256, height=144))
    turned = tmp_path / "turned.mp4"
    with av.open(str(plain)) as source, av.open(str(turned), "w") as copy:
        track = copy.add_stream_from_template(source.streams.video[0])
        track.set_display_rotation(degrees)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                copy.mux(packet)
    stream = probe_file(turned).streams[0]
    job = job_for(tmp_path / "clip.mp4", stream, 0, 30)
    # What a player shows: the frame turned counter-clockwise by the display rotation.
    expected = [frame.to_ndarray(format="gray") for frame in av.open(str(plain)).decode(video=0)]

    [outcome] = cut(turned, 0, job)

    assert stream.rotation == degrees
    assert outcome.error is None
    shown = [frame.to_ndarray(format="gray") for frame in av.open(str(job.path)).decode(video=0)]
    for before, after in zip(expected, shown, strict=True):
        upright = np.rot90(before, degrees // 90)
        assert after.shape == upright.shape
        assert abs(after.astype(float) - upright.astype(float)).mean() < 6


def test_a_source_that_ends_early_fails_with_a_reason_and_leaves_nothing(tmp_path: Path) -> None:
    source = write_made(tmp_path / "plain.mkv", steady(200))
    stream = probe_file(source).streams[0]
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    whole, cut_off = (
        job_for(tmp_path / "out" / name, stream, first, 60)
        for name, first in (("a.mp4", 0), ("b.mp4", 130))
    )
    whole.path.parent.mkdir()

    first, second = list(cut_source(source, stream, [whole, cut_off], EncoderConfig()))

    assert first.error is None
    assert second.error is not None
    assert [path.name for path in whole.path.parent.iterdir()] == ["a.mp4"]


def test_times_that_no_clip_can_have_cost_their_own_clip_only(tmp_path: Path) -> None:
    source = write_made(tmp_path / "source.mp4", steady(40))
    stream = probe_file(source).streams[0]
    odd = job_for(tmp_path / "odd.mp4", stream, 0, 10, pts=(0, 1, 2, 3, 2, 5, 6, 7, 8, 9))
    sound = job_for(tmp_path / "sound.mp4", stream, 20, 10)

    outcomes = {outcome.path.stem: outcome for outcome in cut(source, 0, odd, sound)}

    assert "frame 4 of the clip cannot be stored at its time" in str(outcomes["odd"].error)
    assert outcomes["sound"].error is None
    assert numbers_in(sound.path) == list(range(20, 30))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sound.mp4", "source.mp4"]


def test_closing_the_iterator_leaves_no_unfinished_file(tmp_path: Path) -> None:
    source = write_made(tmp_path / "plain.mp4", steady(200))
    stream = probe_file(source).streams[0]
    out = tmp_path / "out"
    out.mkdir()
    jobs = [job_for(out / f"{first}.mp4", stream, first, 80) for first in (0, 40)]
    outcomes = cut_source(source, stream, jobs, EncoderConfig())
    next(outcomes)

    outcomes.close()  # type: ignore[attr-defined]

    assert [path.name for path in out.iterdir()] == ["0.mp4"]


def test_a_clip_that_differs_from_its_plan_does_not_verify(tmp_path: Path) -> None:
    source = write_made(tmp_path / "plain.mp4", steady(120))
    stream = probe_with_pyav(source).streams[0]
    job = job_for(tmp_path / "clip.mp4", stream, 0, 80)
    cut(source, 0, job)
    shifted = tuple(k + 1 for k in range(80))

    assert verify_clip(job.path, job) is None
    for wrong, reason in (
        (job_for(job.path, stream, 0, 79), "80 frames, not 79"),
        (job_for(job.path, stream, 0, 80, pts=shifted), "planned times"),
        (job_for(job.path, stream, 0, 80, size=(64, 36)), "not 64x36"),
    ):
        assert reason in str(verify_clip(job.path, wrong))


def test_full_range_colours_keep_their_brightness(tmp_path: Path) -> None:
    source = write_made(tmp_path / "phone.mp4", steady(20, pixel_format="yuvj420p"))
    job = job_for(tmp_path / "clip.mp4", probe_file(source).streams[0], 0, 20)

    cut(source, 0, job)

    before, after = (
        np.array([frame.to_ndarray(format="rgb24") for frame in av.open(str(path)).decode(video=0)])
        for path in (source, job.path)
    )
    with av.open(str(job.path)) as container:
        frame = next(container.decode(video=0))
        assert frame.format.name == "yuv420p"
        assert frame.color_range != 2  # full; H.264 need not say that it is limited
    assert abs(float(before.mean()) - float(after.mean())) < 1
    assert np.abs(before.astype(float) - after).mean() < 4


def test_a_stream_whose_size_nobody_knows_is_not_cut() -> None:
    unknown = Stream(1, "video", "h264", Fraction(1, 90000), [], 0, 0)

    with pytest.raises(MediaError, match=r"the size of its frames is unknown.* \(stream 1\)"):
        output_size(unknown, None)
