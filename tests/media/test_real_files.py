"""Real files: what each is, as INDEX.csv describes it, and that both probes say so."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from dogclips.alignment import shown_in
from dogclips.clips.recordings import Recording
from dogclips.errors import MediaError
from dogclips.media.ffprobe import is_installed, probe_with_ffprobe
from dogclips.media.pyavprobe import probe_with_pyav
from dogclips.streams import StreamTable
from tests.probes import PROBES
from tests.shared import SHARED, needs_shared
from tests.videos import facts

pytestmark = [pytest.mark.shared, needs_shared]

VIDEOS = SHARED / "data/videos"
PHONES = sorted(SHARED.glob("data/home_falls/Dec/*/video/*"))

Probe = Callable[..., StreamTable]


@dataclass(frozen=True)
class Verdict:
    """What a file should be found to be; codes of the alignment left out.

    `frames` are those of each camera stream, `shown` is the index of the one that players show.
    """

    status: str
    codes: str
    frames: tuple[int, ...]
    shown: int | None = 0


def ok(frames: int, notes: str = "") -> Verdict:
    return Verdict("ok", notes, (frames,))


def warning(frames: int, codes: str) -> Verdict:
    return Verdict("warning", codes, (frames,))


NO_VIDEO = Verdict("error", "P002", (), None)

VERDICTS = {
    "-video-with-dash-.mp4": ok(5),
    "autoeditor_h264-mjpeg.mp4": ok(60, "P003"),
    # Said to run at 30 fps, but the times of its two keyframes are 46 ms early.
    "autoeditor_h264-png.mkv": ok(60, "P003 P013"),
    "decord_corrupted.mp4": ok(50),  # only decoding shows the damage
    "decord_flipping_a_pancake.mkv": ok(310, "P006"),
    "decord_video_90.mov": ok(3),
    "deeplabcut_openfield_m3v1mp4.mp4": ok(2330),
    "dlclive_dog_clip.avi": ok(296, "P018"),
    "exoplayer_bbb_2500ms.ts": ok(58, "P004 P006 P036"),
    "exoplayer_full_blocks.mkv": NO_VIDEO,
    "exoplayer_invalid-bitstream.webm": ok(51),  # only decoding shows the damage
    "exoplayer_sample.avi": warning(96, "P017 P018 P036"),
    "exoplayer_sample.flv": ok(30, "P005"),
    "exoplayer_sample_fragmented.mp4": ok(30, "P005"),
    "exoplayer_sample_partially_fragmented.mp4": warning(30, "P005 P017"),
    "exoplayer_video_desks.3gp": ok(71, "P013"),
    "kvs_output-get-media-non-increasing-timecode.mkv": warning(358, "P020 P023"),
    "kvs_output_get_media_sparse_fragments.mkv": warning(180, "P036"),
    "mmaction2_demo.mp4": ok(280),
    "mmaction2_demo_skeleton.mp4": ok(72, "P036"),
    "mmaction2_tests_test.avi": ok(164, "P018"),
    # Said to run at 14.985 fps; the times jitter by up to 5 ms around it.
    "moviepy_no_duration.webm": ok(74, "P013"),
    "moviepy_video_with_failing_audio.mp4": ok(280, "P006"),
    "mp4parse_bipbop_nonfragment_header.mp4": NO_VIDEO,
    "mp4parse_no_timescale.mp4": ok(182, "P005"),  # only decoding shows the damage
    "mp4parser_count-video.mp4": ok(245, "P013"),
    "mp4parser_count.h264": warning(245, "P016"),
    "oxvgg_Alioli_Wikimedia_Wardtmar.mp4": ok(1200, "P006"),
    "pyscenedetect_delayed_start.mp4": ok(24, "P004"),
    "pyscenedetect_goldeneye-vfr-drop3.mp4": ok(160, "P013"),
    "pyscenedetect_testvideo.mp4": ok(720),
    "sam2_01_dog.mp4": ok(289),
    "sleap_20190128_113421.120s.mp4": ok(3000),
    "torchcodec_h265_video.mp4": ok(10),
    "torchcodec_nasa_13013.mp4": Verdict("ok", "", (325, 390)),
    "torchcodec_nasa_13013_rotated.mp4": ok(17),
    "torchcodec_test_non_zero_start.mp4": ok(12, "P004"),
    "torchcodec_testsrc2_odd_height_and_width_444.mp4": ok(25),
    "torchcodec_testsrc2_vp9.webm": ok(30),
    "tsduck_test-025.ts": warning(75, "P004 P015 P029 P050"),
    "tsduck_test-103.ts": NO_VIDEO,
    "video2dataset_test_video.mp4": ok(3678),
    "videollama_skateboarding_dog.mp4": ok(421, "P005 P036"),
    "zamba_PICT0074.ASF": ok(61),
    "zamba_chimp.mp4": ok(450),
}

# How many frames decode, where some do not.
DAMAGED = {
    "decord_corrupted.mp4": 49,
    "exoplayer_invalid-bitstream.webm": 0,
    "mp4parse_no_timescale.mp4": 170,
    "tsduck_test-025.ts": 61,
}


@cache
def measured(probe: Probe, path: Path) -> StreamTable | MediaError:
    """Measure each file once by each probe."""
    try:
        return probe(path)
    except MediaError as error:
        return error


def verdict(table: StreamTable | MediaError) -> Verdict:
    assert isinstance(table, StreamTable)
    codes = " ".join(sorted({message.code for message in table.messages}))
    frames = tuple(stream.num_frames for stream in table.cameras)
    status = Recording(table.path, table, None).status
    return Verdict(status, codes, frames, shown_in(table).get("chrome"))


def test_every_video_of_the_index_has_a_verdict() -> None:
    with (SHARED / "data/INDEX.csv").open(newline="", encoding="utf-8") as index:
        files = [Path(row["file"]) for row in csv.DictReader(index)]

    assert {file.name for file in files if file.parent.name == "videos"} == VERDICTS.keys()


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize(("name", "expected"), VERDICTS.items(), ids=VERDICTS)
def test_the_verdict_is_what_the_index_describes(
    name: str, expected: Verdict, probe: Probe
) -> None:
    assert verdict(measured(probe, VIDEOS / name)) == expected


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("path", PHONES, ids=lambda path: path.name)
def test_a_phones_recording_is_ok(path: Path, probe: Probe) -> None:
    found = verdict(measured(probe, path))

    assert (found.status, found.shown) == ("ok", 0)
    # The phone of one person writes no edit list for its B-frames.
    assert found.codes == ("P005 P013" if path.name.startswith("S1") else "P013")


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize(("name", "decoded"), DAMAGED.items(), ids=DAMAGED)
def test_damage_is_found_by_decoding(name: str, decoded: int, probe: Probe) -> None:
    table = probe(VIDEOS / name, deep=True)

    assert table.cameras[0].num_decoded == decoded
    assert "P019" in {m.code for m in table.messages if m.level == "warning"}


@pytest.mark.skipif(not is_installed(), reason="ffprobe is not installed")
@pytest.mark.parametrize("path", [*sorted(VIDEOS.glob("*")), *PHONES], ids=lambda path: path.name)
def test_ffprobe_and_pyav_give_the_same_table(path: Path) -> None:
    tables = measured(probe_with_ffprobe, path), measured(probe_with_pyav, path)

    by_ffprobe, by_pyav = (
        facts(table) if isinstance(table, StreamTable) else "refused" for table in tables
    )
    assert by_ffprobe == by_pyav
