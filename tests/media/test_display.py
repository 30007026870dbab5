"""What clips show of a recording is what a player shows: upright, in its proportions, legible.

The number painted into a picture says which way is up: a mirrored one is none.
"""

import subprocess
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray

from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.loading import torchcodec_frames
from dogclips.loading.frames import DecoderName, frames_at
from dogclips.media.display import Decoding, decode_pictures, output_size, turned
from dogclips.media.encoding import ClipOutcome, EncoderConfig, cut_source
from dogclips.media.excerpt import Excerpt, Window
from dogclips.media.facts import orientation_of
from dogclips.media.ffprobe import is_installed, probe_with_ffprobe
from dogclips.media.footage import FileFootage
from dogclips.media.lanes import ClipJob
from dogclips.media.probe import probe_file
from dogclips.media.pyavprobe import probe_with_pyav
from dogclips.streams import Orientation, Stream
from dogclips.timebase import Span
from tests.cuts.painting import painted, read
from tests.cuts.readers import READERS
from tests.videos import facts

pytestmark = pytest.mark.skipif(not is_installed(), reason="ffmpeg is not installed")

RATE = 10
COUNT = 12
SIZE = (100, 64)
LOSSLESS = EncoderConfig(crf=0, preset="ultrafast", tune=None)
ORIENTATIONS = [Orientation(turns, mirrored) for turns in range(4) for mirrored in (False, True)]

Picture = NDArray[np.uint8]


def matrix_of(orientation: Orientation) -> list[int]:
    """Return the display matrix that asks for an orientation, worked out by hand."""
    turn = [(1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0)][orientation.turns]
    a, b, c, d = turn
    if orientation.mirrored:
        a, b = -a, -b
    return [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]


def written(
    path: Path,
    pictures: Sequence[Picture],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    orientation: Orientation | None = None,
    given: str = "gray",
    pixel_aspect: Fraction = Fraction(1),
) -> Path:
    """Write stored pictures, ten a second."""
    fast = {"preset": "ultrafast", "crf": "4"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        track = cast(
            "VideoStream", container.add_stream(codec, RATE, options=dict(options or fast))
        )
        track.height, track.width = pictures[0].shape[:2]
        track.pix_fmt = pixel_format
        track.codec_context.sample_aspect_ratio = pixel_aspect
        track.codec_context.thread_count = 1
        if orientation is not None:
            track.set_display_matrix(matrix_of(orientation))
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=given)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path


def stored(upright: Picture, orientation: Orientation) -> Picture:
    """Return how a camera stores a picture that is shown upright."""
    lying = np.rot90(upright, -orientation.turns)
    return lying[:, ::-1] if orientation.mirrored else lying


def camera(path: Path) -> Stream:
    [stream] = probe_file(path).cameras
    return stream


def frames_of(stream: Stream, count: int = COUNT) -> SourceFrames:
    frames = select_frames(stream, Span(Fraction(0), Fraction(count, RATE)), None)
    assert isinstance(frames, SourceFrames), frames
    return frames


def cut(
    source: Path, path: Path, *, short_side: int | None = None, deinterlace: bool = True
) -> ClipOutcome:
    """Cut all of a recording, losslessly."""
    stream = camera(source)
    frames, size = frames_of(stream), output_size(stream, short_side)
    own = frames.indices, frames.pts, frames.time_base, frames.frame_rate
    job = ClipJob(path, *own, size)
    [outcome] = cut_source(
        source, stream, [job], LOSSLESS, decoding=Decoding(deinterlace=deinterlace)
    )
    assert outcome.error is None, outcome.error
    return outcome


def loaded(excerpt: Excerpt, decoder: DecoderName = "pyav") -> list[Picture]:
    return [frame.pixels for frame in frames_at(excerpt, lambda times: times.times_s, decoder)]


