"""Scenes drawn by a seed, with the statistics of real recordings, and scenes made to deceive.

Everything is gray, 320 x 180. A still, textured background; animals with limbs that walk smooth
random paths with pauses; light that drifts; the noise of the sensor on top, different in every
frame and the same for both streams, because both come from one sensor.

What would make these scenes easier than real ones, and is avoided: a uniform background (no
texture for the codec to smear), animals that never stop, clean pictures (in which two streams
would agree to the last bit), and pixel noise that survives into both streams only because the
pictures are coded too well (the cases use low bitrates).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
Random = np.random.Generator

HEIGHT, WIDTH = 180, 320
NUM_FRAMES: Final = 800
_PATCH = 35  # half the side of the square an animal is drawn in, in pixels
_NOISE_PICTURES = 12

# Of an animal facing right, in units of its size: centre x, y, half axes; then the four legs.
_BODY = ((0.0, 0.0, 1.0, 0.42), (1.05, -0.35, 0.38, 0.3), (-1.15, -0.3, 0.35, 0.1))
_LEGS = ((0.65, 0.0), (0.45, np.pi), (-0.55, np.pi / 2), (-0.75, 3 * np.pi / 2))


@dataclass(frozen=True)
class Look:
    """What kind of recording a rendered scene is."""

    animals: int = 2
    active: float = 0.6  # share of the time in which an animal walks
    speed: float = 1.2  # pixels a frame while it walks
    contrast: float = 1.0
    noise: float = 2.0  # standard deviation of the sensor, in gray levels
    light: float = 0.05  # how far the light drifts
    sway: float = 0.0  # pixels that a bush is moved by the wind
    shake: float = 0.0  # pixels that the hand trembles
    pan: float = 0.0  # pixels that the camera turns, over the scene
    fan_period: int = 0  # frames of a fan's turn; 0: no fan
    lamp: float = 0.0  # depth of a lamp that flickers with an exact period
    crossing: bool = False  # one animal crosses once, else nothing happens


LOOKS: Final[dict[str, Look]] = {
    "yard": Look(),
    "kennel": Look(animals=3, active=0.35, speed=0.8),
    "sleep": Look(animals=1, active=0.05, speed=0.5, light=0.03),
    "night": Look(animals=2, active=0.3, contrast=0.35, noise=5.0, light=0.02),
    "darkest": Look(animals=1, active=0.15, contrast=0.2, noise=7.0, speed=0.7, light=0.0),
    "crossing": Look(animals=1, crossing=True, speed=2.5),
    "wind": Look(animals=1, active=0.3, sway=2.0),
    "hand": Look(animals=1, active=0.7, shake=2.5),
    "pan": Look(animals=2, active=0.5, shake=0.7, pan=90.0),
    "fan-dog": Look(animals=1, active=0.25, fan_period=24),
    "lamp-dog": Look(animals=2, active=0.3, lamp=0.25),
}
# Nothing in these tells one lag from another, or only what a codec may throw away: the answer
# must be a refusal, or exact.
DECEITS: Final[tuple[str, ...]] = (
    "noise",
    "still",
    "pendulum",
    "fan-noise",
    "flicker",
    "loop",
)


def render(kind: str, seed: int) -> Gray:
    """Draw all frames of a scene, shape (NUM_FRAMES, HEIGHT, WIDTH)."""
    random = np.random.default_rng((seed, *kind.encode()))
    if kind in LOOKS:
        return _film(LOOKS[kind], random, NUM_FRAMES)
    return _DECEIVE[kind](random)


def _film(look: Look, random: Random, num_frames: int) -> Gray:
    margin = 12 + int(abs(look.pan))
    canvas = _background(random, HEIGHT + 24, WIDTH + 2 * margin) * look.contrast
    canvas += np.float32(55 * (1 - look.contrast))  # infrared pictures are pale, not black
    walks = [_walk(look, random, num_frames) for _ in range(look.animals)]
    camera = _camera(look, random, num_frames, margin)
    light = 1 + look.light * _smooth(random, num_frames, 150)
    noises = _noises(random, look.noise)
    film = np.empty((num_frames, HEIGHT, WIDTH), np.uint8)
    for k in range(num_frames):
        picture = _seen(canvas, camera[k])
        _decorate(picture, look, k, canvas)
        for walk in walks:
            _draw_animal(picture, walk, k, camera[k] - camera[0], look.contrast)
        flicker = 1 + look.lamp * np.sin(2 * np.pi * k / 10) if look.lamp else 1.0
        film[k] = _exposed(picture * np.float32(light[k] * flicker), random, noises)
    return film


def _exposed(picture: Floats, random: Random, noises: Floats) -> Gray:
    """Add the sensor's noise: a pool of pictures, each time turned and moved."""
    noise = noises[random.integers(len(noises))]
    row, column = (int(random.integers(size)) for size in (64, 64))
    noise = noise[row : row + HEIGHT, column : column + WIDTH]
    signed = picture + noise if random.random() < 0.5 else picture - noise
    return np.clip(signed + 0.5, 0, 255).astype(np.uint8)


