from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from dogclips.loading import Augmentation, Sampling, Views
from dogclips.loading.dataset import RandomViews
from dogclips.loading.transforms import ResizedCrop
from dogclips.media.excerpt import Excerpt
from tests.painted import write_clip

WIDE = torch.arange(128, dtype=torch.uint8).expand(2, 3, 64, 128).contiguous()  # brighter rightward


def augmented(
    augmentation: Augmentation, frames: torch.Tensor, rng: np.random.Generator
) -> torch.Tensor:
    """Return one random view (3, T, S, S)."""
    box = augmentation.box(*frames.shape[-2:], rng)
    view = augmentation.recoloured(box.view(frames, augmentation.size), rng)
    return view.transpose(0, 1)


def test_one_crop_is_the_centre() -> None:
    views = Views(64)(WIDE)
    assert views.shape == (1, 3, 2, 64, 64)
    assert views[0, 0, 0, 0, 0] == 32
    assert views[0, 0, 0, 0, -1] == 95


def test_three_crops_reach_both_ends_of_the_long_side() -> None:
    left, centre, right = Views(64, crops=3)(WIDE)[:, 0, 0, 0, 0].tolist()
    assert (left, centre, right) == (0, 32, 64)
    top, _, bottom = Views(64, crops=3)(WIDE.transpose(2, 3))[:, 0, 0, 0, 0].tolist()
    assert (top, bottom) == (0, 64)


def test_stretching_cuts_nothing_off() -> None:
    view = Views(32, fit="stretch")(WIDE)[0, 0, 0, 0]
    assert view.shape == (32,)
    assert view[0] <= 3
    assert view[-1] >= 124


def test_every_frame_size_gives_square_views() -> None:
    for height, width in [(7, 200), (200, 7), (64, 64), (33, 47)]:
        frames = torch.zeros(2, 3, height, width, dtype=torch.uint8)
        assert Views(48)(frames).shape == (1, 3, 2, 48, 48)
        drawn = augmented(Augmentation(48), frames, np.random.default_rng(0))
        assert drawn.shape == (3, 2, 48, 48)


def test_all_frames_of_a_clip_are_augmented_alike() -> None:
    view = augmented(Augmentation(48), WIDE, np.random.default_rng(1))
    assert torch.equal(view[:, 0], view[:, 1])


def test_flipping_mirrors_about_half_of_the_clips_and_can_be_switched_off() -> None:
    def mirrored(augmentation: Augmentation) -> list[bool]:
        views = (augmented(augmentation, WIDE, np.random.default_rng(seed)) for seed in range(40))
        return [bool(view[0, 0, 0, 0] > view[0, 0, 0, -1]) for view in views]

    assert 8 < sum(mirrored(Augmentation(48))) < 32
    assert not any(mirrored(Augmentation(48, flip=False)))


def test_the_same_seed_draws_the_same_view() -> None:
    drawn = [augmented(Augmentation(48), WIDE, np.random.default_rng(seed)) for seed in (5, 5, 6)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


RECOLOUR = {
    "colour jitter": v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
    "RandAugment": v2.RandAugment(2, 15),
    "random erasing": v2.RandomErasing(1.0),
}
COLOURS = torch.randint(0, 256, (3, 40, 60), dtype=torch.uint8, generator=torch.manual_seed(0))
STILL = COLOURS.expand(4, -1, -1, -1)


@pytest.mark.parametrize("transform", RECOLOUR.values(), ids=RECOLOUR.keys())
def test_what_changes_colours_does_so_alike_in_all_frames_and_by_the_seed(
    transform: v2.Transform,
) -> None:
    augmentation = Augmentation(32, flip=False, recolour=(transform,))
    plain = Augmentation(32, flip=False)
    views = [augmented(augmentation, STILL, np.random.default_rng(seed)) for seed in (1, 1, 2, 3)]
    assert views[0].dtype == torch.uint8
    assert all(torch.equal(view[:, 0], view[:, frame]) for view in views for frame in range(4))
    assert torch.equal(views[0], views[1])
    assert len({tuple(view.flatten().tolist()) for view in views}) == 3
    assert not torch.equal(views[0], augmented(plain, STILL, np.random.default_rng(1)))


def test_torchs_own_generator_neither_decides_nor_notices() -> None:
    augmentation = Augmentation(32, recolour=tuple(RECOLOUR.values()))
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = augmented(augmentation, STILL, np.random.default_rng(0))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(6)
    assert torch.equal(augmented(augmentation, STILL, np.random.default_rng(0)), first)


def test_a_resized_crop_has_the_wanted_area_and_shape() -> None:
    crop = ResizedCrop(scale=(0.1, 0.5), ratio=(0.75, 4 / 3))
    boxes = [crop.box(200, 300, np.random.default_rng(seed)) for seed in range(200)]
    shares = [box.height * box.width / 60_000 for box in boxes]
    ratios = [box.width / box.height for box in boxes]
    assert min(shares) == pytest.approx(0.1, abs=0.02)
    assert max(shares) == pytest.approx(0.5, abs=0.02)
    assert min(ratios) == pytest.approx(0.75, abs=0.03)
    assert max(ratios) == pytest.approx(4 / 3, abs=0.05)
    assert all(box.top + box.height <= 200 and box.left + box.width <= 300 for box in boxes)


def test_a_frame_that_no_resized_crop_fits_gives_its_largest_centre() -> None:
    box = ResizedCrop(scale=(1.0, 1.0), ratio=(0.75, 4 / 3)).box(
        100, 1000, np.random.default_rng(0)
    )
    assert (box.top, box.height, box.width) == (0, 100, 133)
    assert box.left == (1000 - 133) // 2


def test_a_view_shows_between_all_of_the_short_side_and_what_the_scale_leaves() -> None:
    for seed in range(50):
        box = Augmentation(48, scale=(1.0, 2.0)).box(100, 150, np.random.default_rng(seed))
        assert 50 <= box.height == box.width <= 100
    whole = Augmentation(48, "stretch", scale=(1.0, 1.0)).box(100, 150, np.random.default_rng(0))
    assert (whole.height, whole.width) == (100, 150)


def test_frames_that_are_resized_together_or_in_parts_give_the_same_view(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = Excerpt(write_clip(tmp_path / "clip.mp4", 20, size=(96, 64)))
    load = RandomViews(Sampling(8), Augmentation(48))
    together = load(clip, np.random.default_rng(0))
    monkeypatch.setattr("dogclips.loading.dataset._SMALL_BYTES", 0)
    assert torch.equal(load(clip, np.random.default_rng(0)), together)
