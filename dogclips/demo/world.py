"""A yard with one or two dogs whose behaviours only motion tells apart.

Everything is decided by a seed: who does what in which second, where the dogs are in each frame,
how bright the yard is. A single frame shows a dog at some place, turned some way, whatever it
does; what it does shows only over time. Places are fractions of the yard, a square in the middle
of the picture as high as the picture.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dogclips.demo.numbers import Canvas, paint_number

FRAME_RATE: Final = 20
BEHAVIOURS: Final = ("lie", "run", "turn", "jump", "shake")

_BOUT_SECONDS: Final = (1, 2, 3)
_BOUT_CHANCES: Final = (0.35, 0.3, 0.35)
_AWAY_SECONDS: Final = (25, 50)  # how long the second dog is away: 25 to 49 seconds
_VISIT_SECONDS: Final = (2, 5)  # and how long it stays: 2 to 4

# In yards and seconds. All of it is large and slow enough for a model that sees four frames a
# second at 32 pixels a side.
_RUN_SPEED: Final = 1.3
_TURNS: Final = 0.75  # revolutions a second
_HOP_HEIGHT, _HOP_SECONDS = 0.42, 0.65  # a hop a second; then the dog stands until the next one
_SHAKE_WIDTH, _SHAKE_SECONDS = 0.22, 0.67
_MARGIN: Final = 0.22  # dogs keep this far from the fence, but for their own size and hops
_COAT: Final = np.array([1.0, 0.97, 0.9])  # almost white, in RGB


@dataclass(frozen=True)
class _Ellipse:
    """A part of a dog: its half axes and the place of its middle, in yards."""

    length: float
    width: float
    ahead: float  #: How far before the middle of the dog
    edge: float  #: Over which share of it the rim fades


_BODY: Final = _Ellipse(length=0.2, width=0.1, ahead=0.0, edge=0.1)
_HEAD: Final = _Ellipse(length=0.09, width=0.09, ahead=0.18, edge=0.09)


@dataclass(frozen=True)
class DogBout:
    """One dog doing one thing over whole seconds, [start_s, end_s)."""

    dog: int
    behaviour: str
    start_s: int
    end_s: int


@dataclass(frozen=True)
class Pose:
    """Where a dog's body is drawn in each frame; rows of NaN while it is away.

    `place` has shape (frames, 2): x and y in yards. `heading` has shape (frames,): radians.
    """

    place: NDArray[np.float64]
    heading: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class World:
    """One recording's truth: what happens and how it looks."""

    num_frames: int
    bouts: tuple[DogBout, ...]
    poses: tuple[Pose, Pose]
    ground: NDArray[np.float32]  # (rows, columns, 3), brightness 0 to 1, of the whole picture
    coats: tuple[float, float]
    light: NDArray[np.float64]  # (frames,), factor on brightness


def make_world(seconds: int, seed: tuple[int, ...]) -> World:
    """Make the world of one recording of just under `seconds`: its last frame period is missing.

    The bouts fill the whole seconds that the recording shows in full.
    """
    random = np.random.default_rng(seed)
    num_frames = seconds * FRAME_RATE - 1
    told = seconds - 1
    bouts = (*_bouts(random, 0, 0, told), *_visits(random, told))
    poses = (_act(random, bouts, 0, num_frames), _act(random, bouts, 1, num_frames))
    ground = _ground(random)
    coats = tuple(random.uniform(0.88, 0.97, size=2))  # below 1 in the brightest light too
    phase, period = random.uniform(0, 2 * np.pi), random.uniform(15, 40)
    time = np.arange(num_frames) / FRAME_RATE
    light: NDArray[np.float64] = 1 + 0.02 * np.sin(phase + 2 * np.pi * time / period)
    return World(num_frames, bouts, poses, ground, (coats[0], coats[1]), light)


def render(world: World, number: int, width: int, height: int) -> Canvas:
    """Draw frame `number` with its number painted in, shape (height, width, 3), RGB, uint8."""
    brightness = 255 * world.light[number]
    frame = np.empty((height, width, 3), dtype=np.uint8)
    np.multiply(_ground_of(world, width, height), brightness, out=frame, casting="unsafe")
    for pose, coat in zip(world.poses, world.coats, strict=True):
        if not np.isnan(pose.heading[number]):
            place = float(pose.place[number, 0]), float(pose.place[number, 1])
            _draw(frame, place, float(pose.heading[number]), coat * brightness)
    paint_number(frame, number)
    return frame


@lru_cache(maxsize=2)
def _ground_of(world: World, width: int, height: int) -> NDArray[np.float64]:
    """Return the ground of a picture of this size; a recording asks for the same two all along."""
    num_rows, num_columns = world.ground.shape[:2]
    rows, columns = np.arange(height) * num_rows // height, np.arange(width) * num_columns // width
    ground: NDArray[np.float64] = world.ground[rows[:, None], columns].astype(np.float64)
    return ground


def _visits(random: np.random.Generator, seconds: int) -> list[DogBout]:
    bouts: list[DogBout] = []
    start = int(random.integers(*_AWAY_SECONDS))
    while start < seconds:
        end = min(seconds, start + int(random.integers(*_VISIT_SECONDS)))
        bouts += _bouts(random, 1, start, end)
        start = end + int(random.integers(*_AWAY_SECONDS))
    return bouts


def _bouts(random: np.random.Generator, dog: int, start: int, end: int) -> list[DogBout]:
    """Fill [start, end) with bouts; a dog never does the same thing twice running."""
    bouts: list[DogBout] = []
    last = ""
    while start < end:
        last = str(random.choice([name for name in BEHAVIOURS if name != last]))
        stop = min(end, start + int(random.choice(_BOUT_SECONDS, p=_BOUT_CHANCES)))
        bouts.append(DogBout(dog, last, start, stop))
        start = stop
    return bouts


