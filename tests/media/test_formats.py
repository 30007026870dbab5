"""Formats beside MP4 and its like are read as their players show them, or refused by their name."""

import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from dogclips.demo.numbers import read_number
from dogclips.errors import MediaError
from dogclips.media.decoding import decode_wanted
from dogclips.media.encoding import EncoderConfig, cut_source
from dogclips.media.excerpt import Excerpt, Window
from dogclips.media.lanes import ClipJob
from dogclips.media.packets import open_clip
from dogclips.media.probe import probe_file
from dogclips.streams import StreamTable
from tests.odd_files import write_dav
from tests.probes import PROBES
from tests.videos import gray_of, numbers_in, steady, write_made

NUM_FRAMES, RATE = 120, 25
FILES: dict[str, tuple[str, ...]] = {
    "a.mxf": ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12"),
    "a.nut": ("-c:v", "libx264", "-bf", "2", "-g", "25"),
    "mpeg4.nut": ("-c:v", "mpeg4", "-q:v", "2"),
    "a.y4m": (),
    "a.mjpeg": ("-c:v", "mjpeg", "-q:v", "2"),
    # FFmpeg 5 and 8 count its time in different ticks.
    "a.dv": ("-vf", "scale=1024:576,crop=720:576:0:0", "-c:v", "dvvideo", "-pix_fmt", "yuv420p"),
    "a.MJPG": ("-f", "mjpeg", "-c:v", "mjpeg", "-q:v", "2"),
}
OTHERS: dict[str, tuple[tuple[str, ...], str]] = {
    "a.gif": ((), "format gif is not read"),
    "a.gxf": (("-s", "720x576", "-c:v", "mpeg2video", "-frames:v", "9"), "format gxf is not read"),
    "a.wtv": (("-c:v", "mpeg2video"), "format wtv is not read"),
    "a.ivf": (("-c:v", "libvpx", "-frames:v", "5"), "format ivf is not read"),
    "a.swf": (("-c:v", "flv1", "-frames:v", "9"), "format swf is not read"),
    "a.rm": (("-s", "176x144", "-c:v", "rv10"), "format rm is not read"),
    "a.jpg": (("-frames:v", "1"), "a picture, not a video"),
    "a.png": (("-frames:v", "1"), "a picture, not a video"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a recording of each format, all with the same numbered frames."""
    folder = tmp_path_factory.mktemp("formats")
    source = write_made(folder / "source.mkv", steady(NUM_FRAMES, Fraction(RATE)))
    for name, arguments in FILES.items():
        converted(source, folder / name, arguments)
    write_dav(folder / "a.dav", source, RATE)
    return folder


def converted(source: Path, target: Path, arguments: Sequence[str]) -> Path:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(source), *arguments]
    subprocess.run([*command, str(target)], check=True, timeout=60)
    return target


@pytest.mark.parametrize("measure", PROBES)
@pytest.mark.parametrize("name", [*FILES, "a.dav"])
def test_every_frame_of_a_format_is_counted_and_shown_at_its_time(
    made: Path, name: str, measure: Callable[[Path], StreamTable]
) -> None:
    stream = measure(made / name).cameras[0]

    assert stream.num_frames == NUM_FRAMES
    assert {int(step) * stream.time_base for step in np.diff(stream.pts)} == {Fraction(1, RATE)}


@pytest.mark.parametrize("measure", PROBES)
@pytest.mark.parametrize("name", [*FILES, "a.dav"])
def test_a_clip_of_a_format_holds_the_planned_frames_cut_or_read_in_place(
    made: Path, tmp_path: Path, name: str, measure: Callable[[Path], StreamTable]
) -> None:
    stream = measure(made / name).cameras[0]
    planned = range(70, 95)
    job = ClipJob(
        tmp_path / "clip.mp4",
        indices=tuple(planned),
        pts=tuple(range(len(planned))),
        time_base=1 / stream.frame_rate,
        frame_rate=stream.frame_rate,
        size=(stream.width, stream.height),  # numbers are read where they were painted
    )

    outcomes = list(cut_source(made / name, stream, [job], EncoderConfig(preset="ultrafast")))

    assert [outcome.error for outcome in outcomes] == [None]
    assert numbers_in(job.path) == [*planned]
    first, last = int(stream.pts[planned[0]]), int(stream.pts[planned[-1]])
    window = Window(
        first, last, len(planned), Fraction(RATE), first * stream.time_base, timing="grid"
    )
    with open_clip(Excerpt(made / name, stream.index, window)) as clip:
        frames = dict(decode_wanted(clip, clip.times.pts.tolist()))
    read = [read_number(gray_of(frames[time])) for time in clip.times.pts.tolist()]
    assert read == [*planned]


@pytest.mark.parametrize("measure", PROBES)
@pytest.mark.parametrize(("name", "other"), OTHERS.items(), ids=OTHERS)
def test_a_format_that_is_not_read_is_refused_by_its_name(
    made: Path,
    tmp_path: Path,
    name: str,
    other: tuple[tuple[str, ...], str],
    measure: Callable[[Path], StreamTable],
) -> None:
    arguments, what = other
    path = converted(made / "source.mkv", tmp_path / name, arguments)

    with pytest.raises(MediaError, match=what) as refused:
        measure(path)

    assert refused.value.todo


@pytest.mark.parametrize("measure", PROBES)
def test_a_rate_that_is_only_assumed_is_said(
    made: Path, measure: Callable[[Path], StreamTable]
) -> None:
    codes = {name: [m.code for m in measure(made / name).messages] for name in ("a.mjpeg", "a.y4m")}

    assert codes == {"a.mjpeg": ["P040"], "a.y4m": []}


@pytest.mark.parametrize("name", ["a.gif", "a.gxf", "a.wtv", "a.ivf", "a.rm", "a.swf"])
def test_the_advice_for_a_format_that_is_not_read_makes_one_that_is(
    made: Path, tmp_path: Path, name: str
) -> None:
    other = converted(made / "source.mkv", tmp_path / name, OTHERS[name][0])
    with pytest.raises(MediaError) as refused:
        probe_file(other)

    command = refused.value.todo.split("`")[1].replace("NEW", "new")
    subprocess.run([*command.split(), "-nostdin"], check=True, timeout=60, cwd=tmp_path)

    with av.open(str(other)) as container:
        count = sum(1 for packet in container.demux(video=0) if packet.size)
    [stream] = probe_file(tmp_path / "new.mkv").cameras
    assert stream.num_frames == count
