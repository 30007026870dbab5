"""Crops and squeezes between two pictures of one scene are found, and strange pictures do not fit.

A large ground is averaged onto thumbnails, as a camera's chip does it for each of its streams.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dogclips.alignment.content import MIN_FIT
from dogclips.alignment.view import PictureView, fit_view
from dogclips.streams import THUMBNAIL_COLUMNS, THUMBNAIL_ROWS
from tests.alignment.sensor import textured

WHOLE = (-1.0, 1.0)
Part = tuple[float, float]  # low and high, from -1 to 1 over the ground


def taken(ground: NDArray[np.float64], x: Part = WHOLE, y: Part = WHOLE) -> NDArray[np.float64]:
    """Return the thumbnail of a part of the ground, (1, rows, columns)."""
    shrunk = ground
    for axis, part, cells in ((0, y, THUMBNAIL_ROWS), (1, x, THUMBNAIL_COLUMNS)):
        pixels = ground.shape[axis]
        edges = (np.linspace(*part, cells + 1) + 1) / 2 * pixels
        total = np.insert(np.cumsum(np.moveaxis(shrunk, axis, 0), axis=0), 0, 0, axis=0)
        low = np.minimum(edges.astype(int), pixels - 1)
        share = (edges - low)[:, None]
        at_edges = total[low] * (1 - share) + total[low + 1] * share
        means = np.diff(at_edges, axis=0) / np.diff(edges)[:, None]
        shrunk = np.moveaxis(means, 0, axis)
    return shrunk[None]


def graded(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the picture with another gamma, contrast and brightness, in whole gray levels."""
    light = (picture / 255) ** 0.7
    return np.asarray(np.clip(np.rint(255 * (0.8 * (light - 0.5) + 0.55)), 0, 255))


def view_of(x: Part, y: Part) -> PictureView:
    """Return the true view of a target that sees only a part of the reference's picture."""
    scale = (2 / (x[1] - x[0]), 2 / (y[1] - y[0]))
    return PictureView(scale, (-scale[0] * sum(x) / 2, -scale[1] * sum(y) / 2))


def off_by_pixels(view: PictureView, truth: PictureView) -> float:
    """Return how far a point of what both see lies from its true place, in thumbnail pixels."""
    return max(
        abs((view.scale[axis] - truth.scale[axis]) * at + view.shift[axis] - truth.shift[axis])
        * pixels
        / 2
        for axis, pixels in enumerate((THUMBNAIL_COLUMNS, THUMBNAIL_ROWS))
        for at in truth.shared()[axis]
    )


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (WHOLE, WHOLE),
        ((-0.95, 0.95), (-0.95, 0.95)),
        ((-0.85, 0.85), (-0.85, 0.85)),
        ((-1.0, 0.7), (-1.0, 0.7)),
        ((-0.7, 1.0), (-1.0, 0.7)),
        ((-0.75, 0.75), WHOLE),
        (WHOLE, (-0.9, 0.8)),
    ],
    ids=["none", "5 %", "15 %", "upper left", "upper right", "4:3 of 16:9", "wider"],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_crop_is_found_within_half_a_pixel_whatever_the_grading(
    x: Part, y: Part, seed: int
) -> None:
    ground = textured(np.random.default_rng(seed), 180, 320)

    view = fit_view(taken(ground), graded(taken(ground, x, y)))

    assert off_by_pixels(view, view_of(x, y)) < 0.5
    assert view.fit > 0.95


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.floats(0, 0.15), st.floats(0, 1), st.floats(0, 0.15), st.floats(0, 1))
def test_whichever_stream_sees_less_the_view_is_found(
    crop_x: float, at_x: float, crop_y: float, at_y: float
) -> None:
    ground = textured(np.random.default_rng(3), 180, 320)
    x, y = (
        (-1 + 2 * crop * at, 1 - 2 * crop * (1 - at))
        for crop, at in ((crop_x, at_x), (crop_y, at_y))
    )

    view = fit_view(taken(ground, x, y), graded(taken(ground)))

    there = view_of(x, y)
    back = tuple(1 / side for side in there.scale)
    truth = PictureView((back[0], back[1]), (-there.shift[0] * back[0], -there.shift[1] * back[1]))
    assert off_by_pixels(view, truth) < 0.5


def test_a_view_that_is_nearly_right_is_improved() -> None:
    ground = textured(np.random.default_rng(4), 180, 320)
    truth = view_of((-0.85, 0.9), (-0.9, 0.95))
    start = PictureView((truth.scale[0] + 0.02, truth.scale[1] - 0.02), truth.shift)

    view = fit_view(taken(ground), taken(ground, (-0.85, 0.9), (-0.9, 0.95)), start)

    assert off_by_pixels(view, truth) < 0.3
    assert not start.is_near(truth)
    assert view.is_near(PictureView(view.scale, view.shift))


@pytest.mark.parametrize("seed", range(12))
def test_pictures_of_different_scenes_do_not_fit(seed: int) -> None:
    one, other = (textured(np.random.default_rng((seed, k)), 180, 320) for k in (0, 1))

    assert fit_view(taken(one), taken(other)).fit < MIN_FIT


@pytest.mark.parametrize("flat", ["reference", "target", "both"])
def test_a_flat_picture_fits_nothing(flat: str) -> None:
    scene = taken(textured(np.random.default_rng(5), 180, 320))
    gray = np.full_like(scene, 128)

    view = fit_view(gray if flat != "target" else scene, gray if flat != "reference" else scene)

    assert view.fit < MIN_FIT
    assert np.isfinite([*view.scale, *view.shift, view.fit]).all()


@pytest.mark.parametrize(
    ("x", "y"), [((-0.85, 0.85), (-0.85, 0.85)), ((-1.0, 0.7), (-0.8, 1.0)), ((-0.7, 0.9), WHOLE)]
)
def test_both_samplers_take_the_same_part_of_the_scene(x: Part, y: Part) -> None:
    ground = textured(np.random.default_rng(6), 180, 320)
    whole, part, view = taken(ground), taken(ground, x, y), view_of(x, y)

    for one, other, between in (
        (whole, part, view),
        (part, whole, fit_view(part, whole)),
    ):
        own, same = between.reference_sampler()(one), between.target_sampler()(other)
        assert np.corrcoef(own.ravel(), same.ravel())[0, 1] > 0.97
    assert np.allclose(view.shared(), (x, y))


def test_what_one_stream_alone_sees_is_in_no_sample() -> None:
    random = np.random.default_rng(7)
    view = view_of((-0.75, 0.75), WHOLE)
    picture = random.uniform(0, 255, (1, THUMBNAIL_ROWS, THUMBNAIL_COLUMNS))
    other = picture.copy()
    other[:, :, : THUMBNAIL_COLUMNS // 8] = 0
    other[:, :, -THUMBNAIL_COLUMNS // 8 :] = 255

    sample = view.reference_sampler()

    assert np.allclose(sample(picture), sample(other), atol=1e-3)
    assert not np.allclose(view.target_sampler()(picture), view.target_sampler()(other))
