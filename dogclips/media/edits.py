"""Read what an MP4's edit lists say before a track's first frame.

FFmpeg applies edit lists and does not tell them; players differ in how they read them. The boxes
are those of ISO/IEC 14496-12: `moov/mvhd` (movie header) and `moov/trak/edts/elst` (edit list).
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from dogclips.streams import EmptyEdit, StreamTable

# Sample tables of a day of video take some ten megabytes; more is no film's header.
_MAX_HEADER_BYTES = 1 << 28


def with_empty_edits(table: StreamTable) -> StreamTable:
    """Return the table with the empty edit of each stream; other containers than MP4 have none."""
    if not table.format.startswith("mov"):
        return table
    edits = _empty_edits(_movie_box(table.path))
    if len(edits) != len(table.streams):  # a track that FFmpeg does not show, or a broken header
        return table
    streams = zip(table.streams, edits, strict=True)
    return replace(
        table, streams=tuple(replace(stream, empty_edit=edit) for stream, edit in streams)
    )


def _movie_box(path: Path) -> memoryview:
    """Return the content of the file's `moov` box; empty if there is none."""
    with path.open("rb") as file:
        while len(head := file.read(16)) >= 8:
            size, kind = struct.unpack_from(">I4s", head)
            length = 8
            if size == 1 and len(head) == 16:
                size, length = struct.unpack_from(">Q", head, 8)[0], 16
            if size < length:  # 0: the last box, to the end of the file; less is no box
                break
            if kind == b"moov":
                file.seek(length - len(head), 1)
                return memoryview(file.read(min(size - length, _MAX_HEADER_BYTES)))
            file.seek(size - len(head), 1)
    return memoryview(b"")


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the kind and the content of each box; what does not add up ends the list."""
    while len(data) >= 8:
        size, kind = struct.unpack_from(">I4s", data)
        if not 8 <= size <= len(data):
            return
        yield kind, data[8:size]
        data = data[size:]


def _empty_edits(movie: memoryview) -> list[EmptyEdit | None]:
    """Return the empty edit of every track, in the order in which FFmpeg counts streams."""
    timescale, fragmented, edits = 0, False, []
    for kind, content in _boxes(movie):
        if kind == b"mvex":
            fragmented = True
        elif kind == b"mvhd" and len(content) >= 24:
            timescale = struct.unpack_from(">I", content, 20 if content[0] == 1 else 12)[0]
        elif kind == b"trak":
            edits.append(_empty_ticks(content))
    known = timescale > 0 and not fragmented
    # The waits of a fragmented movie are read alike by all players.
    return [EmptyEdit(ticks, timescale) if ticks and known else None for ticks in edits]


def _empty_ticks(track: memoryview) -> int:
    """Return how long a track's edit list lets it wait, in ticks of the movie."""
    edits = next((content for kind, content in _boxes(track) if kind == b"edts"), memoryview(b""))
    listed = next((content for kind, content in _boxes(edits) if kind == b"elst"), None)
    if not listed:
        return 0
    entry = struct.Struct(">Qqi" if listed[0] == 1 else ">Iii")  # version 1 counts in 64 bits
    entries = listed[8 : len(listed) - (len(listed) - 8) % entry.size]
    waits = takewhile(lambda edit: edit[1] == -1, entry.iter_unpack(entries))
    return sum(duration for duration, _, _ in waits)
