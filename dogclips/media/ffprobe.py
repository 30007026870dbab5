"""Measure a file with ffprobe.

ffmpeg-python builds the arguments and nothing else: its own calls have no timeout and would run
outside the input rules.
"""

import os
import re
import selectors
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import ffmpeg

from dogclips.errors import MediaError, ToolMissingError
from dogclips.media.edits import with_empty_edits
from dogclips.media.facts import is_deep_grey, measured, orientation_of, with_messages
from dogclips.media.inputs import INPUT_RULES, format_of, input_url, not_a_video
from dogclips.media.pictures import Look, Packets, Seen
from dogclips.processes import ends_with_us
from dogclips.streams import UPRIGHT, Orientation, StreamTable

# One call reads everything. Of the output formats `compact` is the one whose lines stay short for
# a day of packets: `section|key=value|key=value`.
_ENTRIES = (
    "format=format_name:format_tags=creation_time:"
    "stream=index,codec_type,codec_name,width,height,time_base,nb_frames,sample_aspect_ratio,"
    "has_b_frames,field_order,pix_fmt,color_transfer:"
    "stream_disposition=default,attached_pic:stream_side_data=displaymatrix:"
    "packet=stream_index,pts,dts,flags"
)
# ffprobe prints entries in an order of its own, whatever the order in which they were asked for.
_PACKET = re.compile(
    r"^packet\|stream_index=(\d+)\|pts=(N/A|-?\d+)\|dts=(N/A|-?\d+)\|flags=(\S+)", re.MULTILINE
)
_SECTION = re.compile(r"^(stream|format)\|(.*)$", re.MULTILINE)
# FFmpeg 5 counts DV in frames, FFmpeg 8 in 1/60000 s: the times have to be the decoder's.
_OTHER_TICKS = ("dv",)
_INTERLACED = ("tt", "bb", "tb", "bt")  # orders of fields
_HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
# How long ffprobe may say nothing; and how long it may take in all, with what a megabyte adds:
# one core decodes 4K at a few frames a second, and a megabyte may hold tens of them.
_SILENT_S, _LEAST_S = 120, 120
_MB_S, _DECODED_MB_S = 1, 20
_CHUNK = 1 << 16  # bytes


def is_installed() -> bool:
    """Return whether ffprobe is on the path."""
    return shutil.which("ffprobe") is not None


def probe_with_ffprobe(path: Path, *, deep: bool = False) -> StreamTable:
    """Measure every stream of a file; `deep` also counts the frames of video that decode."""
    options = {"of": "compact", "show_entries": _ENTRIES}
    decoded = _count_decoded(path) if deep else {}
    packets: defaultdict[int, Packets] = defaultdict(Packets)
    facts: dict[int, dict[str, str]] = {}  # a transport stream's streams come twice
    container: dict[str, str] = {}
    for text in _run(path, time_limit_s(path, deep=False), **options):
        _read_packets(text, packets)
        for section, rest in _SECTION.findall(text):
            entry = _entry(rest)
            if section == "stream":
                facts[int(entry["index"])] = entry
            else:
                container = entry
    name = container.get("format_name", "")
    if name in _OTHER_TICKS:
        from dogclips.media.pyavprobe import probe_with_pyav  # noqa: PLC0415 (av takes longer to import)

        return probe_with_pyav(path, deep=deep)
    streams = tuple(
        measured(
            packets[index],
            name,
            partial(_look, path, index),
            num_decoded=decoded.get(index),
            **_facts(entry),
        )
        for index, entry in sorted(facts.items())
    )
    created = container.get("tag:creation_time")
    table = StreamTable(path=path, format=name, created=created, streams=streams)
    return with_messages(_with_levels(with_empty_edits(table)))


def time_limit_s(path: Path, *, deep: bool) -> float:
    """Return how many seconds ffprobe may take for a file, if it goes on telling what it finds."""
    size_mb = path.stat().st_size / 1_000_000 if path.exists() else 0
    return _LEAST_S + size_mb * (_DECODED_MB_S if deep else _MB_S)


def _read_packets(text: str, packets: defaultdict[int, Packets]) -> None:
    """Add the packets of some whole lines."""
    for index, pts, dts, flags in _PACKET.findall(text):
        # D: hidden by an edit list
        packets[int(index)].add(_whole(pts), _whole(dts), hidden="D" in flags, key="K" in flags)


def _with_levels(table: StreamTable) -> StreamTable:
    """Return the table with the levels of grey in use, for which frames have to be decoded."""
    if not any(is_deep_grey(stream.pixel_format) for stream in table.cameras):
        return table
    from dogclips.media.looking import with_levels  # noqa: PLC0415 (av takes longer to import)

    return with_levels(table)


