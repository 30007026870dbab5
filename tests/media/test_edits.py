"""What an MP4's edit lists say is read from its boxes; where there are none, nothing is said."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from dogclips.media.edits import with_empty_edits
from dogclips.media.pyavprobe import probe_with_pyav
from dogclips.media.writing import VideoTrack, write_video
from dogclips.streams import EmptyEdit, StreamTable
from tests.probes import PROBES
from tests.videos import steady, write_made

TWO = (steady(40, late=10), steady(40))
HALF_A_SECOND = EmptyEdit(500, 1000)


@pytest.mark.parametrize("probe", PROBES)
def test_each_streams_wait_is_read(tmp_path: Path, probe: Callable[[Path], StreamTable]) -> None:
    late, prompt = probe(write_made(tmp_path / "two.mp4", *TWO)).streams

    assert (late.empty_edit, prompt.empty_edit) == (HALF_A_SECOND, None)
    assert late.start_s == HALF_A_SECOND.seconds == Fraction(1, 2)


def test_a_late_stream_in_matroska_has_no_edit(tmp_path: Path) -> None:
    table = probe_with_pyav(write_made(tmp_path / "two.mkv", *TWO))

    assert [stream.empty_edit for stream in table.streams] == [None, None]


def test_a_fragmented_movie_has_no_edit_that_players_misread(tmp_path: Path) -> None:
    path = tmp_path / "fragmented.mp4"
    picture = np.zeros((72, 128, 3), np.uint8)
    write_video(
        path,
        [VideoTrack(128, 72, Fraction(20))],
        [(0, 10 + k, picture) for k in range(20)],
        container_options={"movflags": "frag_keyframe+empty_moov+delay_moov"},
    )

    (stream,) = probe_with_pyav(path).streams

    assert (stream.start_s, stream.empty_edit) == (Fraction(1, 2), None)


@pytest.mark.parametrize("byte", [0x00, 0x01, 0x7F, 0xFF])
def test_a_broken_header_says_nothing_wrong_and_stops_nothing(tmp_path: Path, byte: int) -> None:
    path = write_made(tmp_path / "two.mp4", *TWO)
    table = probe_with_pyav(path)
    content = path.read_bytes()
    header = content.rindex(b"moov") - 4

    for place in range(header, len(content)):
        path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
        assert len(with_empty_edits(table).streams) == 2
    for end in range(header, len(content), 7):
        path.write_bytes(content[:end])
        assert len(with_empty_edits(table).streams) == 2
