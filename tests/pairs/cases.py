"""Two streams of one sensor with a fault between them, drawn from a seed, with the truth.

What would make these cases easier or harder than real files, and how it is met:

- Numbers in the pixels: see `painting`; they are not in the brightness at all.
- Noise: one sensor, so none is added for a stream. What differs is what each codec threw away,
  and the sizes are made from the same scene frame by area averaging, as a camera's chip does.
- Keyframes: both encoders count their own frames, so after a hidden loss at the head keyframes
  still come at the same *claimed* times in both streams. They tell the wrong lag, as in a camera.
- Counts: a loss at the tail gives the same counts as one at the head, and the streams of a case
  without any loss are as long as each other.
- Scene cuts in film footage stay: an aligner may use them, a camera would not have them. Only two
  scenes of many hold any.
- A scene frame passes at the case's rate. Faster or slower than life, but both streams alike.
- Drift repeats or skips a whole frame now and then, where a real second clock would expose at
  times of its own; see `Truth.target_positions`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from dogclips.demo.numbers import paint_number
from tests.pairs.painting import PLATES, paint_code, plane, read_code
from tests.pairs.scenes import Scene, load_scene

REFERENCE, TARGET = 0, 1  # as indices of the file's streams
LEGIBLE_CRF: Final = 28

_FORMATS: Final = {
    "mp4": ("mp4", {}),
    # Without the last two the muxer lets every stream start at 0 whatever its times say. That is
    # how a head loss comes to lie in such files, but here `truthful` decides.
    "fragmented mp4": (
        "mp4",
        {"movflags": "frag_keyframe+empty_moov+frag_discont", "avoid_negative_ts": "disabled"},
    ),
    "mkv": ("matroska", {}),
    "ts": ("mpegts", {}),
}
SUFFIXES: Final = {"mp4": ".mp4", "fragmented mp4": ".mp4", "mkv": ".mkv", "ts": ".ts"}
_RATES: Final = tuple(
    Fraction(*rate)
    for rate in ((10, 1), (25, 2), (15, 1), (20, 1), (24000, 1001), (25, 1), (30000, 1001), (30, 1))
)
_LOSSES: Final = {
    "none": 0.15,
    "head": 0.22,
    "tail": 0.12,
    "middle": 0.2,
    "both": 0.08,
    "reference-head": 0.1,
    "reference-middle": 0.13,
}
_CONTAINERS: Final = {"mp4": 0.5, "fragmented mp4": 0.15, "mkv": 0.2, "ts": 0.15}
_SMALL: Final = (128 * 72, 144 * 82, 160 * 90, 192 * 108)
_LARGE: Final = (256 * 144, 288 * 162, 320 * 180, 512 * 288)
_LOWEST_DIVIDED_RATE = 5


@dataclass(frozen=True)
class PairCase:
    """One file to make; its `repr` makes it again.

    Parameters
    ----------
    scene, first_frame, num_frames, fps
        The sensor saw `num_frames` frames of the scene from `first_frame` on, at `fps`.
    gop_s, gop_target_s, crf, crf_target, b_frames, preset
        How each stream is encoded.
    container
        mp4, fragmented mp4, mkv or ts.
    loss, lost, lost_at
        Which frames are missing, of the target unless it says reference: none, head, tail,
        middle, both (`lost` in the middle and half as many at the head), reference-head,
        reference-middle; `lost` in frames of the sensor, `lost_at` as share of the stream.
    truthful
        Whether timestamps keep the hole or the late start, or are closed up and start alike.
    drift_ppm
        The target's clock: its frame j shows what the sensor saw at frame j * (1 + drift).
    target_rate_divisor, divided
        The divided stream (reference or target) has only each n-th frame.
    late_s
        Container time at which both streams start, beside what the container adds.
    crop, crop_place
        The share of width and height that the target does not see, and where: 0.5, 0.5 is the
        middle, 0, 0 the upper left.
    squeeze
        The reference's picture is 4:3 with oblong pixels.
    treated, brightness, contrast, gamma, clock
        Grading of one stream (treated: reference or target), and a clock drawn into it.
    random_drops
        Share of the target's frames that are missing with true timestamps.
    """

    seed: int
    scene: str
    first_frame: int
    num_frames: int
    fps: Fraction
    size_reference: tuple[int, int]
    size_target: tuple[int, int]
    gop_s: float = 2.0
    gop_target_s: float = 2.0
    crf: int = 26
    crf_target: int = 26
    b_frames: int = 0
    preset: str = "ultrafast"
    container: str = "mp4"
    loss: str = "none"
    lost: int = 0
    lost_at: float = 0.5
    truthful: bool = True
    drift_ppm: float = 0.0
    target_rate_divisor: int = 1
    divided: str = "target"
    late_s: float = 0.0
    crop: float = 0.0
    crop_place: tuple[float, float] = (0.5, 0.5)
    squeeze: bool = False
    treated: str = "target"
    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    clock: bool = False
    random_drops: float = 0.0

    def divisor(self, index: int) -> int:
        """Return how many sensor frames a frame of a stream (REFERENCE, TARGET) stands for."""
        return self.target_rate_divisor if index == self._index(self.divided) else 1

    def is_treated(self, index: int) -> bool:
        """Return whether a stream is graded and carries the clock."""
        return index == self._index(self.treated)

    @staticmethod
    def _index(name: str) -> int:
        return REFERENCE if name == "reference" else TARGET


@dataclass(frozen=True, eq=False)
class Truth:
    """What the frames of both streams show, in presentation order.

    Parameters
    ----------
    reference_frames, target_frames
        The scene frame that each frame shows.
    target_positions
        When the target's clock exposed each frame, in scene frames: under drift not whole, and up
        to half a frame from the scene frame shown; else equal to it.
    """

    reference_frames: NDArray[np.int64]
    target_frames: NDArray[np.int64]
    target_positions: NDArray[np.float64]


@dataclass(frozen=True)
class _Shown:
    """One frame of a stream: its time in sensor frames since the start, and what it shows."""

    tick: int
    number: int
    position: float


def draw_case(seed: int, scenes: Sequence[str]) -> PairCase:
    """Return the case of a seed; the same seed and scenes give the same case."""
    random = np.random.default_rng((seed, 2077))
    scene = load_scene(scenes[int(random.integers(len(scenes)))])
    fps = _rate(random, scene)
    num_frames = _length(random, scene, fps)
    case = PairCase(
        seed=seed,
        scene=scene.name,
        first_frame=int(random.integers(scene.num_frames - num_frames - 3)),
        num_frames=num_frames,
        fps=fps,
        **_picture(random, scene),
        **_encoding(random),
        **_fault(random, num_frames),
        **_clocks(random, fps),
    )
    # B-frames come with a delay, of as many frames of a stream as its encoder looks ahead. Without
    # an edit list it stays in the file: there the delays of both streams must be equal.
    uneven = case.target_rate_divisor > 1 or case.random_drops
    return replace(case, b_frames=0) if uneven and case.container == "fragmented mp4" else case


def make_pair(case: PairCase, path: Path) -> Truth:
    """Write the file of a case to `path` and return what its frames show."""
    streams = [shown_frames(case, index) for index in (REFERENCE, TARGET)]
    file_format, options = _FORMATS[case.container]
    with av.open(str(path), "w", format=file_format, options=options) as container:
        tracks = [_add_stream(container, case, index) for index in (REFERENCE, TARGET)]
        for index, frame in _frames(case, streams):
            container.mux(tracks[index].encode(frame))
        for track in tracks:
            container.mux(track.encode(None))
    return truth_of(case)


def truth_of(case: PairCase) -> Truth:
    """Return what the frames of a case show, without making it."""
    reference, target = (shown_frames(case, index) for index in (REFERENCE, TARGET))
    return Truth(
        np.array([shown.number for shown in reference], np.int64),
        np.array([shown.number for shown in target], np.int64),
        np.array([shown.position for shown in target], np.float64),
    )


def shows_its_numbers(path: Path, truth: Truth) -> None:
    """Assert that the numbers in the pixels of both streams, where legible, are the truth."""
    for index, expected in enumerate((truth.reference_frames, truth.target_frames)):
        numbers = read_numbers(path, index)
        assert len(numbers) == len(expected), f"stream {index}: {len(numbers)} frames decoded"
        wrong = [
            (place, number, int(truly))
            for place, (number, truly) in enumerate(zip(numbers, expected, strict=True))
            if number is not None and number != truly
        ]
        assert not wrong, f"stream {index}: (frame, painted, expected) {wrong[:5]}"


def read_numbers(path: Path, index: int) -> list[int | None]:
    """Return the numbers in the pixels of a stream's frames, None where the codec spoilt them."""
    with av.open(str(path)) as container:
        frames = container.decode(container.streams.video[index])
        return [read_code(frame, PLATES[index]) for frame in frames]