def _noises(random: Random, deviation: float) -> Floats:
    shape = (_NOISE_PICTURES, HEIGHT + 64, WIDTH + 64)
    return random.standard_normal(shape, dtype=np.float32) * np.float32(deviation)


def _background(random: Random, height: int, width: int) -> Floats:
    """Return brightness 40 to 200: a texture whose spectrum falls as in photographs, and things."""
    fy = np.fft.fftfreq(height)[:, None]
    fx = np.fft.rfftfreq(width)[None, :]
    spectrum = np.fft.rfft2(random.standard_normal((height, width)))
    texture = np.fft.irfft2(spectrum / (0.004 + np.hypot(fx, fy)) ** 1.6, s=(height, width))
    ground = (110 + 30 * texture / texture.std()).astype(np.float32)
    for _ in range(int(random.integers(3, 9))):  # walls, doors, bowls
        row, column = int(random.integers(height)), int(random.integers(width))
        rows, columns = int(random.integers(10, 80)), int(random.integers(8, 90))
        ground[row : row + rows, column : column + columns] += random.uniform(-45, 45)
    return np.clip(ground, 30, 210)


def _smooth(random: Random, count: int, width: int) -> NDArray[np.float64]:
    """Return noise of variance about 1 that changes over `width` frames."""
    window = np.hanning(width + 2)
    noise = random.standard_normal(count + width + 1)
    return np.convolve(noise, window / np.sqrt((window**2).sum()), mode="valid")[:count]


def _camera(look: Look, random: Random, count: int, margin: int) -> NDArray[np.int64]:
    """Return where the picture's corner lies on the canvas, in whole pixels, shape (count, 2)."""
    path = np.zeros((count, 2))
    if look.shake:
        path += look.shake * np.stack([_smooth(random, count, 9) for _ in range(2)], axis=1)
    if look.pan:
        turn = _smooth(random, count, 200)
        path[:, 1] += look.pan * turn / max(np.abs(turn).max(), 1e-9)
    path += (12, margin)
    return np.rint(np.clip(path, 0, (24, 2 * margin))).astype(np.int64)


def _seen(canvas: Floats, corner: NDArray[np.int64]) -> Floats:
    row, column = int(corner[0]), int(corner[1])
    return canvas[row : row + HEIGHT, column : column + WIDTH].copy()


def _decorate(picture: Floats, look: Look, k: int, canvas: Floats) -> None:
    if look.sway:  # a bush: neither periodic nor random, like wind
        moved = look.sway * (np.sin(k / 7.3) + np.sin(k / 11.7 + np.sin(k / 41)))
        column = round(200 + moved)
        picture[20:100, 210:290] = canvas[20:100, column : column + 80]
    if look.fan_period:
        _draw_fan(picture, k, look.fan_period, look.contrast)


def _draw_fan(picture: Floats, k: int, period: int, contrast: float) -> None:
    y, x = np.mgrid[-24:25, -24:25].astype(np.float32)
    blades = np.cos(3 * np.arctan2(y, x) + 2 * np.pi * (k % period) / period)
    blades[np.hypot(x, y) > 24] = 0
    picture[10:59, 250:299] += np.float32(45 * contrast) * blades.astype(np.float32)


@dataclass(frozen=True)
class _Walk:
    """An animal's way: places in pixels, the phase of its legs, where it looks, breath."""

    places: NDArray[np.float64]  # (frames, 2): x, y
    stride: NDArray[np.float64]
    facing: NDArray[np.float64]
    breath: NDArray[np.float64]
    size: float
    shade: float


def _walk(look: Look, random: Random, count: int) -> _Walk:
    speed = look.speed * _activity(look, random, count) * (1 + 0.3 * _smooth(random, count, 20))
    heading = random.uniform(0, 2 * np.pi) + 1.6 * _smooth(random, count, 60)
    if look.crossing:
        heading = np.where(random.random() < 0.5, 0.0, np.pi) + 0.1 * heading
    steps = np.stack([speed * np.cos(heading), 0.5 * speed * np.sin(heading)], axis=1)
    start = random.uniform((40, 60), (280, 150))
    if look.crossing:
        start[0] = -60 if np.cos(heading[0]) > 0 else WIDTH + 60
    places = start + np.cumsum(steps, axis=0)
    if not look.crossing:
        places = _folded(places, np.array([25.0, 45.0]), np.array([295.0, 160.0]))
    dx = np.gradient(places[:, 0])
    facing = np.sign(_held(np.where(np.abs(dx) > 0.05, np.sign(dx), 0)))
    # Breath comes and goes: no exact period, or it would be a clock of its own.
    breath = np.sin(np.cumsum(0.22 + 0.05 * _smooth(random, count, 40)))
    size = float(random.uniform(11, 19))
    shade = float(random.choice([25.0, 60.0, 190.0, 235.0]))
    return _Walk(places, np.cumsum(np.abs(speed)) / size * 3, facing, breath, size, shade)


