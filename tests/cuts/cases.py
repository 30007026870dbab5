"""A recording of any codec and container, drawn from a seed, with the truth about every frame.

Every picture carries its number, so that the truth is a list: this number is on screen from this
moment on. It comes from how the file was made; only where the container's zero lies is measured.
"""

import math
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from tests.cuts.painting import painted, read_frame

os.environ.setdefault("SVT_LOG", "1")  # errors only; the library writes to stderr by itself

T = TypeVar("T")

RATES: Final = tuple(
    Fraction(*rate)
    for rate in ((10, 1), (25, 2), (15, 1), (20, 1), (25, 1), (30000, 1001), (30, 1), (50, 1))
)
# What each container may hold, as far as both FFmpeg 5 and 8 read it.
CONTAINERS: Final[Mapping[str, tuple[str, ...]]] = {
    "mp4": ("h264", "hevc", "av1", "vp9", "mjpeg", "mpeg4"),
    "mov": ("h264", "hevc", "mjpeg", "mpeg4"),
    "mkv": ("h264", "hevc", "av1", "vp9", "mjpeg", "mpeg4"),
    "avi": ("h264", "mjpeg", "mpeg4"),
    "ts": ("h264", "hevc", "mpeg4"),
    "flv": ("h264",),
}
ENCODERS: Final = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "mjpeg": "mjpeg",
    "mpeg4": "mpeg4",
}
_FORMATS: Final = {"mkv": "matroska", "ts": "mpegts"}
_MUXING: Final = {
    "plain": {},
    "no edit list": {"use_editlist": "0"},
    "negative offsets": {"movflags": "negative_cts_offsets"},
    "fragmented": {"movflags": "frag_keyframe+empty_moov+frag_discont"},
    "trimmed": {},  # by `ffmpeg -ss -c copy`, behind an edit list that hides the pre-roll
}
# By how much a container rounds times, in seconds.
_ROUNDING_S: Final = {"mkv": Fraction(1, 1000), "flv": Fraction(1, 1000), "ts": Fraction(1, 90000)}
_TRIMMED_ROUNDING_S: Final = Fraction(1, 9000)  # a tick of the track
_MOST_LOST_IN_A_ROW = 2  # more is a hole, which is a case of its own
_MOST_FRAMES: Final = 1000
_OTHER_NUMBERS: Final = 1024  # where the numbers of the other stream begin


@dataclass(frozen=True)
class CutCase:
    """One recording and the windows to cut from it; its `repr` makes it again.

    Parameters
    ----------
    muxing
        plain; in MP4 and MOV also no edit list, negative offsets, fragmented, trimmed.
    keyframe_frames, b_frames, open_groups
        How the recording is encoded; VP9 takes any B-frames as hidden reference frames.
    late
        When the first frame is shown, in quarters of a frame.
    timing
        steady; hole: a stretch of frames is missing; thinned: every fifth frame is missing, at
        random; jittered: no two steps are alike.
    size, pixel_aspect, rotation
        Width and height as coded; how oblong a pixel is; the display rotation in degrees,
        counter-clockwise.
    second
        A smaller stream with other numbers: none, before or after.
    apart
        The other stream starts at 0, whatever `late` says.
    starts
        Where windows begin, in seconds since the first frame; empty: where a session has them.
    resample, short_side, clip_b_frames
        How clips are written.
    reader
        What measures the recording: ffprobe or pyav.
    """

    seed: int
    codec: str = "h264"
    container: str = "mp4"
    muxing: str = "plain"
    rate: Fraction = Fraction(20)
    num_frames: int = 200
    keyframe_frames: int = 20
    b_frames: int = 0
    open_groups: bool = False
    late: int = 0
    timing: str = "steady"
    size: tuple[int, int] = (96, 64)
    pixel_aspect: Fraction = Fraction(1)
    rotation: int = 0
    second: str = "none"
    apart: bool = False
    clip_seconds: float = 4
    stride_seconds: float = 4
    starts: tuple[Fraction, ...] = ()
    resample: float | None = None
    short_side: int | None = None
    clip_b_frames: int = 0
    reader: str = "ffprobe"

    @property
    def time_base(self) -> Fraction:
        """Return the seconds a tick of `frame_ticks`."""
        if self.timing == "jittered":
            return Fraction(1, 1000)
        return 1 / (4 * self.rate) if self.late % 4 else 1 / self.rate

    @property
    def target(self) -> int:
        """Return the index of the stream to cut."""
        return int(self.second == "before")

    @property
    def is_variable(self) -> bool:
        """Return whether the frames lie on no regular grid."""
        return self.timing in ("thinned", "jittered")


