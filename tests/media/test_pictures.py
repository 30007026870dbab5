"""Recordings whose packets are not pictures of their own times: each frame is the one shown then.

The number painted into a picture is the truth, read by three programs.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

import av
import numpy as np
import pytest

from dogclips.alignment import align_streams
from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.media.encoding import EncoderConfig, cut_source
from dogclips.media.ffprobe import is_installed, probe_with_ffprobe
from dogclips.media.lanes import ClipJob
from dogclips.media.probe import probe_file
from dogclips.media.pyavprobe import probe_with_pyav
from dogclips.streams import Stream, StreamTable
from dogclips.timebase import Span
from tests import odd_files, odd_streams
from tests.cuts.painting import read_frame
from tests.cuts.readers import READERS
from tests.cuts.verdicts import virtual, wanted_of
from tests.odd_streams import B_FRAMES, COUNT, MPEG4, RATE, Odd
from tests.videos import steady, write_made

pytestmark = pytest.mark.skipif(not is_installed(), reason="ffmpeg is not installed")

Make = Callable[[Path], Odd]
CLIP_S = Fraction(1)

# Each with the messages that probe gives for it.
ODD: dict[str, tuple[Make, set[str]]] = {
    "AVI that begins within a group": (odd_streams.begins_within_a_group, {"P018"}),
    "MPEG-4 that begins with a P picture": (
        partial(odd_streams.begins_within_a_group, codec="mpeg4", options=MPEG4),
        {"P018"},
    ),
    "pictures not coded, AVI": (odd_streams.not_coded, {"P018", "P028"}),
    "pictures not coded, MP4": (partial(odd_streams.not_coded, name="020500.mp4"), {"P028"}),
    "pictures not coded, Matroska": (partial(odd_streams.not_coded, name="020500.mkv"), {"P028"}),
    "hidden references": (odd_streams.hidden_references, {"P027"}),
    **{
        f"field pictures, {suffix}": (
            partial(odd_streams.field_pictures, name=f"020500.{suffix}"),
            {"P027", "P050"},
        )
        for suffix in ("ts", "mp4", "mkv")
    },
    **{
        f"times of the file's order, {suffix}": (
            partial(odd_streams.file_order, name=f"020500.{suffix}"),
            {"P018" if suffix == "avi" else "P026"},
        )
        for suffix in ("mp4", "mkv", "flv", "ts", "avi")
    },
    "frames that share their time": (odd_streams.in_bursts, {"P020"}),
    "times that step back": (odd_streams.stepping_back, {"P022"}),
    "frames without times": (odd_streams.some_without_times, {"P025"}),
    "B-frames without times": (
        partial(odd_streams.some_without_times, options=B_FRAMES),
        {"P005", "P025"},
    ),
    "times on some frames of a program stream": (odd_streams.some_packs_with_times, {"P004"}),
    "the same, interlaced": (
        partial(odd_streams.some_packs_with_times, rate="4M", flags="+ilme+ildct"),
        {"P004", "P050"},
    ),
    "times that depend on where reading begins": (odd_files.from_recorder, {"P004"}),
    "keyframes that are none": (odd_streams.false_keyframes, set()),
    "every packet a keyframe": (
        partial(
            odd_streams.false_keyframes, name="020500.mp4", codec="mpeg4", options=MPEG4, every=1
        ),
        set(),
    ),
}


def camera(path: Path) -> Stream:
    [stream] = probe_file(path).cameras
    return stream


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Odd]:
    """Return a recording of each kind, made once."""
    folder = tmp_path_factory.mktemp("odd")

    @cache
    def of(name: str) -> Odd:
        own = folder / str(list(ODD).index(name))
        own.mkdir()
        return ODD[name][0](own)

    return of


@pytest.mark.parametrize("name", ODD)
def test_a_clip_shows_what_a_player_shows_then(
    tmp_path: Path, made: Callable[[str], Odd], name: str
) -> None:
    odd, codes = made(name), ODD[name][1]
    table = probe_file(odd.path)
    [stream] = table.cameras
    assert {message.code for message in table.messages} == codes
    starts = [Fraction(12, 25), Fraction(66, 25)]
    jobs, clips = [], []
    for number, start in enumerate(starts):
        frames = select_frames(stream, Span(start, start + CLIP_S), None)
        assert isinstance(frames, SourceFrames), frames
        path = tmp_path / f"{number}.mp4"
        own = frames.indices, frames.pts, frames.time_base, frames.frame_rate
        jobs.append(ClipJob(path, *own, (stream.width, stream.height)))
        clips.append((path, frames, wanted_of(odd, stream, round(start * RATE), frames)))

    outcomes = cut_source(odd.path, stream, jobs, EncoderConfig(crf=12))

    assert [outcome.error for outcome in outcomes] == [None, None]
    for path, frames, numbers in clips:
        assert None not in numbers
        for reader, read_clip in READERS.items():
            assert list(read_clip(path).numbers) == numbers, reader
        assert virtual(odd, stream, frames) == numbers


@pytest.mark.parametrize("name", list(ODD)[:2])
def test_what_does_not_decode_fails_by_name(
    tmp_path: Path, made: Callable[[str], Odd], name: str
) -> None:
    odd = made(name)
    stream = camera(odd.path)
    frames = select_frames(stream, Span(Fraction(0), CLIP_S), None)
    assert isinstance(frames, SourceFrames)
    own = frames.indices, frames.pts, frames.time_base, frames.frame_rate
    job = ClipJob(tmp_path / "0.mp4", *own, odd_streams.SIZE)

    [outcome] = cut_source(odd.path, stream, [job], EncoderConfig())

    assert "the frame at 0.0 s of the stream does not decode" in str(outcome.error)


@pytest.mark.parametrize("name", ODD)
def test_both_probes_describe_the_same_pictures(made: Callable[[str], Odd], name: str) -> None:
    odd = made(name)
    first, second = probe_with_ffprobe(odd.path), probe_with_pyav(odd.path)

    assert _facts(first) == _facts(second)
    assert len(first.cameras[0].pts) == len(odd.numbers)


def _facts(table: StreamTable) -> tuple[object, ...]:
    [stream] = table.cameras
    own: list[int] = []
    # Newer versions of FFmpeg fill in the times of program streams by themselves.
    if table.format != "mpeg":
        assert stream.pictures is not None
        own = [*stream.pictures.index_of.tolist(), *stream.pictures.held.tolist()]
    return table.messages, stream.pts.tolist(), stream.frame_rate, own


def test_a_single_frame_lasts_a_moment_and_is_no_unrelated_clock(tmp_path: Path) -> None:
    path = write_made(tmp_path / "one.mp4", steady(1))
    [stream] = probe_file(path).cameras

    alignment = align_streams(stream, stream)

    assert alignment.trusted
    assert not alignment.messages
    assert select_frames(stream, Span(Fraction(0), CLIP_S), None) == "after-end"


def test_frames_of_more_than_a_thousand_a_second_keep_their_order(tmp_path: Path) -> None:
    odd = odd_streams.many_a_millisecond(tmp_path)
    stream = camera(odd.path)
    assert (stream.frame_rate, stream.variable_frame_rate) == (1500, False)

    frames = select_frames(stream, Span(Fraction(20, 1500), Fraction(60, 1500)), None)

    assert isinstance(frames, SourceFrames)
    assert len(frames.indices) == 40
    assert abs(frames.indices[0] - 20) <= 1  # a millisecond holds more than one
    own = frames.indices, frames.pts, frames.time_base, frames.frame_rate
    job = ClipJob(tmp_path / "0.mp4", *own, odd_streams.SIZE)
    assert [one.error for one in cut_source(odd.path, stream, [job], EncoderConfig(crf=12))] == [
        None
    ]
    first = frames.indices[0]
    numbers = list(READERS["PyAV"](job.path).numbers)
    assert numbers == list(range(first, first + 40))
    assert virtual(odd, stream, frames) == numbers


_MPEG2 = MPEG4 | {"bf": "2"}
_INTERLACED = {"flags": "+ilme+ildct", "x264-params": "tff=1:repeat-headers=1"}
_OPEN = {"bf": "3", "x264-params": "open-gop=1:repeat-headers=1"}
BROADCASTS = {
    "MPEG-2": ("mpeg2video", _MPEG2),
    "MPEG-2, interlaced": ("mpeg2video", _MPEG2 | {"flags": "+ilme+ildct"}),
    "H.264, interlaced": ("libx264", B_FRAMES | _INTERLACED),
    "H.264, open groups": ("libx264", B_FRAMES | _OPEN),
    "H.264, refreshed bit by bit": (
        "libx264",
        odd_streams.NO_B_FRAMES | {"x264-params": "intra-refresh=1:repeat-headers=1"},
    ),
}


@pytest.mark.parametrize(("codec", "options"), BROADCASTS.values(), ids=BROADCASTS)
def test_virtual_clips_of_transport_streams_show_what_cut_ones_do(
    tmp_path: Path, codec: str, options: dict[str, str]
) -> None:
    source = odd_streams.encoded(tmp_path, codec, options)
    path = odd_streams.store(source, tmp_path / "020500.ts", odd_streams.packets_of(source))
    stream = camera(path)
    for start in (0, 11, 12, 13, 30, 71):
        frames = select_frames(stream, Span(start / RATE, start / RATE + CLIP_S), None)
        assert isinstance(frames, SourceFrames)
        own = frames.indices, frames.pts, frames.time_base, frames.frame_rate
        job = ClipJob(tmp_path / f"{start}.mp4", *own, odd_streams.SIZE)
        [outcome] = cut_source(path, stream, [job], EncoderConfig(crf=12))

        assert outcome.error is None
        numbers = list(range(start, start + 25))
        assert virtual(Odd(path, range(COUNT)), stream, frames) == numbers
        assert list(READERS["PyAV"](job.path).numbers) == numbers


# Damage that no decoder complains of.


H265 = "log-level=0:scenecut=0:keyint=12:min-keyint=12:pools=none:frame-threads=1:open-gop=0"
# Encoders whose pictures tell whether some are missing.
TELLING = {
    "H.264": ("libx264", odd_streams.NO_B_FRAMES),
    "H.264, B-frames": ("libx264", B_FRAMES),
    "H.265": ("libx265", {"preset": "ultrafast", "x265-params": f"{H265}:bframes=0"}),
    "H.265, B-frames": ("libx265", {"preset": "ultrafast", "x265-params": f"{H265}:bframes=3"}),
    "MPEG-4": ("mpeg4", MPEG4),
    "MPEG-2": ("mpeg2video", MPEG4),
    "MPEG-2, B-frames": ("mpeg2video", MPEG4 | {"bf": "2"}),
}
HOLES = {"five": range(38, 43), "many": range(5, COUNT, 11)}


@pytest.mark.parametrize("lost", HOLES.values(), ids=HOLES)
@pytest.mark.parametrize(("codec", "options"), TELLING.values(), ids=TELLING)
def test_no_frame_is_cut_that_may_show_lost_packets(
    tmp_path: Path, codec: str, options: dict[str, str], lost: range
) -> None:
    table = probe_file(odd_streams.lossy(tmp_path, codec=codec, options=options, lost=lost).path)
    [stream] = table.cameras

    torn = {index for span in stream.torn for index in span}
    broken = set(range(len(stream.pts))) - _whole(table.path, stream)
    assert torn.issuperset(broken)
    assert len(torn) < len(stream.pts) * 4 / 5
    for index in broken:
        begin = stream.frame_time(index) - stream.frame_time(0)
        assert select_frames(stream, Span(begin, begin + CLIP_S / 5), None) != "cut"
        assert "P029" in {message.code for message in table.messages}


def _whole(path: Path, stream: Stream) -> set[int]:
    """Return the frames that show what was painted for their time."""
    found = set[int]()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            index = int(np.searchsorted(stream.pts, frame.pts))
            place = round((stream.frame_time(index) - stream.frame_time(0)) * RATE)
            if read_frame(frame) == place:
                found.add(index)
    return found


@pytest.mark.parametrize("gone", HOLES.values(), ids=HOLES)
@pytest.mark.parametrize(("codec", "options"), TELLING.values(), ids=TELLING)
def test_what_a_camera_left_out_before_it_encoded_is_no_damage(
    tmp_path: Path, codec: str, options: dict[str, str], gone: range
) -> None:
    table = probe_file(odd_streams.left_out(tmp_path, codec=codec, options=options, gone=gone).path)

    codes = {message.code for message in table.messages} - {"P005"}
    assert codes == {"P013" if len(gone) > 5 else "P036"}  # a rate with many holes is none
    assert table.cameras[0].torn == ()


@pytest.mark.parametrize("name", ["020500.flv", "020500.mkv"])
def test_what_is_damaged_behind_a_window_does_not_concern_it(tmp_path: Path, name: str) -> None:
    options = {**odd_streams.NO_B_FRAMES, "g": "100"}
    odd = odd_files.broken_off(tmp_path, name, options=options, share=0.5)
    stream = camera(odd.path)
    frames = select_frames(stream, Span(Fraction(10, 25), Fraction(20, 25)), None)
    assert isinstance(frames, SourceFrames)

    assert virtual(odd, stream, frames) == [*range(10, 20)]
