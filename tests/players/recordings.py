"""Recordings with every odd start, flag and edit list that players read differently.

Each frame carries its number; those of a second video stream are 1000 higher, so that a picture
tells which stream a player shows.
"""

import subprocess
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.videos import Made, steady, write_made

SECOND = 1000
_KEYFRAMES: dict[str, Any] = {"options": {"preset": "ultrafast", "g": "20"}}
_LARGE: dict[str, Any] = {"width": 256, "height": 144, **_KEYFRAMES}
_B_FRAMES: dict[str, Any] = {"options": {"preset": "medium", "g": "20", "bf": "3"}}
_VP9: dict[str, Any] = {
    "codec": "libvpx-vp9",
    "options": {"deadline": "realtime", "cpu-used": "8", "g": "20"},
}
_NTSC = Fraction(30000, 1001)
_LATE = 10  # frames: half a second

_TWO: Mapping[str, tuple[Made, ...]] = {
    "both at 0": (steady(60, **_KEYFRAMES), steady(60, first=SECOND, default=False, **_LARGE)),
    "shown late": (
        steady(60, late=_LATE, **_KEYFRAMES),
        steady(70, first=SECOND, default=False, **_LARGE),
    ),
    "other late": (
        steady(60, **_KEYFRAMES),
        steady(50, first=SECOND, late=_LATE, default=False, **_LARGE),
    ),
    "flag on 1": (steady(60, default=False, **_KEYFRAMES), steady(60, first=SECOND, **_LARGE)),
    "flag on 1, 1 late": (
        steady(60, default=False, **_KEYFRAMES),
        steady(50, first=SECOND, late=_LATE, **_LARGE),
    ),
    "both flagged": (steady(60, **_KEYFRAMES), steady(60, first=SECOND, **_LARGE)),
}
_ONE: Mapping[str, tuple[Made, ...]] = {
    "alone and late": (steady(60, late=_LATE, **_KEYFRAMES),),
    "B-frames": (steady(60, **_B_FRAMES),),
    "29.97": (steady(60, _NTSC, **_KEYFRAMES),),
}
# Of FFmpeg's command line: what PyAV cannot write as users write it. `{video}` starts at 0.
_SOUND = ("-f", "lavfi", "-i", "sine=440:sample_rate=48000:duration=3")
_BOTH = ("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac")
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "sound at 0, late.mp4": ("-itsoffset", "0.5", "-i", "{video}", *_SOUND, *_BOTH),
    "sound at 0, late.mkv": ("-itsoffset", "0.5", "-i", "{video}", *_SOUND, *_BOTH),
    "sound at 0.3, late.mp4": (
        *("-itsoffset", "0.5", "-i", "{video}", "-itsoffset", "0.3", *_SOUND, *_BOTH),
    ),
    "sound late.mp4": ("-i", "{video}", "-itsoffset", "0.5", *_SOUND, *_BOTH),
    "sound at 0, late, fragmented.mp4": (
        *("-itsoffset", "0.5", "-i", "{video}", *_SOUND, *_BOTH),
        *("-movflags", "frag_keyframe+empty_moov+delay_moov"),
    ),
    "trimmed.mp4": ("-ss", "0.6", "-i", "{video}", "-c", "copy"),
    "trimmed, sound.mp4": ("-ss", "0.6", "-i", "{heard}", "-c", "copy"),
    "trimmed, B-frames.mp4": ("-ss", "0.6", "-i", "{b_frames}", "-c", "copy"),
    "B-frames, no edit list.mp4": ("-i", "{b_frames}", "-c", "copy", "-use_editlist", "0"),
}

_VP9_NAMES = ("VP9, late.webm", "VP9, late.mp4")
NAMES = (
    *(f"{name}{suffix}" for name in (*_TWO, *_ONE) for suffix in (".mp4", ".mkv")),
    *_VP9_NAMES,
    *_COMMANDS,
)


def write_recordings(folder: Path) -> dict[str, Path]:
    """Write them all."""
    paths = {name: folder / name for name in NAMES}
    for name, streams in (_TWO | _ONE).items():
        for suffix in (".mp4", ".mkv"):
            write_made(paths[name + suffix], *streams)
    for name in _VP9_NAMES:
        write_made(paths[name], steady(60, late=_LATE, **_VP9))
    sources = {
        "video": write_made(folder / "video.mp4", steady(60, **_KEYFRAMES)),
        "b_frames": paths["B-frames.mp4"],
        "heard": folder / "heard.mp4",
    }
    _ffmpeg("-i", str(sources["video"]), *_SOUND, *_BOTH, str(sources["heard"]))
    for name, arguments in _COMMANDS.items():
        _ffmpeg(*(argument.format(**sources) for argument in arguments), str(paths[name]))
    return paths


def _ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments]
    subprocess.run(command, check=True, timeout=60)
