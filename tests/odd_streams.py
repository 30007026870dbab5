"""Made recordings whose packets are not pictures of their own times, and what a player shows.

Each has a picture every 1/25 s; `Odd.numbers` are the numbers painted into what is shown from each
of these moments on, None where nobody can see anything.
"""

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.cuts.painting import painted
from tests.h264_fields import fields

RATE = Fraction(25)
COUNT = 100
SIZE = (96, 64)

B_FRAMES = {"preset": "ultrafast", "bf": "2", "b-adapt": "0", "g": "12", "sc_threshold": "0"}
NO_B_FRAMES = {"preset": "ultrafast", "g": "12", "tune": "zerolatency", "sc_threshold": "0"}
MPEG4 = {"g": "12", "b": "4M", "sc_threshold": "1000000000"}
H263 = {"g": "12", "b": "2M", "sc_threshold": "1000000000"}


Painter: TypeAlias = Callable[[int, int, int], NDArray[np.uint8] | NDArray[np.uint16]]


@dataclass(frozen=True)
class Odd:
    """A made recording, and the number that is shown in each 1/25 s.

    `start_s` is the container time of the first of them, where it is not that of the first frame.
    `sizes` are width and height of the picture in each, where they change.
    """

    path: Path
    numbers: Sequence[int | None]
    start_s: Fraction | None = None
    sizes: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True)
class Stored:
    """A packet to store: its bytes, and its times in 1/25 s or in ticks of another clock."""

    data: bytes
    pts: int
    dts: int
    key: bool = False


def encoded(
    folder: Path,
    codec: str,
    options: Mapping[str, str],
    numbers: Iterable[int] = range(COUNT),
    *,
    size: tuple[int, int] = SIZE,
    paint: Painter = painted,
    pixels: tuple[str, str] = ("gray", "yuv420p"),
) -> Path:
    """Write pictures with these numbers, each at its own 1/25 s, to be stored in another way.

    `pixels` are the formats of what is painted and of what is stored.
    """
    path = folder / "encoded.nut"
    with av.open(str(path), "w") as container:
        track = cast("VideoStream", container.add_stream(codec, rate=RATE, options=dict(options)))
        track.width, track.height = size
        track.pix_fmt = pixels[1]
        track.codec_context.thread_count = 1
        for number in numbers:
            frame = av.VideoFrame.from_ndarray(paint(number, *size), format=pixels[0])
            frame.pts, frame.time_base = number, 1 / RATE
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path


def packets_of(path: Path) -> list[Stored]:
    """Return the packets of a file of one stream."""
    with av.open(str(path)) as container:
        track = container.streams.video[0]
        ticks = (track.time_base or Fraction(1)) * RATE
        return [
            Stored(
                bytes(packet),
                round((packet.pts or 0) * ticks),
                round((packet.dts or 0) * ticks),
                packet.is_keyframe,
            )
            for packet in container.demux(track)
            if packet.size
        ]


