import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor

from dogclips.training.module import build_mix
from tests.training.tiny import batch, settings

BOTH = [pytest.param(1.0, 0.0, id="mixup"), pytest.param(0.0, 1.0, id="cutmix")]


def constant(num_clips: int, views: int = 1) -> tuple[Tensor, Tensor]:
    """Return clips whose pixels are all their number, and one-hot targets."""
    numbers = torch.arange(num_clips).float()
    return numbers.view(-1, 1, 1, 1, 1, 1).expand(-1, views, 3, 4, 16, 16), torch.eye(num_clips)


@hypothesis_settings(max_examples=20)
@given(st.integers(0, 2**31), st.sampled_from([(0.8, 0.0), (0.0, 1.0), (0.3, 0.3)]))
def test_a_target_says_how_much_of_each_clip_is_in_the_picture(
    seed: int, alphas: tuple[float, float]
) -> None:
    torch.manual_seed(seed)
    mix = build_mix(*alphas)
    assert mix is not None
    video, target = mix(*constant(4, views=2))
    assert type(video) is Tensor
    assert torch.allclose(target.sum(1), torch.ones(4))
    shown = video.mean((1, 2, 3, 4, 5))
    assert torch.allclose(shown, target @ torch.arange(4.0), atol=1e-4)


@pytest.mark.parametrize(("mixup", "cutmix"), BOTH)
def test_all_views_and_frames_of_a_clip_are_mixed_alike(mixup: float, cutmix: float) -> None:
    torch.manual_seed(3)
    mix = build_mix(mixup, cutmix)
    assert mix is not None
    video, _ = mix(*constant(3, views=2))
    assert torch.equal(video, video[:, :1, :1, :1].expand_as(video))
    assert len(video[0].unique()) == (1 if mixup else 2)


def test_several_labels_a_clip_are_mixed_like_one() -> None:
    torch.manual_seed(0)
    mix = build_mix(1.0, 0.0)
    assert mix is not None
    target = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    _, mixed = mix(constant(2)[0], target)
    share = mixed[0, 0]
    assert 0 < share < 1
    assert torch.allclose(
        mixed,
        torch.stack(
            [
                torch.stack([share, 1 + 0 * share, 1 - share]),
                torch.stack([1 - share, 1 + 0 * share, share]),
            ]
        ),
    )


def test_the_same_seed_mixes_the_same_way() -> None:
    mix = build_mix(0.8, 1.0)
    assert mix is not None
    video, target = batch(3)["video"].float(), batch(3)["target"]
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(mix(video, target))
    assert all(torch.equal(one, two) for one, two in zip(found[0], found[1], strict=True))
    assert not torch.equal(found[0][0], found[2][0])


def test_nothing_is_mixed_unless_it_is_asked_for() -> None:
    assert build_mix(0.0, 0.0) is None
    with pytest.raises(ValidationError, match=r"set data\.batch_size to 2"):
        settings(data={"batch_size": 1, "augment": {"mixup": 0.8}})