@dataclass(frozen=True, eq=False)
class Truth:
    """What is on screen when.

    Parameters
    ----------
    numbers, times_s
        Of every frame that is shown: its number, and the container time from which on.
    frame_s
        How long a frame lasts where none is missing.
    error_s
        By how much the container may have rounded a time against the first one.
    size
        Width and height of the upright picture with square pixels, as they would be exactly.
    torn
        Places among `numbers` from a hole to the next keyframe, of codecs that do not tell whether
        what is missing was lost.
    """

    numbers: tuple[int, ...]
    times_s: tuple[Fraction, ...]
    frame_s: Fraction
    error_s: Fraction
    size: tuple[Fraction, Fraction]
    torn: tuple[range, ...] = ()


def draw_case(seed: int) -> CutCase:
    """Return the case of a seed."""
    random = np.random.default_rng((seed, 1906))
    pairs = [(container, codec) for container, own in CONTAINERS.items() for codec in own]
    container, codec = _one_of(random, pairs)
    rate = _one_of(random, RATES)
    boxes = container in ("mp4", "mov")
    timing = _timing(random, container)
    clip_seconds = _one_of(random, (1, 2, 4, 4))
    length_s = clip_seconds + random.uniform(1, 9)
    if random.random() < 0.15:  # stretches that nobody wants, and more than a minute
        length_s = _MOST_FRAMES / float(rate)
    muxing = _one_of(random, tuple(_MUXING)) if boxes and random.random() < 0.6 else "plain"
    case = CutCase(
        seed=seed,
        codec=codec,
        container=container,
        muxing=muxing,
        rate=rate,
        num_frames=int(length_s * rate),
        **_groups(random, codec, rate),
        late=_late(random, codec, container, timing),
        timing=timing,
        **_picture(random, codec, container),
        second=_second(random, container, muxing),
        **_windows(random, clip_seconds, length_s, rate),
        resample=_one_of(random, (None, None, None, 10, 12.5, 25, 30)),
        short_side=_one_of(random, (None, None, 32, 48, 90)),
        clip_b_frames=_one_of(random, (0, 0, 0, 2)),
        reader=_one_of(random, ("ffprobe", "pyav")),
    )
    return _with_rarities(case, random)


def _with_rarities(case: CutCase, random: np.random.Generator) -> CutCase:
    """Return the case, perhaps with streams that start apart, at an hour, or cut beside a hole."""
    # Only an edit list, or a container with true times, lets two streams start apart.
    late_alone = case.late > 0 and case.muxing in ("plain", "negative offsets")
    apart = case.second != "none" and late_alone and random.random() < 0.5
    beside = _beside_hole(case, random) if case.timing == "hole" and case.starts else ()
    at_an_hour = case.container != "avi" and bool(case.starts) and random.random() < 0.1
    return replace(
        case,
        apart=apart,
        late=case.late + at_an_hour * 4 * int(3600 * case.rate),
        starts=tuple(sorted((*case.starts, *beside))),
    )


def _one_of(random: np.random.Generator, choices: Sequence[T]) -> T:
    return choices[int(random.integers(len(choices)))]


def _timing(random: np.random.Generator, container: str) -> str:
    if container == "avi" or random.random() < 0.5:  # AVI knows no times
        return "steady"
    return _one_of(random, ("hole", "thinned", "jittered"))


def _groups(random: np.random.Generator, codec: str, rate: Fraction) -> dict[str, Any]:
    frames = max(round(_one_of(random, (0, 0.25, 0.5, 1, 2, 4, 10)) * float(rate)), 1)
    b_frames = 0 if codec == "mjpeg" or frames < 6 else int(random.integers(4))
    open_groups = codec in ("h264", "hevc") and b_frames > 0 and random.random() < 0.4
    return {"keyframe_frames": frames, "b_frames": b_frames, "open_groups": bool(open_groups)}


