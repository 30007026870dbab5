"""A repaired copy shows every reader the frames that the original's times mean."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import pytest

import dogclips
from dogclips.errors import MediaError, OutputError, UsageError
from dogclips.media.ffprobe import is_installed
from dogclips.media.probe import probe_file
from tests import odd_streams
from tests.cuts.painting import read_frame
from tests.cuts.readers import READERS
from tests.odd_streams import B_FRAMES, COUNT, NO_B_FRAMES, RATE, Odd, encoded, packets_of, store
from tests.videos import steady, write_made

pytestmark = pytest.mark.skipif(not is_installed(), reason="ffmpeg is not installed")

# Each with the code of what is repaired.
FAULTS: dict[str, tuple[Callable[[Path], Odd], str]] = {
    "no times, AVI": (partial(odd_streams.file_order, name="020500.avi"), "P018"),
    "times of the file's order, mp4": (odd_streams.file_order, "P026"),
    "times of the file's order, ts": (partial(odd_streams.file_order, name="020500.ts"), "P026"),
    "frames without times": (odd_streams.some_without_times, "P025"),
    "B-frames without times": (
        partial(odd_streams.some_without_times, options=B_FRAMES),
        "P025",
    ),
    "field pictures, mp4": (partial(odd_streams.field_pictures, name="020500.mp4"), "P027"),
    "field pictures, mkv": (partial(odd_streams.field_pictures, name="020500.mkv"), "P027"),
}


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_copy_shows_each_frame_at_its_time(tmp_path: Path, name: str, suffix: str) -> None:
    make, code = FAULTS[name]
    odd, out = make(tmp_path), tmp_path / f"copy.{suffix}"
    [old] = probe_file(odd.path).cameras
    before = odd.path.read_bytes()

    result = dogclips.repair(odd.path, out)

    assert [change.code for change in result.changes] == [code]
    assert odd.path.read_bytes() == before
    table = probe_file(out)
    [new] = table.cameras
    # Times that ascend, each a packet's own: nothing is left to be guessed.
    assert code not in {message.code for message in table.messages}
    assert new.num_frames == old.num_frames == COUNT
    for place in range(COUNT):
        assert abs(new.frame_time(place) - old.frame_time(place)) <= Fraction(1, 2000)
    assert result.times_hold == (not any(result.add_s.values()))
    for reader, read_clip in READERS.items():
        if not (code == "P027" and reader == "OpenCV"):  # it refuses to convert such frames
            assert list(read_clip(out).numbers) == list(odd.numbers), reader


def restarting(folder: Path, options: dict[str, str]) -> Path:
    """Write a recording whose clock starts again after 48 of 100 frames."""
    source = encoded(folder, "libx264", options)
    packets = packets_of(source)
    restart = next(n for n, own in enumerate(packets) if own.key and n >= 40)
    first = packets[restart].pts
    moved = [
        own if n < restart else replace(own, pts=own.pts - first, dts=own.dts - first)
        for n, own in enumerate(packets)
    ]
    path = folder / "020500.ts"
    parts = [folder / "a.ts", folder / "b.ts"]
    store(source, parts[0], moved[:restart])
    store(source, parts[1], moved[restart:])
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("options", [NO_B_FRAMES, B_FRAMES], ids=["no B-frames", "B-frames"])
def test_a_clock_that_restarts_goes_on_in_the_copy(tmp_path: Path, options: dict[str, str]) -> None:
    path, out = restarting(tmp_path, options), tmp_path / "copy.mp4"
    assert "P023" in {message.code for message in probe_file(path).messages}

    result = dogclips.repair(path, out)

    table = probe_file(out)
    [stream] = table.cameras
    assert "P023" not in {message.code for message in table.messages}
    steps = {b - a for a, b in zip(stream.pts.tolist(), stream.pts.tolist()[1:], strict=False)}
    assert {step * stream.time_base for step in steps} == {1 / RATE}
    with av.open(str(out)) as container:
        assert [read_frame(frame) for frame in container.decode(video=0)] == list(range(COUNT))
    assert not result.times_hold
    [restart] = result.restarts
    assert restart.at_s - (stream.start_s or 0) == Fraction(48, 25)


def test_sound_stays_beside_its_picture(tmp_path: Path) -> None:
    odd = odd_streams.file_order(tmp_path)
    both = tmp_path / "both.mp4"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(odd.path), "-f", "lavfi", "-i"]
    command += ["sine=duration=4", "-map", "0:0", "-map", "1:0", "-c:v", "copy", "-c:a", "aac"]
    subprocess.run([*command, str(both)], check=True, timeout=60)

    dogclips.repair(both, tmp_path / "copy.mp4")

    old, new = (probe_file(path).streams for path in (both, tmp_path / "copy.mp4"))
    assert [stream.type for stream in new] == ["video", "audio"]
    assert abs((old[1].start_s or 0) - (new[1].start_s or 0)) < Fraction(1, 1000)
    assert abs((old[1].end_s or 0) - (new[1].end_s or 0)) < Fraction(1, 1000)


def test_what_needs_no_repair_is_not_copied(tmp_path: Path) -> None:
    whole = write_made(tmp_path / "whole.mp4", steady(20))

    result = dogclips.repair(whole, tmp_path / "copy.mp4")

    assert (result.ok, result.written, result.times_hold) == (True, False, True)
    assert not (tmp_path / "copy.mp4").exists()


def test_the_original_is_never_replaced(tmp_path: Path) -> None:
    odd = odd_streams.file_order(tmp_path)
    content = odd.path.read_bytes()
    (tmp_path / "link.mp4").symlink_to(odd.path)

    for out in (odd.path, tmp_path / "link.mp4"):
        with pytest.raises(OutputError, match="this file is the input"):
            dogclips.repair(odd.path, out, force=True)

    assert odd.path.read_bytes() == content


def test_faults_are_one_line_and_leave_nothing(tmp_path: Path) -> None:
    odd = odd_streams.file_order(tmp_path)
    text = tmp_path / "notes.mp4"
    text.write_text("not a video\n" * 100)

    with pytest.raises(UsageError, match=r"cannot write \.avi"):
        dogclips.repair(odd.path, tmp_path / "copy.avi")
    with pytest.raises(MediaError):
        dogclips.repair(text, tmp_path / "copy.mp4")
    with pytest.raises(MediaError, match="no such file"):
        dogclips.repair(tmp_path / "gone.mp4", tmp_path / "copy.mp4")
    (tmp_path / "there.mp4").write_bytes(b"")
    with pytest.raises(OutputError, match="already exists"):
        dogclips.repair(odd.path, tmp_path / "there.mp4")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".", "copy"))]
