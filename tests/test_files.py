import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.errors import OutputError
from dogclips.files import part_of, safe_cell, whole_file, write_whole


def test_a_file_appears_with_its_text(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "folder" / "a.txt", "wälk\n")
    assert (tmp_path / "new" / "folder" / "a.txt").read_bytes() == "wälk\n".encode()
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["a.txt"]


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with whole_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
        assert part.parent == path.parent
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_of_the_old_file_is_not_disturbed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with path.open() as reader:
        write_whole(path, "new")
        assert reader.read() == "old"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.txt"

    def fail() -> None:
        with whole_file(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises((error, OutputError)):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with whole_file(path) as part:
            part.write_text("half")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 (our own, above)
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_errors_than_the_disks_pass_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a.txt"):
        _ = 1 / 0


def test_a_full_disk_is_an_output_error_with_the_path(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(OutputError, match=r"No space left on device .*a\.txt"), whole_file(path):
        Path("/dev/full").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_a_folder_is_needed_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file")
    with pytest.raises(OutputError, match=r"output/a\.txt"):
        write_whole(tmp_path / "output" / "a.txt", "x")
    assert (tmp_path / "output").read_text() == "a file"


def test_a_file_above_the_folder_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file")
    with pytest.raises(OutputError, match=r"deep/a\.txt"):
        write_whole(tmp_path / "output" / "deep" / "a.txt", "x")


def test_a_folder_of_the_files_name_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt" / "full").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"a\.txt"):
        write_whole(tmp_path / "a.txt", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_name_that_is_too_long_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        write_whole(tmp_path / ("x" * 300), "x")


def test_a_file_in_the_making_is_hidden_and_no_clip(tmp_path: Path) -> None:
    part = part_of(tmp_path / "clip.mp4")
    part.write_text("half")
    assert list(tmp_path.glob("*.mp4")) == []
    assert part.name.startswith(".")


@given(st.text())
def test_no_cell_begins_a_formula_and_nothing_is_lost(cell: str) -> None:
    safe = safe_cell(cell)
    assert not safe.startswith(("=", "+", "-", "@"))
    assert safe.removeprefix("'") == cell.removeprefix("'")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_formula_becomes_text(cell: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(cell)])
    assert out.getvalue().strip() == f"'{cell}"