def _late(random: np.random.Generator, codec: str, container: str, timing: str) -> int:
    if container == "avi" or random.random() < 0.6:
        return 0
    late = int(random.integers(1, 81))
    # MPEG-4 counts at most 65535 ticks a second.
    return late - late % 4 if codec == "mpeg4" or timing == "jittered" else late


def _picture(random: np.random.Generator, codec: str, container: str) -> dict[str, Any]:
    width, height = _one_of(random, ((96, 64), (64, 96), (128, 72), (80, 80), (100, 74)))
    if codec != "av1" and random.random() < 0.25:
        width, height = width + int(random.integers(2)), height + 1
    aspect = Fraction(1)
    # These two leave it to Matroska to say how oblong pixels are; PyAV does not let it.
    squares = container == "mkv" and codec in ("av1", "vp9")
    if random.random() < 0.2 and not squares:
        aspect = _one_of(random, (Fraction(4, 3), Fraction(8, 9), Fraction(2), Fraction(1, 2)))
    turned = container in ("mp4", "mov") and random.random() < 0.3
    rotation = _one_of(random, (90, 180, -90)) if turned else 0
    return {"size": (width, height), "pixel_aspect": aspect, "rotation": rotation}


def _second(random: np.random.Generator, container: str, muxing: str) -> str:
    # FLV holds one stream; what `ffmpeg -ss` does to two is none of our business.
    if container == "flv" or muxing == "trimmed" or random.random() < 0.7:
        return "none"
    return _one_of(random, ("before", "after"))


def _windows(
    random: np.random.Generator, clip_seconds: float, length_s: float, rate: Fraction
) -> dict[str, Any]:
    """Return windows of a session, or some that begin anywhere, half of them with a frame."""
    found: dict[str, Any] = {"clip_seconds": clip_seconds}
    long = length_s > 20
    if random.random() < 0.5:
        return found | {"stride_seconds": _one_of(random, (4,) if long else (0.5, 1, 4))}
    times_s = random.uniform(0, length_s - 0.7 * clip_seconds, size=int(random.integers(1, 7)))
    starts = [
        # As annotation programs write the time of a frame: in milliseconds.
        round(Fraction(round(time_s * rate)) / rate, 3)
        if random.random() < 0.5
        else round(Fraction(time_s), 3)
        for time_s in sorted(times_s)
    ]
    return found | {"starts": tuple(starts)}


def _beside_hole(case: CutCase, random: np.random.Generator) -> tuple[Fraction, ...]:
    """Return a window of which one edge lies just within, or just outside, half a missing frame."""
    times_s = [tick * case.time_base for tick in frame_ticks(case).values()]
    steps = [after - before for before, after in pairwise(times_s)]
    place = steps.index(max(steps))
    share = Fraction(_one_of(random, (3, 7)), 10) / case.rate
    start_s = times_s[place + 1] - share  # the end of the hole
    if random.random() < 0.5:
        start_s = times_s[place] + 1 / case.rate + share - Fraction(str(case.clip_seconds))
    start_s = round(start_s - times_s[0], 4)
    return (start_s,) if start_s >= 0 else ()


def frame_ticks(case: CutCase) -> dict[int, int]:
    """Return when each number is shown, in ticks of `case.time_base`."""
    random = np.random.default_rng((case.seed, 7))
    step = 1 / (case.rate * case.time_base)
    late = Fraction(case.late, 4) * step
    missing = _missing(case, random)
    numbers = [number for number in range(case.num_frames) if number not in missing]
    shaken = random.uniform(-0.3, 0.3, case.num_frames) if case.timing == "jittered" else None
    ticks = {}
    for number in numbers:
        shift = float(step) * shaken[number] if shaken is not None and number else 0
        ticks[number] = round(number * step + late + Fraction(shift))
    return ticks


