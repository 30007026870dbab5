"""Made recordings in rare formats, and such that break off or lack bytes.

`tests.odd_streams` says how the truth about them is written down.
"""

import struct
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import av

from tests.odd_streams import COUNT, NO_B_FRAMES, RATE, Odd, encoded, packets_of, store

_PACKET = 188  # bytes of a packet of a transport stream
# How each format is encoded by ffmpeg.
FORMATS: Mapping[str, Sequence[str]] = {
    "mxf": ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12"),
    "nut": ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25"),
    "y4m": (),
    "mjpeg": ("-c:v", "mjpeg", "-q:v", "2"),
    "wmv": ("-c:v", "wmv2", "-b:v", "4M", "-g", "12"),
    "webm": ("-c:v", "libvpx", "-b:v", "1M", "-deadline", "realtime", "-cpu-used", "8"),
    "ogv": ("-c:v", "libtheora", "-q:v", "9"),
    "h264": ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25"),
    "vob": ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12"),
}


def in_format(folder: Path, name: str) -> Odd:
    """Write a recording in the format that its name tells."""
    source = encoded(folder, "ffv1", {})
    options = FORMATS[name.rpartition(".")[2]]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-i", str(source), *options]
    subprocess.run([*command, str(folder / name)], check=True, timeout=60)
    return Odd(folder / name, range(COUNT))


def from_recorder(
    folder: Path, name: str = "020500.dav", options: Mapping[str, str] = NO_B_FRAMES
) -> Odd:
    """Write a recording as Dahua's recorders do."""
    source = encoded(folder, "libx264", options)
    stored = store(source, folder / "stored.mkv", packets_of(source))
    return Odd(write_dav(folder / name, stored, int(RATE)), range(COUNT))


def write_dav(path: Path, source: Path, rate: int) -> Path:
    """Write the packets of a file as Dahua's recorders do, which FFmpeg reads and does not write.

    Each frame: a head with its date in seconds, its milliseconds and, before a keyframe, its size
    and rate; the picture; its length once more. Layout as FFmpeg's libavformat/dhav.c reads it.
    """
    with av.open(str(source)) as container, path.open("wb") as file:
        video = container.streams.video[0]
        whole = av.BitStreamFilterContext("h264_mp4toannexb", video)
        packets = [out for packet in container.demux(video) for out in whole.filter(packet)]
        for number, packet in enumerate(packet for packet in packets if packet.size):
            ms = number * 1000 // rate
            ext = b""
            if packet.is_keyframe:
                ext = bytes((0x81, 0, 2, rate)) + bytes((0x82, 0, 0, 0))
                ext += struct.pack("<HH", video.width, video.height)
            length = 24 + len(ext) + packet.size + 8
            head = struct.pack("<III", number, length, _date(ms))
            kind = 0xFD if packet.is_keyframe else 0xFC
            file.write(b"DHAV" + bytes((kind, 0, 0, 0)) + head)
            file.write(struct.pack("<HBB", ms % 65536, len(ext), 0) + ext + bytes(packet))
            file.write(b"dhav" + struct.pack("<I", length))
    return path


def _date(ms: int) -> int:
    """Return the time of a recorder's clock, which has no zone, in its packed form."""
    at = datetime(2026, 3, 1, 8, 0, 0) + timedelta(milliseconds=ms)  # noqa: DTZ001
    day = (at.year - 2000) << 26 | at.month << 22 | at.day << 17
    return day | at.hour << 12 | at.minute << 6 | at.second


def broken_off(
    folder: Path,
    name: str = "020500.mkv",
    codec: str = "libx264",
    options: Mapping[str, str] = NO_B_FRAMES,
    share: float = 0.6,
) -> Odd:
    """Write a recording and keep this share of its bytes, as a camera without power leaves it."""
    source = encoded(folder, codec, options)
    path = store(source, folder / name, packets_of(source))
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return Odd(path, range(COUNT))


def without_packets(
    folder: Path,
    name: str = "020500.ts",
    codec: str = "libx264",
    options: Mapping[str, str] = NO_B_FRAMES,
    frame: int = 40,
) -> Odd:
    """Leave out a packet of a transport stream that holds a part of a frame, as radio does."""
    source = encoded(folder, codec, options)
    packets = packets_of(source)
    path = store(source, folder / name, packets)
    data = path.read_bytes()
    places = range(0, len(data), _PACKET)
    own = [n for n in places if (data[n + 1] & 0x1F) << 8 | data[n + 2] == 0x100]
    begins = [place for place, n in enumerate(own) if data[n + 1] & 0x40]
    whole = begins[frame + 1] == begins[frame] + 1
    lost = own[begins[frame]] if whole else own[begins[frame] + 1]
    path.write_bytes(data[:lost] + data[lost + _PACKET :])
    numbers: list[int | None] = list(range(COUNT))
    following = next((n for n in range(frame + 1, COUNT) if packets[n].key), COUNT)
    numbers[frame:following] = [None] * (following - frame)
    return Odd(path, numbers)