def shown_frames(case: PairCase, index: int) -> list[_Shown]:
    """Return the frames of a stream (REFERENCE or TARGET) in presentation order."""
    divisor = case.divisor(index)
    whole = _exposed(case, index)
    lost = _lost_ticks(case, index, len(whole))
    kept = [shown for shown in whole if shown.tick % divisor == 0 and shown.tick not in lost]
    if not case.truthful:
        kept = [
            _Shown(divisor * place, shown.number, shown.position)
            for place, shown in enumerate(kept)
        ]
    return _dropped(case, kept) if index == TARGET else kept


def _exposed(case: PairCase, index: int) -> list[_Shown]:
    """Return what a stream would show without any loss, one frame for each tick of its clock."""
    speed = 1 + case.drift_ppm * 1e-6 if index == TARGET else 1.0
    num_ticks = int((case.num_frames - 1) / speed) + 1
    positions = [case.first_frame + tick * speed for tick in range(num_ticks)]
    return [_Shown(tick, int(at + 0.5), at) for tick, at in enumerate(positions)]


def _lost_ticks(case: PairCase, index: int, num_ticks: int) -> frozenset[int]:
    """Return the ticks of a stream whose frames were never written."""
    whose, _, place = case.loss.rpartition("-")
    if index != (REFERENCE if whose == "reference" else TARGET) or not case.lost:
        return frozenset()
    middle = min(max(int(case.lost_at * num_ticks), 1), num_ticks - case.lost - 1)
    ranges = {
        "head": [range(case.lost)],
        "tail": [range(num_ticks - case.lost, num_ticks)],
        "middle": [range(middle, middle + case.lost)],
        "both": [range((case.lost + 1) // 2), range(middle, middle + case.lost)],
    }
    return frozenset(tick for span in ranges[place] for tick in span)


def _dropped(case: PairCase, kept: list[_Shown]) -> list[_Shown]:
    """Leave out frames at random, never the first one: its time is the stream's start."""
    if not case.random_drops:
        return kept
    random = np.random.default_rng((case.seed, 711))
    stays = random.random(len(kept)) >= case.random_drops
    stays[0] = True
    return [shown for shown, stay in zip(kept, stays, strict=True) if stay]


def _frames(
    case: PairCase, streams: Sequence[Sequence[_Shown]]
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield the frames of both streams in the order of their times."""
    scene = load_scene(case.scene)
    scalers = [_Painter(case, index) for index in (REFERENCE, TARGET)]
    order = sorted(
        (shown.tick, index, shown.number) for index, row in enumerate(streams) for shown in row
    )
    ticks = _ticks(case)
    late = round(Fraction(case.late_s) / ticks)
    for tick, index, number in order:
        frame = scalers[index].paint(scene.pictures[number], number)
        frame.pts = late + tick * case.fps.denominator
        frame.time_base = ticks
        yield index, frame


def _ticks(case: PairCase) -> Fraction:
    """Return seconds a tick of pts: a frame is a whole number of them, and so are ten seconds."""
    return Fraction(1, case.fps.numerator)


class _Painter:
    """Turns scene frames into frames of one stream."""

    def __init__(self, case: PairCase, index: int) -> None:
        self.case, self.index = case, index
        self.size = case.size_reference if index == REFERENCE else case.size_target
        self.scaler = VideoReformatter()
        self.levels = _levels(case) if case.is_treated(index) else None

    def paint(self, picture: NDArray[np.uint8], number: int) -> av.VideoFrame:
        seen = _cropped(picture, self.case) if self.index == TARGET else picture
        pixel_format = "gray" if seen.ndim == 2 else "rgb24"
        whole = av.VideoFrame.from_ndarray(seen, format=pixel_format)
        width, height = self.size
        # Threads take longer to start than such a small picture.
        frame = self.scaler.reformat(
            whole, width, height, "yuv420p", interpolation=Interpolation.AREA, threads=1
        )
        if self.levels is not None:
            brightness = plane(frame, 0)
            brightness[...] = self.levels[brightness]
        if self.case.clock and self.case.is_treated(self.index):
            _paint_clock(plane(frame, 0), int(number / self.case.fps))
        paint_code(frame, number, PLATES[self.index])
        return frame


def _levels(case: PairCase) -> NDArray[np.uint8] | None:
    if (case.brightness, case.contrast, case.gamma) == (0.0, 1.0, 1.0):
        return None
    levels = (np.arange(256) - 16) / 219
    graded = np.clip(levels, 0, 1) ** case.gamma
    graded = (graded - 0.5) * case.contrast + 0.5 + case.brightness
    return np.asarray(np.rint(16 + 219 * np.clip(graded, 0, 1)), dtype=np.uint8)


def _cropped(picture: NDArray[np.uint8], case: PairCase) -> NDArray[np.uint8]:
    if not case.crop:
        return picture
    height, width = picture.shape[:2]
    rows, columns = round(height * (1 - case.crop)), round(width * (1 - case.crop))
    row = round((height - rows) * case.crop_place[1])
    column = round((width - columns) * case.crop_place[0])
    return np.ascontiguousarray(picture[row : row + rows, column : column + columns])


def _paint_clock(brightness: NDArray[np.uint8], seconds: int) -> None:
    """Draw the seconds since the scene began, near the upper left corner."""
    plate = np.zeros((48, 18), np.uint8)
    paint_number(plate, seconds)
    digits = plate[:26] if brightness.shape[0] >= 140 else plate[:26:2, ::2]
    rows, columns = digits.shape
    brightness[4 : 4 + rows, 4 : 4 + columns] = np.where(digits, 235, 16)


def _add_stream(container: OutputContainer, case: PairCase, index: int) -> VideoStream:
    rate = case.fps / case.divisor(index)
    gop = max(1, round((case.gop_s if index == REFERENCE else case.gop_target_s) * rate))
    options = {
        "preset": case.preset,
        "crf": str(case.crf if index == REFERENCE else case.crf_target),
        "g": str(gop),
        "keyint_min": str(gop),
        "sc_threshold": "0",
        "bf": str(case.b_frames),
    }
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height = case.size_reference if index == REFERENCE else case.size_target
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = _ticks(case)
    if index == REFERENCE and case.squeeze:
        width, height = case.size_reference
        shape = load_scene(case.scene).aspect
        stream.codec_context.sample_aspect_ratio = shape * height / width
    # One thread: the same frames give the same bytes on every machine.
    stream.codec_context.thread_count = 1
    return stream


def _rate(random: np.random.Generator, scene: Scene) -> Fraction:
    """Return a rate at which the scene lasts ten seconds at least."""
    fitting = [rate for rate in _RATES if rate * 10 <= scene.num_frames - 8]
    return fitting[int(random.integers(len(fitting)))]


def _length(random: np.random.Generator, scene: Scene, fps: Fraction) -> int:
    """Return a number of frames that lasts 10 to 40 s, more often short: time is dear."""
    least, most = int(10 * fps) + 1, min(int(40 * fps), scene.num_frames - 4)
    return least + int((most - least) * random.random() ** 2)


def _picture(random: np.random.Generator, scene: Scene) -> dict[str, Any]:
    aspect = float(scene.aspect)
    small, large = (_size(float(random.choice(areas)), aspect) for areas in (_SMALL, _LARGE))
    sizes = [(small, large), (small, small), (large, small)]
    reference, target = sizes[int(random.choice(3, p=(0.75, 0.13, 0.12)))]
    squeeze = bool(random.random() < 0.12 and abs(aspect - 4 / 3) > 0.1)
    if squeeze:
        reference = _size(reference[0] * reference[1], 4 / 3)
    graded = random.random() < 0.25
    crop = float(round(random.uniform(0.01, 0.05), 3)) if random.random() < 0.15 else 0.0
    place = tuple(float(round(v, 2)) for v in random.random(2)) if random.random() < 0.5 else None
    return {
        "size_reference": reference,
        "size_target": target,
        "squeeze": squeeze,
        "crop": crop,
        "crop_place": place or (0.5, 0.5),
        "treated": str(random.choice(("reference", "target"))),
        "brightness": float(round(random.uniform(-0.1, 0.1), 3)) if graded else 0.0,
        "contrast": float(round(random.uniform(0.7, 1.2), 3)) if graded else 1.0,
        "gamma": float(round(random.uniform(0.6, 1.6), 3)) if graded else 1.0,
        "clock": bool(random.random() < 0.15),
    }


def _size(area: float, aspect: float) -> tuple[int, int]:
    """Return width and height, both even."""
    return 2 * round((area * aspect) ** 0.5 / 2), 2 * round((area / aspect) ** 0.5 / 2)


def _encoding(random: np.random.Generator) -> dict[str, Any]:
    gops = (0.5, 1.0, 1.0, 2.0, 2.0, 4.0, 10.0)
    gop_s, other = (float(random.choice(gops)) for _ in range(2))
    return {
        "gop_s": gop_s,
        "gop_target_s": gop_s if random.random() < 0.75 else other,
        "crf": int(random.integers(20, 41)),
        "crf_target": int(random.integers(20, 41)),
        "b_frames": int(random.choice((0, 2), p=(0.8, 0.2))),
        "preset": str(random.choice(("ultrafast", "superfast"), p=(0.8, 0.2))),
        "container": str(random.choice(list(_CONTAINERS), p=list(_CONTAINERS.values()))),
    }


def _fault(random: np.random.Generator, num_frames: int) -> dict[str, Any]:
    loss = str(random.choice(list(_LOSSES), p=list(_LOSSES.values())))
    lost = min(1 + int(60 * random.random() ** 1.5), num_frames // 4, 60)
    truthful = bool(random.random() < 0.35)
    return {
        "loss": loss,
        "lost": 0 if loss == "none" else lost,
        "lost_at": float(round(random.uniform(0.1, 0.9), 3)),
        "truthful": truthful or loss == "none",
    }


def _clocks(random: np.random.Generator, fps: Fraction) -> dict[str, Any]:
    """Return at most one of drift, divided rate and random drops: cameras are odd, not that odd."""
    what = str(random.choice(("plain", "drift", "divided", "drops"), p=(0.64, 0.12, 0.14, 0.1)))
    ppm = float(round(10 ** random.uniform(np.log10(50), np.log10(2000)), 1))
    divisors = [n for n in (2, 4) if fps / n >= _LOWEST_DIVIDED_RATE]
    divided = what == "divided" and bool(divisors)
    sign = -1 if random.random() < 0.5 else 1
    return {
        "drift_ppm": sign * ppm if what == "drift" else 0.0,
        "target_rate_divisor": int(random.choice(divisors)) if divided else 1,
        "divided": str(random.choice(("target", "reference"), p=(0.4, 0.6))),
        "late_s": 10.0 if random.random() < 0.1 else 0.0,
        "random_drops": 0.1 if what == "drops" else 0.0,
    }
