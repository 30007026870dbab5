"""Made recordings whose packets are not pictures of their own times, and what a player shows.

Each has a picture every 1/25 s; `Odd.numbers` are the numbers painted into what is shown from each
of these moments on, None where nobody can see anything.
"""

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.video.stream import VideoStream

from tests.cuts.painting import painted
from tests.h264_fields import fields

RATE = Fraction(25)
COUNT = 100
SIZE = (96, 64)

B_FRAMES = {"preset": "ultrafast", "bf": "2", "b-adapt": "0", "g": "12", "sc_threshold": "0"}
NO_B_FRAMES = {"preset": "ultrafast", "g": "12", "tune": "zerolatency", "sc_threshold": "0"}
MPEG4 = {"g": "12", "b": "4M", "sc_threshold": "1000000000"}
H263 = {"g": "12", "b": "2M", "sc_threshold": "1000000000"}


@dataclass(frozen=True)
class Odd:
    """A made recording, and the number that is shown in each 1/25 s."""

    path: Path
    numbers: Sequence[int | None]


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
) -> Path:
    """Write pictures with these numbers, each at its own 1/25 s, to be stored in another way."""
    path = folder / "encoded.nut"
    with av.open(str(path), "w") as container:
        track = cast("VideoStream", container.add_stream(codec, rate=RATE, options=dict(options)))
        track.width, track.height = size
        track.pix_fmt = "yuv420p"
        track.codec_context.thread_count = 1
        for number in numbers:
            frame = av.VideoFrame.from_ndarray(painted(number, *size), format="gray")
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


def begins_within_a_group(folder: Path) -> Odd:
    """H.264 in AVI whose first packets are missing: nothing decodes before the next keyframe."""
    source = encoded(folder, "libx264", NO_B_FRAMES)
    packets = in_order(packets_of(source)[5:])
    path = store(source, folder / "020500.avi", packets)
    return Odd(path, [None] * 7 + list(range(12, COUNT)))


def begins_within_a_group_of_mpeg4(folder: Path) -> Odd:
    """MPEG-4 that begins with a P picture decodes all the same, and shows garbage."""
    source = encoded(folder, "mpeg4", MPEG4)
    packets = in_order(packets_of(source)[5:])
    path = store(source, folder / "020500.avi", packets)
    return Odd(path, [None] * 7 + list(range(12, COUNT)))


def not_coded(folder: Path, name: str = "020500.avi", b_frames: int = 0) -> Odd:
    """MPEG-4 whose every eighth picture is not coded: the one before it is shown again."""
    skipped = set(range(7, COUNT, 8))
    kept = [number for number in range(COUNT) if number not in skipped]
    source = encoded(folder, "mpeg4", MPEG4 | {"bf": str(b_frames)}, kept)
    stored = {own.pts: own for own in packets_of(source)}
    packets = [stored[n] if n in stored else Stored(_no_vop(n), n, n) for n in range(COUNT)]
    path = store(source, folder / name, packets)
    return Odd(path, [n - 1 if n in skipped else n for n in range(COUNT)])


def _no_vop(number: int) -> bytes:
    """Return a VOP that is not coded, of a stream with 25 ticks a second."""
    seconds = "1" if number % 25 == 0 else ""  # modulo_time_base, since the VOP before
    bits = f"01{seconds}01{number % 25:05b}10"
    bits += "0" + "1" * (-(len(bits) + 1) % 8)
    return b"\x00\x00\x01\xb6" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def counted_b_frames(folder: Path) -> Odd:
    """H.264 with B-frames in AVI: times of the order in the file, and no others."""
    source = encoded(folder, "libx264", B_FRAMES)
    path = store(source, folder / "020500.avi", in_order(packets_of(source)))
    return Odd(path, range(COUNT))


# Packets without a picture of their own.


def hidden_references(folder: Path, name: str = "020500.mkv") -> Odd:
    """VP8 with alternate reference pictures, which need two passes of the encoder."""
    source = encoded(folder, "libx264", {"preset": "ultrafast", "qp": "8"})
    path = folder / name
    options = ["-c:v", "libvpx", "-b:v", "600k", "-auto-alt-ref", "1", "-lag-in-frames", "16"]
    options += ["-g", "30", "-deadline", "good", "-cpu-used", "5"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), *options]
    log = ["-passlogfile", str(folder / "pass")]
    for turn, out in (("1", ["-f", "null", "-"]), ("2", [str(path)])):
        subprocess.run([*command, "-pass", turn, *log, *out], check=True, timeout=60)
    return Odd(path, range(COUNT))