def virtual(
    source: Path, *, short_side: int | None = None, decoder: DecoderName = "pyav"
) -> list[Picture]:
    """Return the pictures of the same clip as `cut` makes, read from its recording."""
    stream = camera(source)
    frames = frames_of(stream)
    first, last = (int(stream.pts[frames.indices[place]]) for place in (0, -1))
    times = len(frames.indices), frames.frame_rate, frames.begin_s, frames.timing
    window = Window(first, last, *times, output_size(stream, short_side))
    return loaded(Excerpt(source, stream.index, window), decoder)


def autorotated(path: Path, size: tuple[int, int]) -> list[Picture]:
    """Return what the ffmpeg command shows: it turns and mirrors by itself."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:0"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    done = subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE)
    return list(np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0]))


def grey(picture: Picture) -> Picture:
    return np.round(picture.mean(axis=2)).astype(np.uint8)


@pytest.fixture(scope="module", params=ORIENTATIONS, ids=str)
def turned_recording(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Orientation]:
    orientation: Orientation = request.param
    upright = [painted(number, *SIZE) for number in range(COUNT)]
    path = tmp_path_factory.mktemp("turned") / "phone.mp4"
    pictures = [stored(picture, orientation) for picture in upright]
    return written(path, pictures, orientation=orientation), orientation


def test_all_that_look_at_a_recording_see_it_upright(
    tmp_path: Path, turned_recording: tuple[Path, Orientation]
) -> None:
    path, orientation = turned_recording
    numbers = list(range(COUNT))

    assert [read(own) for own in autorotated(path, SIZE)] == numbers  # the judge
    assert facts(probe_with_ffprobe(path)) == facts(probe_with_pyav(path))
    stream = camera(path)
    assert stream.orientation == orientation
    assert cut(path, tmp_path / "clip.mp4").resized == ""
    for reader, read_clip in READERS.items():
        clip = read_clip(tmp_path / "clip.mp4")
        assert (list(clip.numbers), clip.size, clip.oddity) == (numbers, SIZE, ""), reader
    footage = FileFootage(path)
    thumbnails = footage.look(stream, 0, COUNT).pictures
    assert [read(own) for own in thumbnails] == numbers
    assert read(footage.picture(stream, 5, 100)[..., 0]) == 5


def test_a_virtual_clip_and_a_file_that_is_turned_load_upright(
    turned_recording: tuple[Path, Orientation],
) -> None:
    path, _ = turned_recording
    decoders: list[DecoderName] = ["pyav"]
    if torchcodec_frames.fault() is None:
        decoders.append("torchcodec")

    for decoder in decoders:
        for pictures in (virtual(path, decoder=decoder), loaded(Excerpt(path), decoder)):
            assert [read(grey(own)) for own in pictures] == list(range(COUNT)), decoder


@pytest.mark.parametrize(
    "matrix",
    [[0] * 9, [46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30], [1 << 16, 0, 0] + [0] * 6],
    ids=["empty", "an eighth of a turn", "flat"],
)
def test_a_matrix_that_turns_by_no_quarter_asks_for_nothing(matrix: list[int]) -> None:
    assert orientation_of(matrix) == Orientation()


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=str)
def test_a_matrix_that_also_scales_says_the_same(orientation: Orientation) -> None:
    doubled = [number * 2 for number in matrix_of(orientation)]

    assert orientation_of(doubled) == orientation
    picture = painted(77, *SIZE)
    assert np.array_equal(turned(stored(picture, orientation), orientation), picture)


# Sizes that change.


@pytest.fixture(scope="module")
def resized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a transport stream of 12 frames that are 96x64 and 12 that are 64x96."""
    folder = tmp_path_factory.mktemp("resized")
    parts = []
    for name, size, first in (("a", (96, 64), 0), ("b", (64, 96), COUNT)):
        pictures = [painted(first + number, *size) for number in range(COUNT)]
        parts.append(written(folder / f"{name}.ts", pictures))
    path = folder / "020500.ts"
    with av.open(str(path), "w") as container:
        tracks: list[VideoStream] = []
        for place, part in enumerate(parts):
            with av.open(str(part)) as source:
                video = source.streams.video[0]
                tracks = tracks or [container.add_stream_from_template(video)]
                begin = None
                for packet in source.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    begin = packet.pts if begin is None else begin
                    packet.pts += place * COUNT * 9000 - begin
                    packet.dts = packet.pts
                    packet.stream = tracks[0]
                    container.mux(packet)
    return path


