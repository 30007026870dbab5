import numpy as np
import torch

from dogclips.loading import Augmentation, Views

WIDE = torch.arange(128, dtype=torch.uint8).expand(2, 3, 64, 128).contiguous()  # brighter rightward


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
        drawn = Augmentation(48)(frames, np.random.default_rng(0))
        assert drawn.shape == (3, 2, 48, 48)


def test_all_frames_of_a_clip_are_augmented_alike() -> None:
    view = Augmentation(48)(WIDE, np.random.default_rng(1))
    assert torch.equal(view[:, 0], view[:, 1])


def test_flipping_mirrors_about_half_of_the_clips_and_can_be_switched_off() -> None:
    def mirrored(augmentation: Augmentation) -> list[bool]:
        views = (augmentation(WIDE, np.random.default_rng(seed)) for seed in range(40))
        return [bool(view[0, 0, 0, 0] > view[0, 0, 0, -1]) for view in views]

    assert 8 < sum(mirrored(Augmentation(48))) < 32
    assert not any(mirrored(Augmentation(48, flip=False)))


def test_the_same_seed_draws_the_same_view() -> None:
    drawn = [Augmentation(48)(WIDE, np.random.default_rng(seed)) for seed in (5, 5, 6)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