def _count_decoded(path: Path) -> dict[int, int]:
    """Return how many frames of each video stream decode; ffprobe says N/A for none.

    To decode captions it would wait for what never comes.
    """
    entries = "stream=index,nb_read_frames"
    limit_s = time_limit_s(path, deep=True)
    options = {"count_frames": None, "select_streams": "v", "show_entries": entries}
    output = "".join(_run(path, limit_s, of="compact", **options))
    found = (_entry(rest) for section, rest in _SECTION.findall(output) if section == "stream")
    return {int(entry["index"]): _whole(entry.get("nb_read_frames", "N/A")) or 0 for entry in found}


def _look(path: Path, index: int, kind: Look) -> Seen | None:
    """Look into the packets of a stream, which ffprobe only lists."""
    from dogclips.media.looking import look_at  # noqa: PLC0415 (av takes longer to import)

    return look_at(path, index, kind)


def _entry(line: str) -> dict[str, str]:
    """Return the keys and values of a line; what ffprobe does not know is N/A."""
    return {key: value for key, _, value in (part.partition("=") for part in line.split("|"))}


def _run(path: Path, limit_s: float, **options: str | None) -> Iterator[str]:
    """Yield what ffprobe prints, some whole lines at a time."""
    if (name := format_of(path)) is not None:
        options["f"] = name
    source = ffmpeg.input(input_url(path), v="error", **INPUT_RULES, **options)
    arguments = source.output("-").get_args()[:-1]  # but the output
    with TemporaryFile() as errors:  # a pipe that nobody reads would stop it
        try:
            process = subprocess.Popen(
                ["ffprobe", *arguments],  # noqa: S607 (found on the user's path)
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # a group of its own, so that a timeout kills all of it
            )
        except FileNotFoundError as error:
            raise ToolMissingError("ffprobe is not installed", todo="install ffmpeg") from error
        with ends_with_us(process):
            if process.stdout is not None:
                yield from _lines(process.stdout, path, time.monotonic() + limit_s)
            process.communicate(timeout=_SILENT_S)
        if process.returncode != 0:
            errors.seek(0)
            lines = errors.read().decode("utf-8", errors="replace").strip().splitlines()
            raise not_a_video(path, lines[-1] if lines else "ffprobe gave no reason")


def _lines(pipe: IO[bytes], path: Path, until: float) -> Iterator[str]:
    """Yield what comes out of a pipe, in whole lines."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(_SILENT_S) or time.monotonic() > until:
                raise MediaError(
                    "ffprobe does not come to an end", where=path, todo="check the file"
                )
            read = os.read(pipe.fileno(), _CHUNK)
            if not read:
                break
            whole, newline, rest = (rest + read).rpartition(b"\n")
            yield (whole + newline).decode("utf-8", errors="replace")
    yield rest.decode("utf-8", errors="replace")


def _facts(entry: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts about a stream, keyed by the field names of `Stream`."""
    facts: dict[str, Any] = {
        "index": int(entry["index"]),
        "type": entry.get("codec_type", "unknown"),
        "codec": entry.get("codec_name", "unknown"),
        "time_base": Fraction(entry["time_base"]),
        "num_frames_header": _whole(entry.get("nb_frames", "N/A")),
        "default": entry.get("disposition:default") == "1",
        "attached_picture": entry.get("disposition:attached_pic") == "1",
    }
    if facts["type"] != "video":
        return facts
    return facts | {
        "width": int(entry["width"]),
        "height": int(entry["height"]),
        "pixel_aspect": _aspect(entry.get("sample_aspect_ratio", "N/A")),
        "pixel_format": "" if entry.get("pix_fmt") == "unknown" else entry.get("pix_fmt", ""),
        "orientation": _orientation(entry.get("displaymatrix", "")),
        "interlaced": entry.get("field_order") in _INTERLACED,
        "hdr": _HDR.get(entry.get("color_transfer", ""), ""),
        "reorders": entry.get("has_b_frames", "0") not in ("0", "N/A"),
        "progressive": entry.get("field_order") == "progressive",
    }


def _whole(text: str) -> int | None:
    return None if text == "N/A" else int(text)


def _orientation(printed: str) -> Orientation:
    """Return what a display matrix asks for, printed in three numbered rows."""
    rows = re.findall(r"[0-9a-f]{8}:((?: +-?\d+){3})", printed)
    matrix = [int(number) for row in rows for number in row.split()]
    return orientation_of(matrix) if len(matrix) == 9 else UPRIGHT


def _aspect(text: str) -> Fraction:
    """Return the pixel aspect; `0:1` and an unknown one mean square."""
    width, _, height = text.partition(":")
    return Fraction(int(width), int(height)) if width.isdigit() and int(width) else Fraction(1)