def test_frames_that_change_their_size_keep_their_proportions(
    tmp_path: Path, resized: Path
) -> None:
    stream = camera(resized)
    frames = frames_of(stream, 2 * COUNT)
    own = frames.indices, frames.pts, frames.time_base, frames.frame_rate
    job = ClipJob(tmp_path / "clip.mp4", *own, (96, 64))

    [outcome] = cut_source(resized, stream, [job], LOSSLESS)

    assert outcome.error is None
    assert outcome.resized.startswith("frames are 64x96 at ")
    with av.open(str(job.path)) as container:
        shown = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert [read(picture) for picture in shown[:COUNT]] == list(range(COUNT))
    # 64x96 in a height of 64 is 42 wide, and there is nothing beside it.
    within = [picture[:, 27:69] for picture in shown[COUNT:]]
    assert [read(picture) for picture in within] == list(range(COUNT, 2 * COUNT))
    assert all(picture[:, :26].max() < 20 and picture[:, 70:].max() < 20 for picture in shown[-9:])


# 16 bits.


def test_a_heat_camera_keeps_its_levels(tmp_path: Path) -> None:
    darkest, brightest = 30000, 30170  # 170 levels of 65536, all within one of 8 bits
    pictures = [painted(number, *SIZE).astype(np.uint16) - 40 + darkest for number in range(COUNT)]
    path = written(
        tmp_path / "heat.mkv", pictures, codec="ffv1", pixel_format="gray16le", given="gray16le"
    )

    table = probe_file(path)
    cut(path, tmp_path / "clip.mp4")

    assert facts(probe_with_ffprobe(path)) == facts(probe_with_pyav(path))
    assert table.cameras[0].levels == (darkest, brightest)
    assert "P051" in {message.code for message in table.messages}
    for reader, read_clip in READERS.items():
        assert list(read_clip(tmp_path / "clip.mp4").numbers) == list(range(COUNT)), reader
    assert [read(grey(own)) for own in virtual(path)] == list(range(COUNT))
    thumbnails = FileFootage(path).look(table.cameras[0], 0, COUNT).pictures
    assert [read(own) for own in thumbnails] == list(range(COUNT))


# Interlaced pictures.


def woven(number: int) -> Picture:
    """Return a picture of two moments: a bar moves by 8 pixels from the even lines to the odd."""
    picture = np.full((64, 96), 40, np.uint8)
    picture[0::2, 8 * number : 8 * number + 16] = 210
    picture[1::2, 8 * number + 8 : 8 * number + 24] = 210
    return picture


def combing(picture: Picture) -> float:
    """Return how much each line differs from both its neighbours in the same direction."""
    lines = picture.astype(float)
    above, below = lines[1:-1] - lines[:-2], lines[1:-1] - lines[2:]
    return float(np.sqrt(np.maximum(above * below, 0)).mean())


def write_interlaced(path: Path, codec: str) -> Path:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray"]
    command += ["-s", "96x64", "-r", str(RATE), "-i", "-", "-c:v", codec, "-g", "6"]
    command += ["-pix_fmt", "yuv420p", "-flags", "+ildct+ilme", "-top", "1", "-qmax", "3"]
    if codec == "libx264":
        command += ["-x264-params", "tff=1", "-crf", "4"]
    raw = np.stack([woven(number % 9) for number in range(COUNT)]).tobytes()
    subprocess.run([*command, str(path)], input=raw, check=True, timeout=60)
    return path


