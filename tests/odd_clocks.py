"""Made recordings with true but unusual times: wrapped, restarted, or with frames left out.

`tests.odd_streams` says how the truth about them is written down.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from tests.odd_streams import B_FRAMES, COUNT, NO_B_FRAMES, Odd, encoded, packets_of, store

_CLOCK = 90_000  # ticks a second of MPEG
_WRAP = 2**33  # ticks, where it begins again
_TICKS = _CLOCK // 25  # of a frame


def wrapping(
    folder: Path,
    name: str = "020500.ts",
    codec: str = "libx264",
    options: Mapping[str, str] = B_FRAMES,
    before: int = 40,
) -> Odd:
    """Write an MPEG stream with this many frames before its clock begins again at 0."""
    source = encoded(folder, codec, options)
    shift = _WRAP - before * _TICKS
    packets = [
        replace(own, pts=shift + own.pts * _TICKS, dts=shift + number * _TICKS)
        for number, own in enumerate(packets_of(source))
    ]
    path = store(source, folder / name, packets, Fraction(1, _CLOCK), options=_as_is(name))
    return Odd(path, range(COUNT))


def restarting(
    folder: Path,
    name: str = "020500.ts",
    options: Mapping[str, str] = NO_B_FRAMES,
    before: int = 50,
) -> Odd:
    """Write two transport streams, one after the other, as a camera does that was switched off."""
    source = encoded(folder, "libx264", options)
    packets = packets_of(source)
    cut = next(number for number, own in enumerate(packets) if own.key and number >= before)
    later = [replace(own, pts=own.pts - cut, dts=own.dts - cut) for own in packets[cut:]]
    parts = [
        store(source, folder / f"{number}.ts", part, options=_as_is(name)).read_bytes()
        for number, part in enumerate((packets[:cut], later))
    ]
    (folder / name).write_bytes(b"".join(parts))
    # A time that both parts have means two frames: nobody knows which.
    return Odd(folder / name, [None] * COUNT)


def left_out(
    folder: Path,
    kept: Collection[int],
    name: str = "020500.mkv",
    codec: str = "libx264",
    options: Mapping[str, str] = NO_B_FRAMES,
) -> Odd:
    """Write frames at their true times and leave out the others before they are encoded.

    A player holds the frame before. AVI, which has no times, stores empty packets for them.
    """
    source = encoded(folder, codec, options, [n for n in range(COUNT) if n in kept])
    numbers = list(range(COUNT))
    for number in range(1, COUNT):
        numbers[number] = number if number in kept else numbers[number - 1]
    return Odd(store(source, folder / name, packets_of(source)), numbers)


def begins_with_open_group(
    folder: Path,
    name: str = "020500.mkv",
    options: Mapping[str, str] = B_FRAMES,
    first: int = 1,
) -> Odd:
    """Write a recording that begins with a keyframe whose B-frames need the group before it."""
    opened = {**options, "x264-params": "repeat-headers=1:open-gop=1"}
    source = encoded(folder, "libx264", opened)
    packets = packets_of(source)
    early = min(own.pts for own in packets)
    packets = [replace(own, pts=own.pts - early, dts=own.dts - early) for own in packets]
    key = next(number for number, own in enumerate(packets) if own.key and number >= first)
    shown = packets[key].pts
    path = store(source, folder / name, packets[key:], options=_as_is(name))
    return Odd(path, [None] * shown + list(range(shown, COUNT)), start_s=Fraction(0))


def _as_is(name: str) -> dict[str, str]:
    """Return the muxer's options that leave times as they are."""
    return {"mpegts_copyts": "1"} if name.endswith(".ts") else {}