def _missing(case: CutCase, random: np.random.Generator) -> frozenset[int]:
    last = case.num_frames - 1
    if case.timing == "hole":
        first = int(random.integers(2, last - 2))
        return frozenset(range(first, min(first + int(random.integers(1, 30)), last - 1)))
    if case.timing != "thinned":
        return frozenset()
    missing: set[int] = set()
    for number in np.flatnonzero(random.random(case.num_frames) < 0.25).tolist():
        before = range(number - _MOST_LOST_IN_A_ROW, number)
        if 0 < number < last and not missing.issuperset(before):
            missing.add(number)
    return frozenset(missing)


def make_source(case: CutCase, folder: Path) -> Path:
    """Write the recording of a case into a folder."""
    path = folder / f"020500.{case.container}"
    trimmed = case.muxing == "trimmed"
    written = folder / f"whole.{case.container}" if trimmed else path
    options = dict(_MUXING[case.muxing])
    name = _FORMATS.get(case.container, case.container)
    with (
        _usual_priority(),
        av.open(str(written), "w", format=name, options=options) as container,
    ):
        tracks = [_add_stream(container, case, index) for index in _stream_indices(case)]
        for index, frame in _frames(case):
            container.mux(tracks[index].encode(frame))
        for track in tracks:
            container.mux(track.encode(None))
    if trimmed:
        _trim(case, written, path)
        written.unlink()
    return path


@contextmanager
def _usual_priority() -> Iterator[None]:
    """Give up the real-time priority that SVT-AV1 takes for the whole program, if it may."""
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _stream_indices(case: CutCase) -> range:
    return range(1 if case.second == "none" else 2)


def _add_stream(container: OutputContainer, case: CutCase, index: int) -> VideoStream:
    options = _encoder_options(case)
    added = container.add_stream(ENCODERS[case.codec], rate=case.rate, options=options)
    track = cast("VideoStream", added)
    track.width, track.height = _size(case, index)
    track.pix_fmt = _pixel_format(case)
    track.codec_context.sample_aspect_ratio = case.pixel_aspect
    track.codec_context.time_base = case.time_base
    track.time_base = case.time_base
    track.codec_context.thread_count = 1
    if case.rotation:
        track.set_display_rotation(case.rotation)
    return track


def _size(case: CutCase, index: int) -> tuple[int, int]:
    """Return the coded width and height; the other stream is smaller."""
    return case.size if index == case.target else (64, 64)


def _pixel_format(case: CutCase) -> str:
    odd = case.size[0] % 2 or case.size[1] % 2
    if case.codec == "mjpeg":
        return "yuvj420p"
    return "yuv444p" if odd and case.codec in ("h264", "hevc") else "yuv420p"


def _encoder_options(case: CutCase) -> dict[str, str]:
    group, b_frames = str(case.keyframe_frames), str(case.b_frames)
    if case.codec == "h264":
        params = f"open-gop={int(case.open_groups)}:scenecut=0"
        return {"preset": "ultrafast", "g": group, "bf": b_frames, "x264-params": params}
    if case.codec == "hevc":
        params = (
            f"log-level=0:open-gop={int(case.open_groups)}:scenecut=0:bframes={b_frames}"
            f":keyint={group}:min-keyint={min(case.keyframe_frames, 10)}:pools=none:frame-threads=1"
        )
        return {"preset": "ultrafast", "x265-params": params}
    if case.codec == "vp9":
        hidden = {"auto-alt-ref": "1", "lag-in-frames": "12"} if case.b_frames else {}
        return {"g": group, "cpu-used": "8", "deadline": "realtime", "b": "1M"} | hidden
    if case.codec == "av1":
        return {"g": group, "preset": "6", "crf": "18"}
    quality = {"b": "4M", "g": group, "bf": b_frames, "sc_threshold": "1000000000"}
    return quality if case.codec == "mpeg4" else {"b": "4M"}