def field_pictures(folder: Path, name: str = "020500.ts") -> Odd:
    """Interlaced H.264 that stores each field in a packet of its own."""
    units = [own for n in range(COUNT) for own in fields(painted(n, *SIZE), n, 12)]
    raw = folder / "raw.h264"
    raw.write_bytes(b"".join(units))
    packets = [Stored(data, n, n, n % 24 == 0) for n, data in enumerate(units)]
    return Odd(store(raw, folder / name, packets, 1 / (2 * RATE)), range(COUNT))


# Times.


def file_order(folder: Path, name: str = "020500.mp4") -> Odd:
    """B-frames with the times of their order in the file."""
    source = encoded(folder, "libx264", B_FRAMES)
    return Odd(store(source, folder / name, in_order(packets_of(source))), range(COUNT))


def many_a_millisecond(folder: Path) -> Odd:
    """1500 frames a second, in a container that counts milliseconds."""
    source = encoded(folder, "libx264", NO_B_FRAMES)
    packets = packets_of(source)
    clock = Fraction(1, 1000)
    times = [round(n * Fraction(1000, 1500)) for n in range(COUNT)]
    rounded = [replace(own, pts=t, dts=t) for own, t in zip(packets, times, strict=True)]
    return Odd(store(source, folder / "020500.mkv", rounded, clock), range(COUNT))


def in_bursts(folder: Path) -> Odd:
    """Some frames bear the time of the one before, as they came over the air together."""
    source = encoded(folder, "libx264", NO_B_FRAMES)
    clock = Fraction(1, 1000)
    late = set(range(9, COUNT, 10))
    times = [40 * (n - 1 if n in late else n) for n in range(COUNT)]
    packets = [replace(own, pts=times[n], dts=times[n]) for n, own in enumerate(packets_of(source))]
    shown = [n + 1 if n + 1 in late else n for n in range(COUNT)]
    return Odd(store(source, folder / "020500.mkv", packets, clock), shown)


def stepping_back(folder: Path) -> Odd:
    """Some frames bear times 3 ms before that of the frame before."""
    source = encoded(folder, "libx264", NO_B_FRAMES)
    clock = Fraction(1, 1000)
    early = set(range(20, COUNT, 30))
    times = [40 * n - 43 if n in early else 40 * n for n in range(COUNT)]
    stored = enumerate(packets_of(source))
    packets = [replace(own, pts=times[n], dts=40 * n - 100) for n, own in stored]
    shown = [n + 1 if n + 1 in early else n for n in range(COUNT)]
    return Odd(store(source, folder / "020500.mkv", packets, clock), shown)


def some_without_times(folder: Path, options: Mapping[str, str] = NO_B_FRAMES) -> Odd:
    """Every ninth frame of a transport stream has no time."""
    source = encoded(folder, "libx264", options)
    path = store(source, folder / "020500.ts", packets_of(source))
    data = bytearray(path.read_bytes())
    begins = [n for n in range(0, len(data), 188) if data[n + 1] & 0x40]
    heads = [data.find(b"\x00\x00\x01\xe0", n, n + 188) for n in begins]
    for head in [place for place in heads if place >= 0][4::9]:
        length = data[head + 8]
        data[head + 7] &= 0x3F  # PTS_DTS_flags
        data[head + 9 : head + 9 + length] = b"\xff" * length  # stuffing
    path.write_bytes(data)
    return Odd(path, range(COUNT))


def some_packs_with_times(folder: Path) -> Odd:
    """MPEG-2 in a program stream, where only the first frame of a pack has a time."""
    options = {"b": "300k", "g": "12", "bf": "2", "sc_threshold": "1000000000"}
    source = encoded(folder, "mpeg2video", options)
    path = folder / "020500.mpg"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source), "-c", "copy"]
    subprocess.run([*command, "-f", "vob", str(path)], check=True, timeout=60)
    return Odd(path, range(COUNT))


# Keyframes that are none.


def false_keyframe(folder: Path) -> Odd:
    """H.263 in 3GP, of which the container flags a P picture as a keyframe."""
    source = encoded(folder, "h263", H263, size=(128, 96))
    packets = [replace(own, key=own.key or n % 10 == 5) for n, own in enumerate(packets_of(source))]
    return Odd(store(source, folder / "020500.3gp", packets), range(COUNT))


def all_keyframes(folder: Path) -> Odd:
    """MPEG-4 in MP4, whose every packet is flagged as a keyframe."""
    source = encoded(folder, "mpeg4", MPEG4)
    packets = [replace(own, key=True) for own in packets_of(source)]
    return Odd(store(source, folder / "020500.mp4", packets), range(COUNT))
