"""Every oddity of a file is named by its code, whichever probe reads it; plain files have none."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from dogclips.alignment import StreamChoice, align_streams
from dogclips.clips.probed import probe_document
from dogclips.clips.recordings import measure_recordings
from dogclips.streams import StepBack, StreamTable
from tests.probes import PROBES
from tests.videos import Made, steady, write_made

B_FRAMES = {"preset": "veryfast", "bf": "2", "b-adapt": "0"}
NO_DELAY = {"preset": "ultrafast", "tune": "zerolatency"}
MILLISECOND = Fraction(1, 1000)

Probe = Callable[..., StreamTable]


def sound_frames(container: av.container.OutputContainer, codec: str) -> Iterator[av.Packet]:
    """Yield two seconds of silence; the encoder puts its priming before 0."""
    stream = container.add_stream(codec, rate=48_000, layout="mono")
    for number in range(96):
        samples = np.zeros((1, 1000), np.float32 if codec == "aac" else np.int16)
        layout = {"format": "fltp" if codec == "aac" else "s16", "layout": "mono"}
        frame = av.AudioFrame.from_ndarray(samples, **layout)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 1000 * number, Fraction(1, 48_000)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def remuxed(
    source: Path,
    path: Path,
    *,
    times: Callable[[int, int], int] = lambda _, time: time,
    sound: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Copy a video's packets; packet `number` with time t goes to `times(number, t)`."""
    with av.open(str(source)) as old, av.open(str(path), "w", options=options or {}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        packets = list(sound_frames(new, sound)) if sound else []
        for number, packet in enumerate(p for p in old.demux() if p.size):
            packet.pts = times(number, packet.pts)
            packet.dts = times(number, packet.dts)
            packet.stream = stream
            packets.append(packet)
        new.mux(packets)
    return path


def plain(folder: Path) -> Path:
    return write_made(folder / "plain.mp4", steady(40))


def with_sound(folder: Path) -> Path:
    return remuxed(plain(folder), folder / "sound.mp4", sound="aac")


def with_b_frames(folder: Path) -> Path:
    return write_made(folder / "b.mp4", steady(40, options=B_FRAMES))


def without_video(folder: Path) -> Path:
    path = folder / "sound.mp4"
    with av.open(str(path), "w") as container:
        container.mux(list(sound_frames(container, "aac")))
    return path


def with_cover(folder: Path) -> Path:
    path = folder / "cover.mp4"
    with av.open(str(plain(folder))) as old, av.open(str(path), "w") as new:
        video = new.add_stream_from_template(old.streams.video[0])
        cover = new.add_stream("mjpeg", width=64, height=64, pix_fmt="yuvj420p")
        cover.disposition = Disposition.attached_pic
        gray = av.VideoFrame.from_ndarray(np.full((96, 64), 128, np.uint8), format="yuvj420p")
        new.mux(cover.encode(gray) + cover.encode(None))
        for packet in old.demux():
            if packet.size:
                packet.stream = video
                new.mux(packet)
    return path


def starting_late(folder: Path) -> Path:
    return write_made(folder / "late.mkv", steady(40, late=200), steady(40, late=210))


def without_edit_list(folder: Path) -> Path:
    return remuxed(with_b_frames(folder), folder / "delay.mp4", options={"use_editlist": "0"})


def with_priming(folder: Path) -> Path:
    return remuxed(plain(folder), folder / "priming.mkv", sound="libopus")


def with_priming_of_aac(folder: Path) -> Path:
    source = write_made(folder / "plain.mkv", steady(40))
    return remuxed(source, folder / "priming.mkv", sound="aac")


def cut_within_a_group(folder: Path) -> Path:
    """Packets before 0 are needed to decode what is shown: an edit list hides them."""
    return remuxed(with_b_frames(folder), folder / "cut.mp4", times=lambda _, time: time - 5 * 512)


def of_variable_rate(folder: Path) -> Path:
    times = {k: 50 * k + (k * k * 7) % 23 for k in range(40)}
    return write_made(folder / "vfr.mp4", Made(times, MILLISECOND))


def with_a_hole(folder: Path) -> Path:
    times = {k: k for k in range(40) if not 20 <= k < 23}
    return write_made(folder / "hole.mp4", Made(times, Fraction(1, 20)))


def with_a_long_hole(folder: Path) -> Path:
    times = {k: k + (600 if k >= 20 else 0) for k in range(80)}
    return write_made(folder / "hole.mp4", Made(times, Fraction(1, 20)))


def a_frame_every_other_minute(folder: Path) -> Path:
    return write_made(folder / "lapse.mp4", steady(12, Fraction(1, 120)))


def without_timestamps(folder: Path) -> Path:
    return remuxed(plain(folder), folder / "raw.h264")


def cut_short(folder: Path) -> Path:
    whole = remuxed(plain(folder), folder / "whole.mp4", options={"movflags": "faststart"})
    path = folder / "short.mp4"
    data = whole.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 8])
    return path