def _act(
    random: np.random.Generator, bouts: tuple[DogBout, ...], dog: int, num_frames: int
) -> Pose:
    """Move one dog through its bouts, frame by frame."""
    place = np.full((num_frames, 2), np.nan)
    heading = np.full(num_frames, np.nan)
    own = [bout for bout in bouts if bout.dog == dog]
    position = random.uniform(_MARGIN, 1 - _MARGIN, size=2)
    angle = random.uniform(0, 2 * np.pi)
    for bout in own:
        # The resident goes on with its last bout in the part of a second that nobody annotates.
        last = num_frames if dog == 0 and bout is own[-1] else bout.end_s * FRAME_RATE
        frames = slice(bout.start_s * FRAME_RATE, last)
        steps = last - frames.start
        if bout.behaviour == "run":
            path, angles = _run(random, position, steps)
        else:
            path, angles = _stay(random, bout.behaviour, position, angle, steps)
        place[frames], heading[frames] = path, angles
        position, angle = path[-1], float(angles[-1])
    return Pose(place, heading)


def _run(
    random: np.random.Generator, position: NDArray[np.float64], steps: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Straight on in a random direction, bouncing off the fence."""
    angle = random.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)])
    free = position + np.arange(steps)[:, None] * direction * _RUN_SPEED / FRAME_RATE
    # A path folded at two walls is a triangle wave; its slope's sign says which way it faces.
    room = 1 - 2 * _MARGIN
    phase = np.mod(free - _MARGIN, 2 * room)
    path = _MARGIN + np.where(phase > room, 2 * room - phase, phase)
    facing = np.where(phase > room, -direction, direction)
    return path, np.asarray(np.arctan2(facing[:, 1], facing[:, 0]))


def _stay(
    random: np.random.Generator,
    behaviour: str,
    position: NDArray[np.float64],
    angle: float,
    steps: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lie, turn on the spot, hop or shake around one place."""
    time = np.arange(steps) / FRAME_RATE
    path = np.tile(np.clip(position, _MARGIN, 1 - _MARGIN), (steps, 1))
    angles = np.full(steps, angle)
    if behaviour == "turn":
        angles = angle + random.choice((-1, 1)) * 2 * np.pi * _TURNS * time
    elif behaviour == "jump":
        done = np.minimum(time % 1 / _HOP_SECONDS, 1)  # share of the hop
        path[:, 1] += _HOP_HEIGHT * (0.4 - np.sin(np.pi * done))
    elif behaviour == "shake":
        start = random.uniform(0, 2 * np.pi)
        path[:, 0] += _SHAKE_WIDTH * np.sin(start + 2 * np.pi * time / _SHAKE_SECONDS)
    return path, angles


def _ground(random: np.random.Generator) -> NDArray[np.float32]:
    """Draw soft gray patches, different in every recording."""
    coarse = random.uniform(0.42, 0.48) + random.uniform(-0.01, 0.01, size=(10, 17, 3))
    rows, columns = np.linspace(0, 8.99, 144), np.linspace(0, 15.99, 256)
    row, column = rows.astype(int), columns.astype(int)
    down, right = (rows - row)[:, None, None], (columns - column)[None, :, None]
    upper = coarse[row][:, column] * (1 - right) + coarse[row][:, column + 1] * right
    lower = coarse[row + 1][:, column] * (1 - right) + coarse[row + 1][:, column + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, dtype=np.float32)


def _draw(frame: Canvas, place: tuple[float, float], heading: float, coat: float) -> None:
    """Draw a dog seen from above onto `frame`: a white body and a black head."""
    for shape, colour in ((_BODY, coat), (_HEAD, 0.1 * coat)):
        _draw_ellipse(frame, place, heading, shape, colour * _COAT)


def _draw_ellipse(
    frame: Canvas,
    place: tuple[float, float],
    heading: float,
    shape: _Ellipse,
    colour: NDArray[np.float64],
) -> None:
    """Draw a part of a dog, and compute nothing where the part certainly is not."""
    height, width = frame.shape[:2]
    left, top = place[0] * height + (width - height) / 2, place[1] * height
    cos, sin = np.cos(heading), np.sin(heading)
    # The softened edge ends where the shape, grown by this factor, does.
    grown = height * (1 + 0.5 / (shape.edge * height))
    reach_x = grown * math.hypot(shape.length * cos, shape.width * sin) + 1
    reach_y = grown * math.hypot(shape.length * sin, shape.width * cos) + 1
    middle_x, middle_y = (left + shape.ahead * height * cos, top + shape.ahead * height * sin)
    y0, x0 = max(0, int(middle_y - reach_y)), max(0, int(middle_x - reach_x))
    window = frame[
        y0 : max(0, int(middle_y + reach_y) + 1), x0 : max(0, int(middle_x + reach_x) + 1)
    ]
    dy = (np.arange(y0, y0 + window.shape[0]) + 0.5 - top)[:, None] / height
    dx = (np.arange(x0, x0 + window.shape[1]) + 0.5 - left)[None, :] / height
    along = dx * cos + dy * sin - shape.ahead
    across = dy * cos - dx * sin
    distance = np.sqrt((along / shape.length) ** 2 + (across / shape.width) ** 2)
    # Pixels at the rim are mixed: a shape's edge moves smoothly however small the picture is.
    cover = np.clip((1 - distance) * shape.edge * height + 0.5, 0, 1)[:, :, None]
    window[...] = window + cover * (colour - window)
