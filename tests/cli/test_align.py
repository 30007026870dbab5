"""What `dogclips align` prints and writes."""

import json
from pathlib import Path

import pytest

from dogclips.alignment import StreamChoice
from dogclips.clips.probed import probe_document
from dogclips.clips.recordings import measure_recordings
from tests.cli.program import dogclips
from tests.moving import write_moving
from tests.shared import SHARED, needs_shared
from tests.videos import steady, write_made


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_moving(tmp_path_factory.mktemp("video") / "yard.mp4", range(80), range(7, 80))


def test_a_hidden_loss_is_seen_and_written_to_a_page(recording: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "align.html"

    shown = dogclips("align", recording, "--output", output)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Trusted, by the pixels: stream 1 starts 0.700 s (7 frames) late" in shown.stdout
    assert "80 and 73 frames. Lost at the head: +7, at the tail: 0" in shown.stdout
    assert "P030" in shown.stdout
    assert "\x1b[" not in shown.stdout
    assert [path.name for path in output.parent.iterdir()] == ["align.html"]
    assert output.read_text().startswith("<!doctype html>")


def test_json_is_the_document_of_probe(recording: Path) -> None:
    choice = StreamChoice()
    files = measure_recordings([recording], [choice]).values()

    shown = dogclips("align", recording, "--json")

    envelope = {"command": "align", "warnings": []}
    assert json.loads(shown.stdout) == probe_document(list(files)) | envelope


def test_streams_that_nobody_can_align_are_shown_with_exit_code_1(tmp_path: Path) -> None:
    path = write_moving(tmp_path / "still.mp4", 80 * [0], 73 * [0])

    shown = dogclips("align", path)

    assert shown.returncode == 1
    assert "NOT trusted: by timestamps both streams start together" in shown.stdout
    assert "by 0.700 s (7 frames)" in shown.stdout
    assert "frame counts  +0.700" in shown.stdout


def test_a_single_stream_leaves_nothing_to_align(tmp_path: Path) -> None:
    path = write_made(tmp_path / "one.mp4", steady(40))

    shown = dogclips("align", path)

    assert shown.returncode == 0
    assert "There is a single video stream: nothing to align." in shown.stdout


def test_an_output_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = write_made(tmp_path / "video" / "one.mp4", steady(40))
    (tmp_path / "taken").write_text("a file, no folder")

    shown = dogclips("align", path, "--output", tmp_path / "taken" / "align.html")

    assert shown.returncode == 1
    assert "error: cannot write" in shown.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken", "video"]


def test_an_unknown_kind_of_output_is_wrong_usage(tmp_path: Path) -> None:
    shown = dogclips("align", tmp_path / "missing.mp4", "--output", tmp_path / "align.pdf")

    assert shown.returncode == 2
    assert "cannot write .pdf (--output): name a file that ends in .html or .png" in shown.stderr


@pytest.mark.shared
@needs_shared
def test_a_film_in_two_frame_rates_is_aligned_by_its_timestamps_and_not_verified() -> None:
    """Its 25 and 29.97 frames a second were made from another rate: no frame has a partner."""
    shown = dogclips("align", SHARED / "data/videos/torchcodec_nasa_13013.mp4")

    assert shown.returncode == 0
    assert "Trusted, but not verified by pixels: stream 3 starts together" in shown.stdout
    assert "P021" in shown.stdout
