"""Both probes measure the same, and what they measure is what was made."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from dogclips.errors import MediaError, ToolMissingError
from dogclips.media.ffprobe import is_installed, probe_with_ffprobe, time_limit_s
from dogclips.media.pictures import Packets
from dogclips.media.probe import probe_file, probe_many
from dogclips.media.pyavprobe import probe_with_pyav
from dogclips.streams import StreamTable
from tests.videos import Made, facts, steady, write_made

needs_ffprobe = pytest.mark.skipif(not is_installed(), reason="ffprobe is not installed")

TWO_STREAMS = (
    steady(79, width=128, height=72),
    steady(69, first=10, late=10, width=256, height=144),
)


MADE = {
    "two streams, one late, mp4": ("two.mp4", TWO_STREAMS),
    "two streams, one late, mkv": ("two.mkv", TWO_STREAMS),
    "29.97 fps in milliseconds": ("ntsc.mkv", (steady(90, Fraction(30000, 1001)),)),
    "b-frames": ("b.mp4", (steady(60, options={"preset": "medium", "bf": "3"}),)),
    "avi without presentation times": (
        "b.avi",
        (steady(60, codec="mpeg4", options={"bf": "2"}),),
    ),
    "transport stream": ("plain.ts", (steady(60, codec="mpeg2video", options={}),)),
    "variable rate": (
        "vfr.mp4",
        (Made({k: 50 * k + (k * k * 7) % 23 for k in range(60)}, Fraction(1, 1000)),),
    ),
}


@needs_ffprobe
@pytest.mark.parametrize(("name", "streams"), MADE.values(), ids=MADE)
def test_ffprobe_and_pyav_agree_on_made_files(
    tmp_path: Path, name: str, streams: tuple[Made, ...]
) -> None:
    path = write_made(tmp_path / name, *streams)

    assert facts(probe_with_ffprobe(path)) == facts(probe_with_pyav(path))


def test_the_late_stream_is_measured_to_the_frame(tmp_path: Path) -> None:
    path = write_made(tmp_path / "two.mp4", *TWO_STREAMS)

    small, large = probe_file(path).streams

    assert (small.num_frames, small.start_s, small.frame_rate) == (79, 0, 20)
    assert (large.num_frames, large.start_s, large.frame_rate) == (69, Fraction(1, 2), 20)
    assert small.end_s == large.end_s == Fraction(79, 20)


def test_a_gap_is_counted_and_placed(tmp_path: Path) -> None:
    times = {k: k for k in range(60) if not 20 <= k < 23}
    path = write_made(tmp_path / "gap.mp4", Made(times, Fraction(1, 20)))

    [stream] = probe_file(path).streams

    assert stream.frame_rate == 20
    assert [(gap.at_s, gap.missing) for gap in stream.gaps] == [(Fraction(23, 20), 3)]
    assert "P036" in {message.code for message in probe_file(path).messages}


@needs_ffprobe
@pytest.mark.parametrize("measure", [probe_with_ffprobe, probe_with_pyav])
def test_deep_counts_what_really_decodes(tmp_path: Path, measure: Any) -> None:
    path = write_made(tmp_path / "plain.mp4", steady(30))

    [stream] = measure(path, deep=True).streams

    assert stream.num_decoded == 30


@needs_ffprobe
@pytest.mark.parametrize("measure", [probe_with_ffprobe, probe_with_pyav])
def test_deep_decodes_neither_sound_nor_captions(tmp_path: Path, measure: Any) -> None:
    video = write_made(tmp_path / "plain.mp4", steady(30))
    captions, path = tmp_path / "captions.srt", tmp_path / "captions.mkv"
    captions.write_text("1\n00:00:00,500 --> 00:00:00,900\nsit\n")
    sound = ["-f", "lavfi", "-i", "sine=duration=1.5"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", video, "-i", captions, *sound]
    command += ["-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", path]
    subprocess.run(list(map(str, command)), check=True, timeout=60)

    streams = measure(path, deep=True).streams

    assert {(one.type, one.num_decoded) for one in streams} == {
        ("video", 30),
        ("subtitle", None),
        ("audio", None),
    }


@pytest.mark.parametrize("measure", [probe_with_ffprobe, probe_with_pyav])
def test_text_is_no_video(tmp_path: Path, measure: Any) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("walk, run\n" * 200)

    with pytest.raises(MediaError, match="cannot be opened as video"):
        measure(path)


@pytest.mark.parametrize("measure", [probe_with_ffprobe, probe_with_pyav])
@pytest.mark.parametrize("kind", ["hls", "concat"])
def test_a_playlist_in_disguise_opens_no_other_file(
    tmp_path: Path, measure: Any, kind: str
) -> None:
    secret = write_made(tmp_path / "secret.mp4", steady(20))
    disguised = tmp_path / "x.mp4"
    disguised.write_text(
        f"#EXTM3U\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"
        if kind == "hls"
        else f"ffconcat version 1.0\nfile {secret.name}\n"
    )

    with pytest.raises(MediaError):
        measure(disguised)


def test_a_name_that_looks_like_an_option_or_a_protocol_is_just_a_name(tmp_path: Path) -> None:
    plain = write_made(tmp_path / "plain.mp4", steady(20))
    for name in ("-i.mp4", "concat:a|b.mp4", "a b%20c.mp4", "http:x.mp4"):
        path = tmp_path / name
        path.write_bytes(plain.read_bytes())

        assert probe_file(path).streams[0].num_frames == 20
        assert probe_with_pyav(path).streams[0].num_frames == 20


def test_a_bad_file_stops_no_other(tmp_path: Path) -> None:
    good = write_made(tmp_path / "good.mp4", steady(20))

    missing, measured = probe_many([tmp_path / "missing.mp4", good])

    assert isinstance(missing, MediaError)
    assert isinstance(measured, StreamTable)
    assert measured.cameras[0].num_frames == 20


def test_many_files_are_measured_by_pyav_in_processes_as_well_as_in_one(tmp_path: Path) -> None:
    good = write_made(tmp_path / "two.mp4", *TWO_STREAMS)
    paths = [good, tmp_path / "missing.mp4", *[good] * 70]

    tables = probe_many(paths, reader="pyav")

    assert [isinstance(table, MediaError) for table in tables] == [False, True, *[False] * 70]
    assert facts(tables[-1]) == facts(probe_many([good], reader="pyav")[0])  # type: ignore[arg-type]


def test_the_reader_that_is_asked_for_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_made(tmp_path / "two.mp4", *TWO_STREAMS)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert probe_file(path, reader="pyav").cameras
    with pytest.raises(ToolMissingError, match="ffprobe is not installed"):
        probe_file(path, reader="ffprobe")


def test_without_ffprobe_pyav_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_made(tmp_path / "two.mp4", *TWO_STREAMS)
    expected = facts(probe_file(path))
    monkeypatch.setenv("PATH", str(tmp_path))

    assert not is_installed()
    assert facts(probe_file(path)) == expected


def test_the_time_for_a_file_grows_with_its_size_and_with_what_is_looked_at(tmp_path: Path) -> None:
    small, large = tmp_path / "small.mp4", tmp_path / "large.mp4"
    small.write_bytes(b"")
    with large.open("wb") as file:
        file.truncate(10**10)  # ten gigabytes that take no space

    assert time_limit_s(small, deep=False) == time_limit_s(small, deep=True)
    assert time_limit_s(large, deep=False) > 3600
    assert time_limit_s(large, deep=True) > 10 * time_limit_s(large, deep=False)


def test_packets_take_twenty_bytes_each() -> None:
    packets = Packets()
    for number in range(50_000):
        packets.add(number * 512 + 10**9, number * 512 + 10**9, hidden=False, key=number % 50 == 0)

    size = sum(map(sys.getsizeof, (packets.pts, packets.dts, packets.keys, packets.hidden)))
    assert size < 20 * 50_000