def avi(folder: Path) -> Path:
    return write_made(folder / "plain.avi", steady(40, codec="mpeg4", options={}))


def with_repeated_times(folder: Path) -> Path:
    source = write_made(folder / "plain.mkv", steady(40))
    held = {10: 9, 20: 19}
    return remuxed(
        source, folder / "repeat.mkv", times=lambda number, _: 50 * held.get(number, number)
    )


def takes(folder: Path, second: int) -> Path:
    """Two transport streams end to end; the clock of the second starts so many milliseconds on."""
    path = folder / "takes.ts"
    data = b""
    for start in (0, second):
        times = {k: start + 50 * k for k in range(40)}
        part = folder / f"{start}.ts"
        data += write_made(part, Made(times, MILLISECOND, options=NO_DELAY)).read_bytes()
    path.write_bytes(data)
    return path


def stepping_back(folder: Path) -> Path:
    return takes(folder, 1823)


def restarting(folder: Path) -> Path:
    return takes(folder, 7)


def jumping_ahead(folder: Path) -> Path:
    # The clock was set by an hour, not by a whole number of frames.
    times = {k: 50 * k + (3_600_013 if k >= 20 else 0) for k in range(40)}
    return write_made(folder / "jump.mp4", Made(times, MILLISECOND))


NOTHING = [
    pytest.param(plain, id="one stream"),
    pytest.param(with_sound, id="with AAC sound"),
    pytest.param(with_b_frames, id="with B-frames"),
    pytest.param(a_frame_every_other_minute, id="time lapse"),
]

ODD = {
    "sound alone": (without_video, "P002 warning", "no video stream"),
    "a cover": (with_cover, "P003 note", "stream 1: an attached picture, not a camera"),
    "a late file": (starting_late, "P004 note", "the whole file starts at 10.0 s"),
    "B-frames without an edit list": (
        without_edit_list,
        "P005 note",
        "stream 0: the picture starts 0.1 s late, its B-frame delay of 2 frames",
    ),
    "Opus priming before 0": (with_priming, "P006 note", "stream 1: sound starts 0.007 s before"),
    "AAC priming before 0": (with_priming_of_aac, "P006 note", "stream 1: sound starts 0.021 s"),
    "a copy-cut": (cut_within_a_group, "P007 note", "stream 0: an edit list hides 5 frames"),
    "a variable rate": (of_variable_rate, "P013 note", "stream 0: variable frame rate"),
    "a hole": (with_a_hole, "P036 note", "1 picture held for longer than a frame, the longest"),
    "half a minute missing": (with_a_long_hole, "P036 warning", "the longest for 30.05 s at 0.95"),
    "no timestamps": (without_timestamps, "P016 warning", "stream 0: no timestamps"),
    "a file cut short": (cut_short, "P017 warning", "stream 0: 40 frames claimed, 3"),
    "AVI": (avi, "P018 note", "stream 0: no presentation times"),
    "repeated timestamps": (with_repeated_times, "P020 warning", "2 timestamps repeated"),
    "a step back": (stepping_back, "P022 warning", "stream 0: the clock steps back once by up to"),
    "a restart": (restarting, "P023 warning", "stream 0: the clock restarts once"),
    "a jump": (jumping_ahead, "P024 warning", "the clock jumps ahead once, the first time to 3601"),
}


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("make", NOTHING)
def test_nothing_is_said_of_a_plain_file(
    tmp_path: Path, make: Callable[[Path], Path], probe: Probe
) -> None:
    assert probe(make(tmp_path)).messages == ()


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize(("make", "code_and_level", "text"), ODD.values(), ids=ODD)
def test_an_oddity_is_named_by_its_code_and_nothing_else_is(
    tmp_path: Path,
    make: Callable[[Path], Path],
    code_and_level: str,
    text: str,
    probe: Probe,
) -> None:
    [message] = probe(make(tmp_path)).messages

    assert f"{message.code} {message.level}" == code_and_level
    assert text in message.text
    assert "\n" not in message.text


