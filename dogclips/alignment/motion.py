"""What moved between two frames, as a vector that does not know brightness, size or codec."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.view import Sampler
from dogclips.streams import Stream, Thumbnails

_ALL_INTRA = 0.9  # share of keyframes


@dataclass(frozen=True, eq=False)
class Motion:
    """Differences between each of N frames and the one `base_s` seconds before it."""

    indices: NDArray[np.int64]  # (N,), of the frames in `Stream.pts`, ascending
    times_s: NDArray[np.float64]  # (N,), container times, for laying frames on a grid
    # (N, cells), float32, of length below 1: near 1 where something moves, small where only noise
    # is left, 0 where there is nothing to compare with
    vectors: NDArray[np.float32]

    @property
    def step_s(self) -> float:
        """Return the usual distance of frames in seconds."""
        return float(np.median(np.diff(self.times_s)))

    @property
    def energy(self) -> NDArray[np.float32]:
        """Return the squared length of each vector."""
        squared: NDArray[np.float32] = np.einsum("nc,nc->n", self.vectors, self.vectors)
        return squared


def motion_of(stream: Stream, seen: Thumbnails, sampler: Sampler, base_s: float) -> Motion:
    """Return the motion in a look at a stream.

    Light that changes everywhere (flicker, auto exposure) is taken out: from each difference its
    share of the still scene and of plain brightness. Keyframes look different without any motion
    and are left out, with their successors. Cells that always change count less.
    """
    times_s = stream.times_s[seen.indices]
    pictures = sampler(seen.pictures)
    before, usable = _earlier(times_s, base_s)
    if not is_all_intra(seen):
        keyframes = np.cumsum(seen.keyframes)  # none may come between the two frames
        usable &= keyframes == keyframes[before]
    differences = _without_light(pictures - pictures[before], pictures)
    differences[~usable] = 0
    return Motion(seen.indices, times_s, _normalised(differences, usable))


def is_all_intra(seen: Thumbnails) -> bool:
    """Return whether every frame is a keyframe (MJPEG and the like), so that none stands out."""
    return bool(seen.keyframes.mean() > _ALL_INTRA) if len(seen.keyframes) else False


def _earlier(
    times_s: NDArray[np.float64], base_s: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for each frame the one `base_s` before it, and whether there is one."""
    # Both times may be rounded to milliseconds.
    before = np.searchsorted(times_s, times_s - base_s * 1.001 - 0.0011, side="left")
    before = np.clip(before, 0, np.maximum(np.arange(len(times_s)) - 1, 0)).astype(np.int64)
    distance = times_s - times_s[before]
    return before, np.abs(distance - base_s) < 0.3 * base_s


def _without_light(
    differences: NDArray[np.float32], pictures: NDArray[np.float32]
) -> NDArray[np.float32]:
    still = pictures.mean(axis=0) if len(pictures) else np.zeros(pictures.shape[1], np.float32)
    light = np.stack([np.ones_like(still), still - still.mean()])
    norms = np.linalg.norm(light, axis=1, keepdims=True)
    light = light / np.maximum(norms, 1e-6)
    return np.asarray(differences - (differences @ light.T) @ light, dtype=np.float32)


def _normalised(differences: NDArray[np.float32], usable: NDArray[np.bool_]) -> NDArray[np.float32]:
    if not usable.any():
        return differences
    variance = (differences[usable] ** 2).mean(axis=0)
    usual = max(float(np.median(variance)), 1e-3)
    weighted = differences / np.sqrt(variance + usual)
    lengths = np.linalg.norm(weighted, axis=1)
    noise = float(np.median(lengths[usable]))
    return np.asarray(weighted / np.sqrt(lengths**2 + noise**2 + 1e-12)[:, None], dtype=np.float32)