def store(
    template: Path,
    path: Path,
    packets: Iterable[Stored],
    clock: Fraction = 1 / RATE,
    *,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Write packets into a container, with times in ticks of a clock."""
    with av.open(str(template)) as old, av.open(str(path), "w", options=dict(options or {})) as new:
        track = new.add_stream_from_template(old.streams.video[0])
        track.time_base = clock
        for own in packets:
            packet = av.Packet(own.data)
            packet.pts, packet.dts, packet.time_base = own.pts, own.dts, clock
            packet.is_keyframe, packet.stream = own.key, track
            new.mux(packet)
    return path


def in_order(packets: Sequence[Stored]) -> list[Stored]:
    """Return packets that bear the times of their order in the file."""
    return [replace(own, pts=n, dts=n) for n, own in enumerate(packets)]


# AVI: a frame's place is that of its packet.


def begins_within_a_group(
    folder: Path,
    name: str = "020500.avi",
    codec: str = "libx264",
    options: Mapping[str, str] = NO_B_FRAMES,
    dropped: int = 5,
) -> Odd:
    """Write a file whose first packets are missing: nothing shows before the next keyframe.

    MPEG-4 decodes all the same, and shows garbage.
    """
    source = encoded(folder, codec, options)
    packets = packets_of(source)
    found = next(n for n, own in enumerate(packets) if own.key and n >= dropped)
    path = store(source, folder / name, in_order(packets[dropped:]))
    return Odd(path, [None] * (found - dropped) + list(range(found, COUNT)))


def not_coded(
    folder: Path,
    name: str = "020500.avi",
    options: Mapping[str, str] = MPEG4,
    skipped: Iterable[int] = range(7, COUNT, 8),
) -> Odd:
    """Write MPEG-4 of which some pictures are not coded: the one before is shown again."""
    gone = set(skipped)
    source = encoded(folder, "mpeg4", options, [n for n in range(COUNT) if n not in gone])
    stored = {own.pts: own for own in packets_of(source)}
    packets = [stored[n] if n in stored else Stored(_no_vop(n), n, n) for n in range(COUNT)]
    numbers = list(range(COUNT))
    for number in sorted(gone):
        numbers[number] = numbers[number - 1]
    return Odd(store(source, folder / name, packets), numbers)


def _no_vop(number: int) -> bytes:
    """Return a VOP that is not coded, of a stream with 25 ticks a second."""
    seconds = "1" if number % 25 == 0 else ""  # modulo_time_base, since the VOP before
    bits = f"01{seconds}01{number % 25:05b}10"
    bits += "0" + "1" * (-(len(bits) + 1) % 8)
    return b"\x00\x00\x01\xb6" + int(bits, 2).to_bytes(len(bits) // 8, "big")


# Packets without a picture of their own.


def hidden_references(
    folder: Path, name: str = "020500.mkv", group: int = 30, codec: str = "libvpx"
) -> Odd:
    """Write VP8 or VP9 with alternate reference pictures, which need two passes of the encoder."""
    source = encoded(folder, "libx264", {"preset": "ultrafast", "qp": "8"})
    path = folder / name
    options = ["-c:v", codec, "-b:v", "600k", "-auto-alt-ref", "1", "-lag-in-frames", "16"]
    # Threads of libvpx that wait for each other spin, for minutes where cores are few.
    options += ["-g", str(group), "-deadline", "good", "-cpu-used", "5", "-threads", "1"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), *options]
    log = ["-passlogfile", str(folder / "pass")]
    for turn, out in (("1", ["-f", "null", "-"]), ("2", [str(path)])):
        subprocess.run([*command, "-pass", turn, *log, *out], check=True, timeout=60)
    return Odd(path, range(COUNT))


def field_pictures(folder: Path, name: str = "020500.ts", group: int = 12) -> Odd:
    """Write interlaced H.264 that stores each field in a packet of its own."""
    units = [own for n in range(COUNT) for own in fields(painted(n, *SIZE), n, group)]
    raw = folder / "raw.h264"
    raw.write_bytes(b"".join(units))
    packets = [Stored(data, n, n, n % (2 * group) == 0) for n, data in enumerate(units)]
    return Odd(store(raw, folder / name, packets, 1 / (2 * RATE)), range(COUNT))


# Times.


def file_order(
    folder: Path,
    name: str = "020500.mp4",
    codec: str = "libx264",
    options: Mapping[str, str] = B_FRAMES,
) -> Odd:
    """Write B-frames with the times of their order in the file; in AVI these are all there are."""
    source = encoded(folder, codec, options)
    return Odd(store(source, folder / name, in_order(packets_of(source))), range(COUNT))


def many_a_millisecond(folder: Path) -> Odd:
    """Write 1500 frames a second into a container that counts milliseconds."""
    source = encoded(folder, "libx264", NO_B_FRAMES)
    times = [round(n * Fraction(1000, 1500)) for n in range(COUNT)]
    return Odd(_at(source, folder, times), range(COUNT))


def in_bursts(
    folder: Path,
    options: Mapping[str, str] = NO_B_FRAMES,
    late: Iterable[int] = range(9, COUNT, 10),
) -> Odd:
    """Let some frames bear the time of the one before, as if they came over the air together."""
    joined = set(late)
    source = encoded(folder, "libx264", options)
    times = [40 * (n - 1 if n in joined else n) for n in range(COUNT)]
    shown = [n + 1 if n + 1 in joined else n for n in range(COUNT)]
    return Odd(_at(source, folder, times), shown)


def stepping_back(
    folder: Path,
    options: Mapping[str, str] = NO_B_FRAMES,
    early: Iterable[int] = range(20, COUNT, 30),
) -> Odd:
    """Let some frames bear times 3 ms before that of the frame before."""
    moved = set(early)
    source = encoded(folder, "libx264", options)
    times = [40 * n - 43 if n in moved else 40 * n for n in range(COUNT)]
    shown = [n + 1 if n + 1 in moved else n for n in range(COUNT)]
    return Odd(_at(source, folder, times), shown)


def _at(source: Path, folder: Path, times_ms: Sequence[int]) -> Path:
    """Write packets with these times into Matroska, which stores no others."""
    decoded = np.minimum.accumulate(times_ms[::-1])[::-1].tolist()  # times that never step back
    stored = zip(packets_of(source), times_ms, decoded, strict=True)
    packets = [replace(own, pts=pts, dts=dts) for own, pts, dts in stored]
    return store(source, folder / "020500.mkv", packets, Fraction(1, 1000))


def some_without_times(
    folder: Path, options: Mapping[str, str] = NO_B_FRAMES, first: int = 4, every: int = 9
) -> Odd:
    """Write a transport stream in which some frames have no time."""
    source = encoded(folder, "libx264", options)
    path = store(source, folder / "020500.ts", packets_of(source))
    data = bytearray(path.read_bytes())
    begins = [n for n in range(0, len(data), 188) if data[n + 1] & 0x40]
    heads = [data.find(b"\x00\x00\x01\xe0", n, n + 188) for n in begins]
    for head in [place for place in heads if place >= 0][first::every]:
        length = data[head + 8]
        data[head + 7] &= 0x3F  # PTS_DTS_flags
        data[head + 9 : head + 9 + length] = b"\xff" * length  # stuffing
    path.write_bytes(data)
    return Odd(path, range(COUNT))


def some_packs_with_times(
    folder: Path, b_frames: int = 2, rate: str = "300k", flags: str = ""
) -> Odd:
    """Write MPEG-2 into a program stream, where only the first frame of a pack has a time."""
    options = {"b": rate, "g": "12", "bf": str(b_frames), "sc_threshold": "1000000000"}
    options |= {"flags": flags} if flags else {}
    source = encoded(folder, "mpeg2video", options)
    path = folder / "020500.mpg"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source), "-c", "copy"]
    subprocess.run([*command, "-f", "vob", str(path)], check=True, timeout=60)
    return Odd(path, range(COUNT))


# Keyframes that are none, and packets that are lost.


def false_keyframes(
    folder: Path,
    name: str = "020500.3gp",
    codec: str = "h263",
    options: Mapping[str, str] = H263,
    every: int = 9,
) -> Odd:
    """Flag pictures as keyframes that are none."""
    source = encoded(folder, codec, options, size=(128, 96))
    packets = [
        replace(own, key=own.key or n % every == 0) for n, own in enumerate(packets_of(source))
    ]
    return Odd(store(source, folder / name, packets), range(COUNT))


def lossy(
    folder: Path,
    name: str = "020500.mkv",
    codec: str = "libx264",
    options: Mapping[str, str] = NO_B_FRAMES,
    lost: Iterable[int] = range(38, 43),
) -> Odd:
    """Leave out packets: all up to the next keyframe shows what is not there."""
    gone = set(lost)
    source = encoded(folder, codec, options)
    packets = packets_of(source)
    numbers: list[int | None] = list(range(COUNT))
    torn = False
    for number, own in enumerate(packets):
        torn = (torn and not own.key) or number in gone
        numbers[number] = None if torn else number
    kept = [own for number, own in enumerate(packets) if number not in gone]
    return Odd(store(source, folder / name, kept), numbers)


def left_out(
    folder: Path,
    name: str = "020500.mkv",
    codec: str = "libx264",
    options: Mapping[str, str] = NO_B_FRAMES,
    gone: Iterable[int] = range(38, 43),
) -> Odd:
    """Leave out pictures before they are encoded: the one before is shown on, as it was."""
    missing = set(gone)
    source = encoded(folder, codec, options, [n for n in range(COUNT) if n not in missing])
    numbers = [max(k for k in range(n + 1) if k not in missing) for n in range(COUNT)]
    return Odd(store(source, folder / name, packets_of(source)), numbers)
