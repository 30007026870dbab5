"""No label lands on a wrong frame without a warning: made pairs, drawn at random, aligned.

The seed is printed at the top of the run; `DOGCLIPS_SEED=N` repeats it. `make fuzz` runs thousands.
"""

import os

import pytest

from tests.pairs.cases import draw_case
from tests.pairs.harness import outcome_of
from tests.pairs.scenes import deceiving_names, footage_names, is_verifiable, rendered_names

NUM_CASES = 110


@pytest.mark.parametrize("number", range(NUM_CASES))
def test_every_mapped_instant_is_the_exact_frame_or_there_is_a_warning(number: int) -> None:
    scenes = [*rendered_names(1), *footage_names(), *deceiving_names()]
    case = draw_case(int(os.environ["DOGCLIPS_SEED"]) + number, scenes)

    outcome = outcome_of(case)

    assert not outcome.is_silent_error, f"{case!r}\n{outcome}"
    assert not (outcome.answer == "verified" and outcome.wrong), f"{case!r}\n{outcome.wrong}"


@pytest.mark.parametrize("name", deceiving_names())
def test_noise_repetition_and_flicker_are_never_given_a_number(name: str) -> None:
    assert not is_verifiable(name)
