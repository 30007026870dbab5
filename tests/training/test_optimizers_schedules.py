from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dogclips.training.config import ScheduleConfig
from dogclips.training.optimizers import lr_share


def shares(total: int = 100, **schedule: Any) -> list[float]:
    """Return the shares of a run of ten epochs, and that after its last step."""
    config = ScheduleConfig.model_validate(schedule)
    return [lr_share(i, config, steps_per_epoch=total // 10, total=total) for i in range(total + 1)]


@given(st.sampled_from([0.0, 0.5, 1.0, 3.0]), st.sampled_from([0.0, 0.1]))
def test_the_cosine_rises_and_then_falls_to_its_floor(warmup: float, floor: float) -> None:
    found = shares(warmup_epochs=warmup, min_share=floor)
    top = int(10 * warmup)
    assert max(found) == found[top] == 1.0
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)
    assert found[-1] == pytest.approx(floor)
    assert min(found) > 0 or floor == 0


def test_the_rate_falls_at_once_after_the_epochs_that_are_named() -> None:
    found = shares(name="steps", steps=[5, 9], gamma=0.1, warmup_epochs=1)
    assert found[:10] == pytest.approx([(i + 1) / 11 for i in range(10)])
    assert found[10:50] == [1.0] * 40
    assert found[50:90] == pytest.approx([0.1] * 40)
    assert found[90:] == pytest.approx([0.01] * 11)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ({"name": "steps"}, r"no epochs: set schedule.steps, .* \[11, 14\]"),
        ({"name": "steps", "steps": [14, 11]}, "do not ascend"),
        ({"steps": [11]}, "steps is only for steps: remove it, or set schedule.name"),
        ({"name": "constant", "min_share": 0.1}, "min_share is only for cosine"),
    ],
    ids=["no steps", "descending", "steps of a cosine", "floor of a constant"],
)
def test_a_schedule_that_cannot_be_meant_is_refused(schedule: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ScheduleConfig.model_validate(schedule)