def test_a_file_that_cannot_be_opened_is_an_error_with_a_code(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("walk, run\n" * 200)

    [recording] = measure_recordings([path], [StreamChoice()]).values()

    assert [message.code for message in recording.messages] == ["P001"]
    assert recording.status == "error"


def test_notes_leave_a_file_ok_and_warnings_do_not(tmp_path: Path) -> None:
    paths = [of_variable_rate(tmp_path), with_a_long_hole(tmp_path)]

    files = measure_recordings(paths, [StreamChoice()]).values()

    assert [file.status for file in files] == ["ok", "warning"]
    said = [file["messages"][0] for file in probe_document(list(files))["files"]]
    assert [message["level"] for message in said] == ["note", "warning"]


@pytest.mark.parametrize("probe", PROBES)
def test_frames_that_do_not_decode_are_counted_when_asked(tmp_path: Path, probe: Probe) -> None:
    path = write_made(tmp_path / "whole.mkv", steady(40, codec="mpeg4", options={"g": "10"}))
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux() if packet.size]
    data[places[20] + 8 : places[22]] = bytes(places[22] - places[20] - 8)
    path.write_bytes(data)

    assert "P019" not in {message.code for message in probe(path).messages}
    assert "P019" in {message.code for message in probe(path, deep=True).messages}


@pytest.mark.parametrize("probe", PROBES)
def test_a_jump_of_the_clock_breaks_windows_and_leaves_the_rate_alone(
    tmp_path: Path, probe: Probe
) -> None:
    [stream] = probe(jumping_ahead(tmp_path)).streams

    assert (stream.frame_rate, stream.variable_frame_rate) == (20, False)
    assert [(gap.jump, gap.at_s) for gap in stream.gaps] == [(True, Fraction(3_601_013, 1000))]


@pytest.mark.parametrize("probe", PROBES)
def test_where_the_clock_steps_back_is_measured(tmp_path: Path, probe: Probe) -> None:
    [back] = probe(stepping_back(tmp_path)).streams[0].steps_back
    [anew] = probe(restarting(tmp_path)).streams[0].steps_back

    assert back == StepBack(Fraction(1950, 1000), Fraction(1823, 1000), restart=False)
    assert anew == StepBack(Fraction(1950, 1000), Fraction(7, 1000), restart=True)


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_programmes_with_unrelated_clocks_are_never_corrected(tmp_path: Path, probe: Probe) -> None:
    source = write_made(tmp_path / "one.ts", steady(40, codec="mpeg2video", options={"bf": "0"}))
    path = tmp_path / "two.ts"
    inputs = ["-i", str(source), "-itsoffset", "18000", "-i", str(source)]
    programmes = ["-program", "st=0", "-program", "st=1"]
    command = ["ffmpeg", "-v", "error", *inputs, "-map", "0", "-map", "1", "-c", "copy", "-copyts"]
    subprocess.run([*command, *programmes, str(path)], check=True, stdin=subprocess.DEVNULL)

    first, second = probe(path).cameras
    alignment = align_streams(first, second)

    assert (second.start_s or 0) - (first.start_s or 0) == 18_000
    assert [message.code for message in alignment.messages] == ["P014"]
    assert not alignment.trusted