def _frames(case: CutCase) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (stream index, frame) in the order of time."""
    ticks = frame_ticks(case)
    early = min(ticks.values()) if case.apart else 0  # ticks
    for number, tick in ticks.items():
        for index in _stream_indices(case):
            own = number if index == case.target else _OTHER_NUMBERS + number
            width, height = _size(case, index)
            sideways = case.rotation in (90, -90)
            upright = painted(own, *((height, width) if sideways else (width, height)))
            stored = np.ascontiguousarray(np.rot90(upright, -case.rotation // 90))
            frame = av.VideoFrame.from_ndarray(stored, format="gray")
            frame.pts = tick if index == case.target else tick - early
            frame.time_base = case.time_base
            yield index, frame


def trimmed_at(case: CutCase) -> tuple[int, Fraction]:
    """Return the first whole frame behind the cut, and seconds from the first frame to the cut."""
    random = np.random.default_rng((case.seed, 11))
    ticks = frame_ticks(case)
    numbers = list(ticks)[: max(len(ticks) // 4, 2)]
    place = int(random.integers(1, len(numbers)))
    first, before, at = (ticks[numbers[n]] * case.time_base for n in (0, place - 1, place))
    cut_s = at if random.random() < 0.5 else (before + at) / 2
    return numbers[place], cut_s - first


def _trim(case: CutCase, whole: Path, path: Path) -> None:
    at_s = math.floor(trimmed_at(case)[1] * 1_000_000) / 1_000_000
    command = ["ffmpeg", "-nostdin", "-v", "error", "-ss", f"{at_s:.6f}", "-i", str(whole)]
    subprocess.run([*command, "-c", "copy", str(path)], check=True, timeout=60)


def truth_of(case: CutCase, path: Path) -> Truth:
    """Return the truth about a made file.

    Raises
    ------
    AssertionError
        The file does not show what was painted, at the times that were meant: the case is wrong.
    """
    ticks = frame_ticks(case)
    seen, keys = _seen(case, path)
    numbers = [number for number, _ in seen]
    begin = _first_shown(case, numbers[0])
    assert numbers == [number for number in ticks if number >= begin], numbers
    meant = [ticks[number] * case.time_base for number in numbers]
    shift = seen[0][1] - meant[0]
    rounding = _ROUNDING_S.get(case.container, Fraction(0))
    if case.muxing == "trimmed":
        rounding = _TRIMMED_ROUNDING_S
    error_s = rounding if shift else rounding / 2
    times = tuple(time_s + shift for time_s in meant)
    off = max(abs(found - time_s) for (_, found), time_s in zip(seen, times, strict=True))
    assert off <= error_s, f"times differ by {float(off)} s"
    width, height = case.size[0] * case.pixel_aspect, Fraction(case.size[1])
    size = (height, width) if case.rotation in (90, -90) else (width, height)
    torn = _torn(case, times, keys)
    return Truth(tuple(numbers), times, 1 / case.rate, error_s, size, torn)


def _torn(case: CutCase, times_s: Sequence[Fraction], keys: Sequence[int]) -> tuple[range, ...]:
    if case.is_variable or case.codec in ("h264", "hevc", "mjpeg"):
        return ()
    steps = enumerate(pairwise(times_s), start=1)
    holes = [place for place, (a, b) in steps if b - a > Fraction(3, 2) / case.rate]
    ends = [min((key for key in keys if key >= place), default=len(times_s)) for place in holes]
    return tuple(range(a, b) for a, b in zip(holes, ends, strict=True) if a < b)


def _first_shown(case: CutCase, seen: int) -> int:
    """Return the number that a file begins with.

    A cut within a frame may show its rest. ffmpeg seeks by decoding time, so that it may begin with
    a keyframe which is shown some B-frames later.
    """
    if case.muxing != "trimmed":
        return 0
    whole, _ = trimmed_at(case)
    earlier = max(number for number in frame_ticks(case) if number < whole)
    assert earlier <= seen <= whole + case.b_frames, f"{seen} is shown first, not {whole}"
    return seen


def _seen(case: CutCase, path: Path) -> tuple[list[tuple[int, Fraction]], list[int]]:
    """Return number and container time of each frame, and which are keyframes.

    AVI has no times, but counts frames.
    """
    found, keys = [], []
    with av.open(str(path)) as container:
        track = container.streams.video[case.target]
        for place, frame in enumerate(container.decode(track)):
            number = read_frame(frame, case.rotation // 90)
            assert number is not None, f"frame {place} of the source is not legible"
            pts = frame.pts if frame.pts is not None else 0
            time_s = place / case.rate if case.container == "avi" else pts * track.time_base
            found.append((number, Fraction(time_s)))
            if frame.key_frame:
                keys.append(place)
    return found, keys
