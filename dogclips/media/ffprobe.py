"""Measure a file with ffprobe.

ffmpeg-python builds the arguments and nothing else: its own calls have no timeout and would run
outside the input rules.
"""

import os
import re
import shutil
import signal
import subprocess
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from ffmpeg._utils import convert_kwargs_to_cmd_line_args

from dogclips.errors import MediaError, ToolMissingError
from dogclips.media.edits import with_empty_edits
from dogclips.media.facts import Packets, checked, rotation_of, with_packets
from dogclips.media.inputs import INPUT_RULES, input_url, not_a_video
from dogclips.streams import Stream, StreamTable

# One call reads everything. Of the output formats `compact` is the one whose lines stay short for
# a day of packets: `section|key=value|key=value`.
_ENTRIES = (
    "format=format_name:format_tags=creation_time:"
    "stream=index,codec_type,codec_name,width,height,time_base,nb_frames,sample_aspect_ratio,"
    "nb_read_frames:stream_disposition=default,attached_pic:stream_side_data=rotation:"
    "packet=stream_index,pts,dts,flags"
)
# ffprobe prints entries in an order of its own, whatever the order in which they were asked for.
_PACKET = re.compile(
    r"^packet\|stream_index=(\d+)\|pts=(N/A|-?\d+)\|dts=(N/A|-?\d+)\|flags=(\S+)", re.MULTILINE
)
_SECTION = re.compile(r"^(stream|format)\|(.*)$", re.MULTILINE)
_TIMEOUT_S = 120


def is_installed() -> bool:
    """Return whether ffprobe is on the path."""
    return shutil.which("ffprobe") is not None


def probe_with_ffprobe(path: Path, *, deep: bool = False) -> StreamTable:
    """Measure every stream of a file.

    Parameters
    ----------
    deep
        Also decode every frame and count what comes out.

    Raises
    ------
    MediaError
        The file is missing, no container that we read, or ffprobe takes too long.
    """
    options = {"of": "compact", "show_entries": _ENTRIES} | ({"count_frames": None} if deep else {})
    output = _run(path, input_url(path), **options)
    packets = _read_packets(output)
    facts: dict[int, dict[str, str]] = {}  # a transport stream's streams come twice
    container: dict[str, str] = {}
    for section, rest in _SECTION.findall(output):
        entry = _entry(rest)
        if section == "stream":
            facts[int(entry["index"])] = entry
        else:
            container = entry
    name = container.get("format_name", "")
    streams = tuple(
        with_packets(_stream(entry, deep=deep), packets[index], name)
        for index, entry in sorted(facts.items())
    )
    created = container.get("tag:creation_time")
    table = StreamTable(path=path, format=name, created=created, streams=streams)
    return checked(with_empty_edits(table))


def _read_packets(output: str) -> defaultdict[int, Packets]:
    packets: defaultdict[int, Packets] = defaultdict(Packets)
    # One at a time: a list of the packets of hours would take more memory than their text.
    for index, pts, dts, flags in (found.groups() for found in _PACKET.finditer(output)):
        if "D" in flags:  # hidden by an edit list
            packets[int(index)].hide(_whole(pts))
        else:
            packets[int(index)].add(_whole(pts), _whole(dts))
    return packets


def _entry(line: str) -> dict[str, str]:
    """Return the keys and values of a line; what ffprobe does not know is N/A."""
    return {key: value for key, _, value in (part.partition("=") for part in line.split("|"))}


def _run(path: Path, url: str, **options: str | None) -> str:
    arguments = convert_kwargs_to_cmd_line_args({"v": "error", **INPUT_RULES, **options})
    try:
        process = subprocess.Popen(
            ["ffprobe", *arguments, "-i", url],  # noqa: S607 (found on the user's path)
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a group of its own, so that a timeout kills all of it
        )
    except FileNotFoundError as error:
        raise ToolMissingError("ffprobe is not installed", todo="install ffmpeg") from error
    try:
        out, err = process.communicate(timeout=_TIMEOUT_S)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise MediaError(
                f"ffprobe took longer than {_TIMEOUT_S} s", where=path, todo="check the file"
            ) from error
        raise
    if process.returncode != 0:
        raise not_a_video(path, _last_line(err))
    return out.decode("utf-8", errors="replace")


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "ffprobe gave no reason"


def _stream(entry: dict[str, str], *, deep: bool) -> Stream:
    stream = Stream(
        index=int(entry["index"]),
        type=entry.get("codec_type", "unknown"),
        codec=entry.get("codec_name", "unknown"),
        time_base=Fraction(entry["time_base"]),
        pts=np.array([], dtype=np.int64),
        end_pts=None,
        num_frames=0,
        num_frames_header=_whole(entry.get("nb_frames", "N/A")),
        num_decoded=_decoded(entry) if deep else None,
        default=entry.get("disposition:default") == "1",
        attached_picture=entry.get("disposition:attached_pic") == "1",
    )
    if stream.type != "video":
        return stream
    return replace(
        stream,
        width=int(entry["width"]),
        height=int(entry["height"]),
        pixel_aspect=_aspect(entry.get("sample_aspect_ratio", "N/A")),
        rotation=rotation_of(float(entry.get("rotation", 0))),
    )


def _decoded(entry: dict[str, str]) -> int | None:
    """Return how many frames came out; ffprobe says N/A for none."""
    if entry.get("codec_type") not in ("video", "audio"):
        return None
    return _whole(entry.get("nb_read_frames", "N/A")) or 0


def _whole(text: str) -> int | None:
    return None if text == "N/A" else int(text)


def _aspect(text: str) -> Fraction:
    """Return the pixel aspect; `0:1` and an unknown one mean square."""
    width, _, height = text.partition(":")
    return Fraction(int(width), int(height)) if width.isdigit() and int(width) else Fraction(1)
