"""The generator of pairs itself: the same seed, the same file, and numbers that are true."""

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dogclips.media.probe import probe_file
from dogclips.streams import Stream
from tests.pairs.cases import (
    LEGIBLE_CRF,
    SUFFIXES,
    PairCase,
    Truth,
    draw_case,
    make_pair,
    read_numbers,
    shown_frames,
    shows_its_numbers,
)
from tests.pairs.checks import Map, true_map, unanswered, wrong_instants
from tests.pairs.scenes import deceiving_names, is_verifiable, load_scene, rendered_names

SCENES = ("yard-0", "night-0", "loop-0")
PLAIN = PairCase(
    seed=1,
    scene="yard-0",
    first_frame=100,
    num_frames=130,
    fps=Fraction(25, 2),
    size_reference=(128, 72),
    size_target=(256, 144),
    crf=LEGIBLE_CRF,
    crf_target=LEGIBLE_CRF,
)
ODD_CASES: dict[str, dict[str, Any]] = {
    "nothing lost": {},
    "head lost, closed up": {"loss": "head", "lost": 7, "truthful": False},
    "head lost, late start": {"loss": "head", "lost": 7},
    "tail lost": {"loss": "tail", "lost": 9},
    "middle lost, closed up": {"loss": "middle", "lost": 12, "truthful": False},
    "middle lost, a hole": {"loss": "middle", "lost": 12, "container": "mkv"},
    "head and middle lost": {"loss": "both", "lost": 5, "truthful": False, "container": "ts"},
    "reference lacks its head": {"loss": "reference-head", "lost": 4, "truthful": False},
    "reference lacks frames": {"loss": "reference-middle", "lost": 30, "truthful": False},
    "fragmented, late, B-frames": {
        "container": "fragmented mp4",
        "b_frames": 2,
        "late_s": 10.0,
        "loss": "head",
        "lost": 11,
    },
    "a clock that drifts": {"drift_ppm": 2000.0, "fps": Fraction(30000, 1001)},
    "a slow clock in milliseconds": {
        "drift_ppm": -1500.0,
        "loss": "head",
        "lost": 3,
        "truthful": False,
        "fps": Fraction(24000, 1001),
        "container": "mkv",
    },
    "target at a quarter of the rate": {"target_rate_divisor": 4, "fps": Fraction(25)},
    "reference at half the rate": {
        "target_rate_divisor": 2,
        "divided": "reference",
        "loss": "head",
        "lost": 5,
        "truthful": False,
    },
    "frames dropped at random": {"random_drops": 0.1, "container": "mkv"},
    "cropped, oblong, graded, with a clock": {
        "crop": 0.05,
        "crop_place": (0.0, 1.0),
        "size_reference": (144, 108),
        "squeeze": True,
        "gamma": 1.5,
        "clock": True,
    },
}


def case_of(name: str) -> PairCase:
    return dataclasses.replace(PLAIN, **ODD_CASES[name])


@dataclasses.dataclass(frozen=True, eq=False)
class MadePair:
    case: PairCase
    path: Path
    truth: Truth
    reference: Stream
    target: Stream

    @property
    def true_map(self) -> Map:
        return true_map(self.reference, self.target, self.truth, self.case)

    def wrong(self, to_target: Map) -> list[str]:
        return wrong_instants(self.reference, self.target, self.truth, to_target, self.case)


def make(case: PairCase, folder: Path) -> MadePair:
    path = folder / f"pair{SUFFIXES[case.container]}"
    truth = make_pair(case, path)
    reference, target = probe_file(path).cameras
    return MadePair(case, path, truth, reference, target)


