"""Recordings with every odd start, flag and edit list that players read differently.

Each frame carries its number; those of a second video stream are 1000 higher, so that a picture
tells which stream a player shows.
"""

import subprocess
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

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
_MPEG2 = ("-c:v", "mpeg2video", "-g", "20", "-q:v", "2", "-f", "vob")
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "sound at 0, late.mp4": ("-itsoffset", "0.5", "-i", "{video}", *_SOUND, *_BOTH),
    "sound at 0, late.mkv": ("-itsoffset", "0.5", "-i", "{video}", *_SOUND, *_BOTH),
    "sound at 0.3, late.mp4": (
        *("-itsoffset", "0.5", "-i", "{video}", "-itsoffset", "0.3", *_SOUND, *_BOTH),
    ),
    "sound late.mp4": ("-i", "{video}", "-itsoffset", "0.5", *_SOUND, *_BOTH),
    "sound late.mkv": ("-i", "{video}", "-itsoffset", "0.5", *_SOUND, *_BOTH),
    "sound at 0, late, fragmented.mp4": (
        *("-itsoffset", "0.5", "-i", "{video}", *_SOUND, *_BOTH),
        *("-movflags", "frag_keyframe+empty_moov+delay_moov"),
    ),
    "trimmed.mp4": ("-ss", "0.6", "-i", "{video}", "-c", "copy"),
    "trimmed, sound.mp4": ("-ss", "0.6", "-i", "{heard}", "-c", "copy"),
    "trimmed, B-frames.mp4": ("-ss", "0.6", "-i", "{b_frames}", "-c", "copy"),
    "B-frames, no edit list.mp4": ("-i", "{b_frames}", "-c", "copy", "-use_editlist", "0"),
}

# Those that browsers do not open. The clock of 33 bits wraps around a little after the start.
_WRAP = str(2**33 / 90_000 - 1)
_WRAPPED = ("-c", "copy", "-output_ts_offset", _WRAP)
_BOTH_LATE = ("-itsoffset", "0.5", "-i", "{video}", *_SOUND, *_BOTH)
_SOUND_LATE = ("-i", "{video}", "-itsoffset", "0.5", *_SOUND, *_BOTH)
_FOR_MPV: Mapping[str, tuple[str, ...]] = {
    "plain.ts": ("-i", "{video}", "-c", "copy"),
    "B-frames.ts": ("-i", "{b_frames}", "-c", "copy"),
    "wrapped.ts": ("-i", "{video}", *_WRAPPED, "-muxdelay", "0"),
    "wrapped, sound.ts": ("-i", "{heard}", *_WRAPPED, "-muxdelay", "0"),
    "sound first.ts": _BOTH_LATE,
    "sound late.ts": _SOUND_LATE,
    "plain.mpg": ("-r", "25", "-i", "{video}", *_MPEG2),
    "wrapped.mpg": ("-r", "25", "-i", "{video}", *_MPEG2, "-output_ts_offset", _WRAP),
}
_OPEN_NAMES = ("open group.mkv", "open group.ts")  # without the group before
_OPEN: dict[str, Any] = {"preset": "ultrafast", "g": "20", "bf": "3"}
_OPEN["x264-params"] = "open-gop=1:scenecut=0:repeat-headers=1"

_VP9_NAMES = ("VP9, late.webm", "VP9, late.mp4")
NAMES = (
    *(f"{name}{suffix}" for name in (*_TWO, *_ONE) for suffix in (".mp4", ".mkv")),
    *_VP9_NAMES,
    *_COMMANDS,
)
NAMES_FOR_MPV = (*_FOR_MPV, *_OPEN_NAMES)


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
    for name in _OPEN_NAMES:
        paths[name] = folder / name
        whole = write_made(folder / f"whole {name}", steady(80, options=_OPEN))
        _drop_first_group(whole, paths[name])
    paths |= {name: folder / name for name in _FOR_MPV}
    for name, arguments in (_COMMANDS | _FOR_MPV).items():  # type: ignore[operator]
        _ffmpeg(*(argument.format(**sources) for argument in arguments), str(paths[name]))
    return paths


def _drop_first_group(whole: Path, path: Path) -> None:
    """Write a recording that begins with its second keyframe, and what is shown before that."""
    keyframes = 0
    with av.open(str(whole)) as old, av.open(str(path), "w") as new:
        track = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            keyframes += packet.is_keyframe
            if packet.size and keyframes > 1:
                packet.stream = track
                new.mux(packet)


def _ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments]
    subprocess.run(command, check=True, timeout=60)