def _activity(look: Look, random: Random, count: int) -> NDArray[np.float64]:
    """Return 0 to 1: bouts of walking that make up the wanted share, with soft starts."""
    wave = _smooth(random, count, 70)
    if look.crossing:
        first = int(random.integers(count // 8, count // 2))
        wave = -np.abs(np.arange(count) - first - 100.0)
        return np.clip(wave + 100, 0, 1)
    level = np.quantile(wave, 1 - look.active)
    return np.clip((wave - level) * 6, 0, 1)


def _held(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Repeat the last sign where there is none."""
    known = np.maximum.accumulate(np.where(signs != 0, np.arange(len(signs)), 0))
    held = signs[known]
    return np.where(held == 0, 1.0, held)


def _folded(
    places: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return paths that turn back at the walls."""
    span = high - low
    phase = np.mod(places - low, 2 * span)
    return low + np.where(phase > span, 2 * span - phase, phase)


def _draw_animal(
    picture: Floats, walk: _Walk, k: int, camera: NDArray[np.int64], contrast: float
) -> None:
    centre = walk.places[k] - camera[::-1]
    column, row = (int(v) for v in np.floor(centre))
    rows = slice(max(row - _PATCH, 0), min(row + _PATCH, HEIGHT))
    columns = slice(max(column - _PATCH, 0), min(column + _PATCH, WIDTH))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    y = (np.arange(rows.start, rows.stop) - centre[1]).astype(np.float32)[:, None] / walk.size
    x = (np.arange(columns.start, columns.stop) - centre[0]).astype(np.float32)[None, :]
    x = x * np.float32(walk.facing[k]) / walk.size
    cover = np.zeros((y.shape[0], x.shape[1]), np.float32)
    for part_x, part_y, half_x, half_y in _parts(walk, k):
        inside = 1 - np.sqrt(((x - part_x) / half_x) ** 2 + ((y - part_y) / half_y) ** 2)
        np.maximum(cover, np.clip(inside * np.float32(half_y * walk.size), 0, 1), out=cover)
    region = picture[rows, columns]
    shade = np.float32(walk.shade * contrast + 55 * (1 - contrast))
    region += cover * (shade - region)


def _parts(walk: _Walk, k: int) -> list[tuple[float, float, float, float]]:
    swell = 1 + 0.05 * float(walk.breath[k])
    x, y, half_x, half_y = _BODY[0]
    parts = [(x, y, half_x, half_y * swell), *_BODY[1:]]
    for at, phase in _LEGS:
        swing = 0.3 * float(np.sin(walk.stride[k] + phase))
        parts.append((at + swing, 0.55, 0.12, 0.4))
    return parts


def _noise_only(random: Random) -> Gray:
    ground = _background(random, HEIGHT, WIDTH)
    noises = _noises(random, 4.0)
    return np.stack([_exposed(ground, random, noises) for _ in range(NUM_FRAMES)])


def _still(random: Random) -> Gray:
    ground = _background(random, HEIGHT, WIDTH).astype(np.uint8)
    return np.repeat(ground[None], NUM_FRAMES, axis=0)


def _pendulum(random: Random) -> Gray:
    ground = _background(random, HEIGHT, WIDTH)
    period = int(random.integers(18, 41))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    turn = []
    for k in range(period):
        angle = 0.7 * np.sin(2 * np.pi * k / period)
        bob = np.hypot(x - 160 - 130 * np.sin(angle), y - 10 - 130 * np.cos(angle))
        turn.append(np.where(bob < 14, np.float32(230), ground).astype(np.uint8))
    return np.stack([turn[k % period] for k in range(NUM_FRAMES)])


def _fan_noise(random: Random) -> Gray:
    period = int(random.integers(12, 31))
    return _film(Look(animals=0, light=0.0, noise=3.0, fan_period=period), random, NUM_FRAMES)


def _flicker(random: Random) -> Gray:
    # 2 Hz at 20 fps; nothing else but the sensor's noise.
    return _film(Look(animals=0, light=0.0, noise=2.0, lamp=0.3), random, NUM_FRAMES)


def _loop(random: Random) -> Gray:
    """Return a recording that somebody plays to the camera again and again, noise included."""
    period = int(random.integers(60, 121))
    once = _film(LOOKS["yard"], random, period)
    return once[np.arange(NUM_FRAMES) % period]


_DECEIVE: Final[dict[str, Callable[[Random], Gray]]] = {
    "noise": _noise_only,
    "still": _still,
    "pendulum": _pendulum,
    "fan-noise": _fan_noise,
    "flicker": _flicker,
    "loop": _loop,
}