@pytest.fixture(scope="module", params=ODD_CASES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MadePair:
    return make(case_of(request.param), tmp_path_factory.mktemp("pair"))


def test_numbers_in_the_pixels_agree_with_the_truth(pair: MadePair) -> None:
    shows_its_numbers(pair.path, pair.truth)
    for index in range(2):
        numbers = read_numbers(pair.path, index)
        assert np.mean([number is not None for number in numbers]) > 0.95


def test_timestamps_in_the_file_are_the_ones_that_were_meant(pair: MadePair) -> None:
    shifts_s = []
    for index, stream in enumerate((pair.reference, pair.target)):
        ticks = np.array([shown.tick for shown in shown_frames(pair.case, index)])
        meant_s = ticks / float(pair.case.fps) + pair.case.late_s
        off_s = stream.pts * float(stream.time_base) - meant_s
        assert np.ptp(off_s) < 0.0011
        shifts_s.append(off_s[0])
    # Some muxers add a delay of their own (TS; B-frames where no edit list can hide them), but
    # the same to both streams.
    assert abs(shifts_s[0] - shifts_s[1]) < 0.0011
    assert 0 <= round(shifts_s[0], 3) < 2
    assert pair.case.container == "ts" or pair.case.b_frames or shifts_s[0] < 0.0011


def test_the_true_map_is_right_at_every_instant(pair: MadePair) -> None:
    assert pair.wrong(pair.true_map) == []
    assert unanswered(pair.reference, pair.truth, pair.true_map, pair.case) == 0


@pytest.mark.parametrize("frames", [-1, 1])
def test_a_map_that_is_one_frame_off_is_wrong_almost_everywhere(
    pair: MadePair, frames: int
) -> None:
    # One frame of the target; under drift one more than the construction leaves open.
    num_frames = frames * (2.5 if pair.case.drift_ppm else pair.case.divisor(1))
    true = pair.true_map

    def shifted(time_s: Fraction) -> Fraction | None:
        mapped = true(time_s)
        return None if mapped is None else mapped + Fraction(num_frames) / pair.case.fps

    lines = pair.wrong(shifted)
    assert lines
    instants = sum(int(line.split(", ")[1].split(" ")[0]) for line in lines)
    assert instants > 0.8 * len(pair.truth.reference_frames)


def test_believing_lying_timestamps_is_found_out(tmp_path: Path) -> None:
    pair = make(case_of("head lost, closed up"), tmp_path)
    assert len(pair.wrong(lambda time_s: time_s)) == 1
    lag_s = 7 / pair.case.fps
    assert pair.wrong(lambda time_s: time_s - lag_s) == []


def test_one_lag_for_a_loss_in_the_middle_is_wrong_behind_it(tmp_path: Path) -> None:
    pair = make(case_of("middle lost, closed up"), tmp_path)
    (line,) = pair.wrong(lambda time_s: time_s)
    assert line.startswith("reference frames 65-129 ")


def test_a_map_that_never_answers_is_not_wrong_but_unanswered(tmp_path: Path) -> None:
    pair = make(case_of("tail lost"), tmp_path)
    assert pair.wrong(lambda _: None) == []
    assert unanswered(pair.reference, pair.truth, lambda _: None, pair.case) == 1


def test_the_same_seed_gives_the_same_case_and_the_same_truth(tmp_path: Path) -> None:
    cases = [draw_case(seed, SCENES) for seed in range(40)]
    assert cases == [draw_case(seed, SCENES) for seed in range(40)]
    assert len(set(cases)) == 40
    short = min(cases, key=lambda case: case.num_frames)
    files = [tmp_path / f"{k}{SUFFIXES[short.container]}" for k in range(2)]
    first, second = (make_pair(short, file) for file in files)
    for field in dataclasses.fields(Truth):
        assert getattr(first, field.name).tobytes() == getattr(second, field.name).tobytes()
    numbers = [[read_numbers(file, index) for index in range(2)] for file in files]
    assert numbers[0] == numbers[1]


def test_a_case_is_made_again_from_what_is_printed() -> None:
    names = {"PairCase": PairCase, "Fraction": Fraction}
    for seed in range(20):
        case = draw_case(seed, SCENES)
        assert eval(repr(case), names) == case  # noqa: S307 (our own text)


def test_cases_last_ten_to_forty_seconds_and_keep_most_of_their_frames() -> None:
    for seed in range(200):
        case = draw_case(seed, SCENES)
        assert 10 <= case.num_frames / case.fps <= 40.1
        assert case.lost <= case.num_frames / 4
        assert case.first_frame + case.num_frames + 3 <= load_scene(case.scene).num_frames
        for index in range(2):
            shown = shown_frames(case, index)
            assert shown[-1].number < load_scene(case.scene).num_frames
            assert (case.loss == "none") <= case.truthful


def test_deceiving_scenes_are_marked() -> None:
    assert not any(is_verifiable(name) for name in deceiving_names())
    assert all(is_verifiable(name) for name in rendered_names())


def test_the_looped_scene_repeats_itself_exactly() -> None:
    pictures = load_scene("loop-0").pictures
    again = [k for k in range(60, 121) if np.array_equal(pictures[0], pictures[k])]
    assert len(again) == 1
    assert np.array_equal(pictures[5], pictures[5 + again[0]])
