"""A sensor whose two streams exist only as thumbnails, drawn on demand, however long they are.

Discs wander over a textured ground, in bouts, along paths that are known at every instant: a stream
may take its pictures between those of another. Each stream's codec adds an error of its own, which
stays until the next keyframe.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.view import PictureView
from dogclips.streams import THUMBNAIL_COLUMNS, THUMBNAIL_ROWS, Stream, Thumbnails

Floats = NDArray[np.float64]

RATE = 20  # pictures of the sensor a second
TICKS = 1000  # of a stream's clock a second
_NUM_DISCS = 4
_BOUT = 60  # pictures: how fast the discs' mood changes


def stream(index: int, num_frames: int, *, rate: Fraction = Fraction(RATE)) -> Stream:
    """Return a stream that claims to start at 0, its times rounded to milliseconds."""
    numbers = np.arange(num_frames + 1)
    pts = np.rint(numbers * float(TICKS / rate)).astype(np.int64)
    return Stream(
        index=index,
        type="video",
        codec="h264",
        time_base=Fraction(1, TICKS),
        pts=pts[:-1],
        end_pts=int(pts[-1]),
        num_frames=num_frames,
    )


@dataclass(frozen=True, eq=False)
class Sensor:
    """What there is to see, of which picture `n` is taken at n / RATE.

    Parameters
    ----------
    places
        Shape (N, discs, 2): x and y of each disc, from -1 to 1.
    ground
        Shape (rows, columns): the still scene, in gray levels.
    """

    places: Floats
    ground: Floats

    def __call__(self, positions: Floats, view: PictureView) -> Floats:
        """Return the pictures at positions between 0 and N - 1, as a view lies over the whole."""
        sides = (THUMBNAIL_COLUMNS, THUMBNAIL_ROWS)
        x, y = (
            ((2 * np.arange(side) + 1) / side - 1 - view.shift[axis]) / view.scale[axis]
            for axis, side in enumerate(sides)
        )
        pictures = np.repeat(self._ground(x, y)[None], len(positions), axis=0)
        before = np.clip(positions.astype(np.int64), 0, len(self.places) - 2)
        share = (positions - before)[:, None, None]
        places = self.places[before] * (1 - share) + self.places[before + 1] * share
        for disc in range(places.shape[1]):
            across = (x[None, None, :] - places[:, disc, 0, None, None]) / 0.1
            down = (y[None, :, None] - places[:, disc, 1, None, None]) / 0.16
            cover = 1 / (1 + np.exp(np.clip(6 * (np.hypot(across, down) - 1), -40, 40)))
            pictures += cover * ((230.0, 20.0)[disc % 2] - pictures)
        return pictures

    def activity(self) -> Floats:
        """Return (N,): how far the discs go in each picture."""
        steps = np.abs(np.diff(self.places, axis=0, prepend=self.places[:1])).sum(axis=(1, 2))
        return np.asarray(steps, dtype=np.float64)

    def _ground(self, x: Floats, y: Floats) -> Floats:
        rows, columns = self.ground.shape
        across = np.interp(x, np.linspace(-1.5, 1.5, columns), np.arange(columns))
        down = np.interp(y, np.linspace(-1.5, 1.5, rows), np.arange(rows))
        at_y, at_x = (
            np.maximum(1 - np.abs(at[:, None] - np.arange(side)), 0)
            for at, side in ((down, rows), (across, columns))
        )
        return np.asarray(at_y @ self.ground @ at_x.T, dtype=np.float64)


def sensor(num_pictures: int, seed: int = 0, *, active: float = 0.5) -> Sensor:
    """Return a sensor before which discs move for about a share `active` of the time."""
    random = np.random.default_rng((seed, 41))
    mood = _smooth(random, (num_pictures, _NUM_DISCS, 1), _BOUT)
    moves = np.clip(4 * (mood - np.quantile(mood, 1 - active)), 0, 1) if active else 0 * mood
    steps = 0.03 * moves * _smooth(random, (num_pictures, _NUM_DISCS, 2), 12)
    walk = random.uniform(-1, 1, (_NUM_DISCS, 2)) + np.cumsum(steps, axis=0)
    places = np.abs((walk + 1) % 4 - 2) - 1  # reflected at the edges
    return Sensor(places, textured(random, 54, 96))


def textured(random: np.random.Generator, rows: int, columns: int) -> Floats:
    """Return a ground whose spectrum falls as in photographs, about 30 to 200."""
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None])
    spectrum = np.fft.rfft2(random.standard_normal((rows, columns))) / (0.02 + frequency) ** 1.5
    texture = np.fft.irfft2(spectrum, s=(rows, columns))
    texture *= 30 / texture.std()
    return np.asarray(np.clip(115 + texture - texture.mean(), 30, 200), dtype=np.float64)


def _smooth(random: np.random.Generator, shape: tuple[int, int, int], width: int) -> Floats:
    """Return noise of variance about 1 that changes over `width` rows."""
    window = np.hanning(width + 2)
    window /= np.sqrt((window**2).sum())
    noise = random.standard_normal((shape[0] + width + 1, shape[1] * shape[2]))
    rows = [np.convolve(column, window, mode="valid")[: shape[0]] for column in noise.T]
    return np.asarray(np.stack(rows, axis=1).reshape(shape), dtype=np.float64)


@dataclass(eq=False)
class Filmed:
    """Footage of streams by their index; counts what is looked at.

    Parameters
    ----------
    sensors
        What each stream shows.
    positions
        Which of the sensor's pictures each frame of a stream shows, ascending.
    views
        What of the scene each stream sees; the whole where it is missing.
    gop
        Frames between keyframes.
    """

    sensors: Mapping[int, Sensor]
    positions: Mapping[int, NDArray[np.integer] | Floats]
    views: Mapping[int, PictureView] = field(default_factory=dict)
    gop: int = 40
    error: float = 2.0  # of the codec, in gray levels
    looked: Counter[int] = field(default_factory=Counter)

    def look(self, stream: Stream, first: int, stop: int) -> Thumbnails:
        """Return the thumbnails of the frames with indices from `first` to `stop`."""
        places = np.arange(max(first, 0), min(stop, stream.num_frames), dtype=np.int64)
        self.looked[stream.index] += len(places)
        positions = np.asarray(self.positions[stream.index], dtype=np.float64)[places]
        view = self.views.get(stream.index, PictureView())
        pictures = self.sensors[stream.index](positions, view)
        for group in np.unique(places // self.gop):
            random = np.random.default_rng((stream.index, int(group)))
            own = places // self.gop == group
            pictures[own] += random.normal(0, self.error, pictures.shape[1:])
            pictures[own] += random.normal(0, self.error / 4, (own.sum(), *pictures.shape[1:]))
        gray = np.clip(np.rint(pictures), 0, 255).astype(np.uint8)
        return Thumbnails(places, gray, places % self.gop == 0)

    def activity(self, stream: Stream) -> Floats:
        """Return (num_frames,): how far the discs go at each frame."""
        positions = np.asarray(self.positions[stream.index], dtype=np.int64)
        sensor = self.sensors[stream.index]
        return sensor.activity()[np.minimum(positions, len(sensor.places) - 1)]
