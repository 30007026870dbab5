"""Scenes: what the sensor saw, as arrays; rendered, deceiving, or taken from real footage.

Scene frame k is what the sensor saw at k / rate. A case plays a scene at any rate of its own: the
frames stay whole and only pass faster or slower, so that no frame is ever interpolated.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from tests.pairs import rendering
from tests.shared import SHARED

MAX_FOOTAGE_FRAMES: Final = 700
_FOOTAGE_AREA = 320 * 180
_SCENES_IN_MEMORY = 6  # about 50 MB each, less where the cache folder holds them

# File, and how many frames to leave out at its start.
_VIDEOS: Final[dict[str, tuple[str, int]]] = {
    "flies": ("data/videos/sleap_20190128_113421.120s.mp4", 0),
    "mouse": ("data/videos/deeplabcut_openfield_m3v1mp4.mp4", 0),
    "mouse-later": ("data/videos/deeplabcut_openfield_m3v1mp4.mp4", 1200),
    "dog-running": ("data/videos/sam2_01_dog.mp4", 0),
    "dog-skating": ("data/videos/videollama_skateboarding_dog.mp4", 0),
    "dog-indoors": ("data/videos/dlclive_dog_clip.avi", 0),
    "chimp": ("data/videos/zamba_chimp.mp4", 0),
    "demo": ("data/videos/mmaction2_demo.mp4", 0),
    "film": ("data/videos/pyscenedetect_testvideo.mp4", 0),
    "talk": ("data/videos/video2dataset_test_video.mp4", 0),
    "pancake": ("data/videos/decord_flipping_a_pancake.mkv", 0),
    "alioli": ("data/videos/oxvgg_Alioli_Wikimedia_Wardtmar.mp4", 0),
}
# Falls at home: those that hold ten seconds at a plausible rate.
_FALLS: Final[dict[str, str]] = {
    "home-s1-14": "12_4_s1/video/S1_Fall_14.mp4",
    "home-s1-15": "12_4_s1/video/S1_Fall_15.mp4",
    "home-s2-12": "12_5_s2/video/S2_Fall_12.mp4",
    "home-s3-18": "12_6_s3/video/S3_ADL_18.mp4",
    "home-s4-03": "12_7_s4/video/S4_Fall_03.mp4",
    "home-s4-19": "12_7_s4/video/S4_ADL_19.mp4",
}
_COLOUR: Final = ("dog-running", "chimp")
# Slides and stills: most frames equal the one before, and a case may hold nothing else.
_HARDLY_MOVING: Final = ("talk", "film")


@dataclass(frozen=True, eq=False)
class Scene:
    """What one sensor saw.

    Parameters
    ----------
    pictures
        Shape (frames, height, width) gray or (frames, height, width, 3) RGB, uint8.
    rate
        Frames a second at which the scene looks natural; a case may play it at another.
    verifiable
        Whether anything in the pixels tells one lag from another. Where not, an aligner must
        refuse or be exact.
    """

    name: str
    pictures: NDArray[np.uint8]
    rate: Fraction
    verifiable: bool

    @property
    def num_frames(self) -> int:
        """Return how many frames the sensor took."""
        return len(self.pictures)

    @property
    def aspect(self) -> Fraction:
        """Return width over height."""
        return Fraction(self.pictures.shape[2], self.pictures.shape[1])


def rendered_names(num_seeds: int = 2) -> tuple[str, ...]:
    """Return the names of rendered scenes, `num_seeds` of each look: "night-0", "night-1", .."""
    return tuple(f"{kind}-{seed}" for seed in range(num_seeds) for kind in rendering.LOOKS)


def deceiving_names(num_seeds: int = 1) -> tuple[str, ...]:
    """Return the names of scenes in which no lag, or more than one, can be seen."""
    return tuple(f"{kind}-{seed}" for seed in range(num_seeds) for kind in rendering.DECEITS)


def footage_names() -> tuple[str, ...]:
    """Return the names of real recordings that are present beside the checkout."""
    return tuple(name for name, path in _footage().items() if (SHARED / path[0]).is_file())


@lru_cache(maxsize=_SCENES_IN_MEMORY)
def load_scene(name: str) -> Scene:
    """Return a scene by its name; drawn or decoded once, then read from a cache folder."""
    pictures = _cached(name)
    rate = Fraction(25) if name in _footage() else Fraction(20)
    return Scene(name, pictures, rate, is_verifiable(name))


def is_verifiable(name: str) -> bool:
    """Return whether the scene tells one lag from another; known without drawing it."""
    return name.rpartition("-")[0] not in rendering.DECEITS and name not in _HARDLY_MOVING


def cache_folder() -> Path:
    """Return where scenes are kept between processes; a change of this code empties it."""
    code = b"".join(Path(module).read_bytes() for module in (__file__, rendering.__file__))
    version = hashlib.sha256(code).hexdigest()[:12]
    base = Path(os.environ.get("DOGCLIPS_SCENES", tempfile.gettempdir()))
    return base / f"dogclips-scenes-{version}"


def _cached(name: str) -> NDArray[np.uint8]:
    path = cache_folder() / f"{name}.npy"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:  # several test processes may draw the same scene at once
            np.save(file, _made(name))
        part.replace(path)
    pictures: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return pictures


def _made(name: str) -> NDArray[np.uint8]:
    if name in _footage():
        return _decoded(name)
    kind, _, seed = name.rpartition("-")
    return rendering.render(kind, int(seed))


def _footage() -> dict[str, tuple[str, int]]:
    falls = {name: (f"data/home_falls/Dec/{path}", 0) for name, path in _FALLS.items()}
    return {**_VIDEOS, **falls}


def _decoded(name: str) -> NDArray[np.uint8]:
    path, skipped = _footage()[name]
    pixel_format = "rgb24" if name in _COLOUR else "gray"
    scaler = VideoReformatter()
    pictures: list[NDArray[np.uint8]] = []
    with av.open(str(SHARED / path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        width, height = _size(stream.width, stream.height)
        for number, frame in enumerate(container.decode(stream)):
            if number < skipped:
                continue
            small = scaler.reformat(
                frame, width, height, pixel_format, interpolation=Interpolation.AREA
            )
            pictures.append(small.to_ndarray())
            if len(pictures) == MAX_FOOTAGE_FRAMES:
                break
    return np.stack(pictures)


def _size(width: int, height: int) -> tuple[int, int]:
    """Return a size of about 320 x 180 pixels in all, of the same shape, never larger."""
    scale = min((_FOOTAGE_AREA / (width * height)) ** 0.5, 1.0)
    return 2 * round(width * scale / 2), 2 * round(height * scale / 2)