@pytest.fixture(scope="module")
def interlaced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_interlaced(tmp_path_factory.mktemp("interlaced") / "camcorder.mkv", "libx264")


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_interlaced_pictures_are_named_and_show_one_moment(tmp_path: Path, codec: str) -> None:
    interlaced = write_interlaced(tmp_path / "camcorder.mkv", codec)
    table = probe_file(interlaced)
    cut(interlaced, tmp_path / "clip.mp4")
    cut(interlaced, tmp_path / "off.mp4", deinterlace=False)

    assert facts(probe_with_ffprobe(interlaced)) == facts(probe_with_pyav(interlaced))
    assert table.cameras[0].interlaced
    assert "P050" in {message.code for message in table.messages}
    one, two = (loaded(Excerpt(tmp_path / f"{name}.mp4")) for name in ("clip", "off"))
    assert len(one) == len(two) == COUNT
    for number in range(1, COUNT - 1):
        first_moment = woven(number % 9)[::2]
        assert combing(grey(one[number])) < combing(grey(two[number])) / 4
        assert abs(grey(one[number])[::2].astype(float) - first_moment).mean() < 10


def test_a_frame_is_deinterlaced_alike_whatever_else_is_read(interlaced: Path) -> None:
    stream = camera(interlaced)
    whole = {
        picture.place: picture.frame.to_ndarray(format="gray")
        for picture in decode_pictures(interlaced, stream, range(COUNT), (96, 64))
    }

    for wanted in ([4], [3, 5], [0, 11], [6, 7, 10]):
        found = list(decode_pictures(interlaced, stream, wanted, (96, 64)))
        assert [picture.place for picture in found] == wanted
        for place, frame, _ in found:
            assert np.array_equal(frame.to_ndarray(format="gray"), whole[place])


# A virtual clip shows what would be encoded.


@pytest.mark.parametrize(
    ("kind", "short_side"),
    [("turned", None), ("turned", 32), ("interlaced", 32), ("oblong", None), ("full range", 32)],
)
def test_a_virtual_clip_has_the_pixels_of_the_cut_one(
    tmp_path: Path, interlaced: Path, kind: str, short_side: int | None
) -> None:
    path = interlaced if kind == "interlaced" else tmp_path / "source.mp4"
    if kind != "interlaced":
        pictures = [ramp(number) for number in range(COUNT)]
        pixel_format = "yuvj420p" if kind == "full range" else "yuv420p"
        orientation = Orientation(1, mirrored=True) if kind == "turned" else None
        aspect = Fraction(4, 3) if kind == "oblong" else Fraction(1)
        written(
            path,
            pictures,
            pixel_format=pixel_format,
            orientation=orientation,
            given="rgb24",
            pixel_aspect=aspect,
        )

    cut(path, tmp_path / "clip.mp4", short_side=short_side)

    clip = loaded(Excerpt(tmp_path / "clip.mp4"))
    assert np.array_equal(np.stack(clip), np.stack(virtual(path, short_side=short_side)))


def ramp(number: int) -> Picture:
    """Return a picture of many colours."""
    rows, columns = np.mgrid[:64, :100]
    colours = (2 * columns + number, 3 * rows, 255 - columns - rows)
    return np.stack([np.clip(own, 0, 255) for own in colours], axis=2).astype(np.uint8)


def test_hdr_is_named(tmp_path: Path) -> None:
    for curve, name in (("smpte2084", "PQ"), ("arib-std-b67", "HLG")):
        path = tmp_path / f"{name}.mp4"
        params = f"transfer={curve}:colorprim=bt2020:colormatrix=bt2020nc"
        options = {"preset": "ultrafast", "x264-params": params}
        written(path, [painted(number, *SIZE) for number in range(3)], options=options)

        table = probe_file(path)

        assert facts(probe_with_ffprobe(path)) == facts(probe_with_pyav(path))
        [text] = [message.text for message in table.messages if message.code == "P052"]
        assert f"HDR ({name})" in text
