from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dogclips.errors import ListError
from dogclips.lists import ClipList, ListedClip, read_labels, read_list, write_labels, write_list
from dogclips.records.manifest import manifest_table, write_manifest
from dogclips.training.config import LossConfig
from dogclips.training.losses import loss_tasks

LABELS = ("sit", "walk", "sniff")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two clips and label names."""
    write_labels(tmp_path / "labels.txt", LABELS)
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def lines(folder: Path, *lines: str) -> Path:
    path = folder / "dataset.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ListError) as caught:
        read_list(path)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_a_list_is_read_with_its_names(folder: Path) -> None:
    path = lines(folder, "a.mp4 0 2", "b.mp4 1")
    listed = read_list(path)
    assert listed.path == path
    assert listed.labels == LABELS
    assert listed.clips == (
        ListedClip(folder / "a.mp4", (0, 2)),
        ListedClip(folder / "b.mp4", (1,)),
    )


def test_a_list_is_written_as_mmaction2_reads_it(folder: Path) -> None:
    clips = [ListedClip(folder / "0205" / "a.mp4", (0, 2)), ListedClip(folder / "b.mp4", (1,))]
    write_list(folder / "dataset.txt", clips)
    assert (folder / "dataset.txt").read_text() == "0205/a.mp4 0 2\nb.mp4 1\n"


def test_a_list_may_lie_beside_the_folder_of_its_clips(folder: Path) -> None:
    path = folder / "splits" / "train.txt"
    write_list(path, [ListedClip(folder / "a.mp4", (1,))])
    assert path.read_text() == "../a.mp4 1\n"
    assert read_list(path).clips == (ListedClip(folder / "a.mp4", (1,)),)


def test_paths_are_relative_to_the_list_wherever_it_is_read_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(folder, "a.mp4 0")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    (clip,) = read_list(Path("../dataset.txt")).clips
    assert clip.path == folder / "a.mp4"


def test_windows_line_ends_are_no_part_of_a_label(folder: Path) -> None:
    path = folder / "dataset.txt"
    path.write_bytes(b"a.mp4 0\r\nb.mp4 1\r\n")
    assert [clip.labels for clip in read_list(path).clips] == [(0,), (1,)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "an empty line "),
        ("  ", "an empty line "),
        ("b.mp4 walk", "'walk' is not a class index "),
        ("b.mp4 1.0", "'1.0' is not a class index "),
        ("b.mp4 -1", "'-1' is not a class index "),
        ("b.mp4 ²", "'²' is not a class index "),
        ("b.mp4 0 1,2", "'1,2' is not a class index "),
        ("b.mp4 " + "9" * 5000, "9' is not a class index "),
        ("b.mp4  1", "two spaces in a row after 'b.mp4' "),
        (" b.mp4 1", "a space before 'b.mp4 1' "),
        ("b.mp4 1 ", "a space after 'b.mp4 1' "),
        ("b.mp4\t1", "a tab in 'b.mp4\\t1' "),
        ("b.mp4\u00a01", "an unusual space (U+00A0) in "),
        ("b.mp4\u20281", "an unusual space (U+2028) in "),
        ("my b.mp4 1", "a space in the path 'my b.mp4' "),
        ("my old b.mp4 0 2", "a space in the path 'my old b.mp4' "),
        ("no such b.mp4 1", "'such' is not a class index "),
        ("c.mp4 1", "no such clip: c.mp4 "),
        ("labels.txt/b.mp4 1", "no such clip: labels.txt/b.mp4 "),
        (". 1", "no such clip: . "),
        ("c\0.mp4 1", "no such clip: c\0.mp4 "),
        ("x" * 300 + " 1", "no such clip: xxx"),
        ("b.mp4 3", "label 3 has no name: labels.txt has 3 "),
        ("b.mp4 0 99", "label 99 has no name: labels.txt has 3 "),
        ("b.mp4 1 0 1", "label 1 appears twice "),
        ("b.mp4 01 1", "label 1 appears twice "),
        ("a.mp4 1", "the clip is listed twice, first in line 1 "),
        ("./a.mp4 1", "the clip is listed twice, first in line 1 "),
        ("more/../a.mp4", "the clip is listed twice, first in line 1 "),
    ],
    ids=[
        "nothing",
        "blanks alone",
        "a label in words",
        "a label with a point",
        "a negative label",
        "a superscript",
        "labels with a comma",
        "a label of 5000 digits",
        "two blanks",
        "a blank before",
        "a blank behind",
        "a tab",
        "a blank that does not break",
        "a line separator",
        "a blank in the path",
        "two blanks in the path",
        "a blank in the path of a clip that is not there",
        "a clip that is not there",
        "a path through a file",
        "a folder",
        "a NUL",
        "a name of 300 letters",
        "one label too many",
        "a label without a name",
        "a label twice",
        "a label twice in other digits",
        "a clip listed twice",
        "a clip listed twice in other words",
        "a clip listed twice on a detour",
    ],
)
def test_a_wrong_line_is_named_by_its_number_and_its_fault(
    folder: Path, line: str, says: str
) -> None:
    for name in ("my b.mp4", "my old b.mp4"):
        (folder / name).write_bytes(b"")
    message = refusal(lines(folder, "a.mp4 0", line))
    assert says in message
    assert f"({folder / 'dataset.txt'}:2): " in message


def test_the_first_of_many_wrong_lines_is_named_and_the_others_are_counted(folder: Path) -> None:
    wrong = ["b.mp4 7", "", "c.mp4 1", "a.mp4 0", "b.mp4 1 1"]
    message = refusal(lines(folder, "a.mp4 0", "b.mp4 1", *wrong))
    assert "label 7 has no name: labels.txt has 3; 4 more lines are wrong (" in message
    assert "dataset.txt:3)" in message


def test_a_clip_may_stand_right_once_after_a_wrong_line_with_it(folder: Path) -> None:
    message = refusal(lines(folder, "a.mp4 7", "a.mp4 0"))
    assert "label 7 has no name: labels.txt has 3 (" in message


def test_a_path_may_leave_through_the_folder_above(folder: Path) -> None:
    (folder / "lists").mkdir()
    path = lines(folder / "lists", "../a.mp4 0", "../lists/../b.mp4")
    assert [clip.path for clip in read_list(path).clips] == [folder / "a.mp4", folder / "b.mp4"]


def test_lines_are_counted_as_an_editor_does(folder: Path) -> None:
    message = refusal(lines(folder, "a.mp4\x0c 0", "b.mp4 9"))
    assert "U+000C" in message
    assert "; 1 more line is wrong (" in message
    assert "dataset.txt:1)" in message


def test_the_mark_that_some_editors_put_in_front_is_no_part_of_a_name(folder: Path) -> None:
    (folder / "labels.txt").write_text("sit\nwalk\n", encoding="utf-8-sig")
    (folder / "dataset.txt").write_text("a.mp4 1\n", encoding="utf-8-sig")
    listed = read_list(folder / "dataset.txt")
    assert listed.labels == ("sit", "walk")
    assert listed.clips == (ListedClip(folder / "a.mp4", (1,)),)


@pytest.mark.parametrize("lead", ["a.mp4 0", "a.mp4"])
def test_the_first_line_counts_as_one(folder: Path, lead: str) -> None:
    assert "dataset.txt:1)" in refusal(lines(folder, lead.replace("a", "c", 1)))


def test_an_empty_list_is_refused(folder: Path) -> None:
    assert "the list is empty" in refusal(lines(folder))


def test_a_list_that_is_not_there_is_refused(folder: Path) -> None:
    assert "nowhere.txt" in refusal(folder / "nowhere.txt")


def test_a_binary_list_is_refused(folder: Path) -> None:
    path = folder / "dataset.txt"
    path.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refusal(path)


def test_a_list_without_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    assert "no labels.txt" in refusal(lines(tmp_path, "a.mp4 0"))


def test_the_names_may_lie_in_the_folder_above(folder: Path) -> None:
    (folder / "0205").mkdir()
    assert read_labels(folder / "0205" / "dataset.txt") == LABELS


def test_the_nearest_names_win(folder: Path) -> None:
    write_labels(folder / "0205" / "labels.txt", ["other"])
    assert read_labels(folder / "0205" / "dataset.txt") == ("other",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sit\n\nwalk\n", "a class has no name ({}:2)"),
        ("sit\nwalk\n \n", "a class has no name ({}:3)"),
        ("sit\nsit\n", "two classes are called 'sit': lines 1 and 2 ({}:2)"),
        ("walk\nsit\nrun\nsit \n", "two classes are called 'sit': lines 2 and 4 ({}:4)"),
    ],
)
def test_empty_and_doubled_names_are_refused_by_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "labels.txt").write_text(text)
    with pytest.raises(ListError) as caught:
        read_labels(tmp_path / "dataset.txt")
    assert str(caught.value).startswith(says.format(tmp_path / "labels.txt"))


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\u00a0", "\u2028"])
def test_a_blank_in_a_path_is_refused_before_anything_is_written(
    tmp_path: Path, blank: str
) -> None:
    path = tmp_path / "dataset.txt"
    clips = [ListedClip(tmp_path / "a.mp4", (0,)), ListedClip(tmp_path / f"b{blank}c.mp4", (0,))]
    with pytest.raises(ListError, match=r"a space in .*dataset\.txt"):
        write_list(path, clips)
    assert not path.exists()


def test_a_blank_above_the_lists_own_folder_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "my dogs"
    write_list(folder / "dataset.txt", [ListedClip(folder / "a.mp4", (0,))])
    assert (folder / "dataset.txt").read_text() == "a.mp4 0\n"


@pytest.mark.parametrize("name", ["", " ", "walk\nrun", "walk\n", "walk\r", "\u2028walk"])
def test_a_class_name_that_is_no_line_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ListError, match="cannot be written on one line"):
        write_labels(tmp_path / "labels.txt", ["sit", name])
    assert not (tmp_path / "labels.txt").exists()


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="/"),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in {".", ".."})
INDICES = st.lists(st.integers(0, len(LABELS) - 1), unique=True).map(tuple)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(NAMES, NAMES, INDICES), min_size=1, unique_by=lambda clip: clip[:2]))
def test_a_list_reads_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    clips: Sequence[tuple[str, str, tuple[int, ...]]],
) -> None:
    folder = tmp_path_factory.mktemp("clips")
    write_labels(folder / "labels.txt", LABELS)
    listed = []
    for parent, name, labels in clips:
        path = folder / f"d{parent}" / f"f{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        listed.append(ListedClip(path, labels))
    write_list(folder / "dataset.txt", listed)
    assert read_list(folder / "dataset.txt").clips == tuple(listed)


class_names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)


@settings(deadline=None)
@given(st.lists(class_names.map(str.strip).filter(bool), unique=True))
def test_class_names_read_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    write_labels(folder / "labels.txt", names)
    assert read_labels(folder / "dataset.txt") == tuple(names)


pieces = st.sampled_from(["a", ".mp4", " ", " 0", " 2", " ²", "\n", "\t", "\0", "../", "x" * 300])


@example("x" * 300 + "/a.mp4 0")  # a folder of that name cannot be
@settings(deadline=None, max_examples=200)
@given(st.lists(pieces | st.text(max_size=3), max_size=8).map("".join))
def test_any_text_is_a_list_or_a_list_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    write_labels(folder / "labels.txt", LABELS)
    (folder / "a").write_bytes(b"")
    (folder / "any.txt").write_bytes(b"a 0\n" + text.encode())
    try:
        listed = read_list(folder / "any.txt")
    except ListError as error:
        assert f"{folder / 'any.txt'}:" in error.where  # noqa: PT017 (either end is right)
    else:
        assert listed.clips[0] == ListedClip(folder / "a", (0,))


@pytest.mark.parametrize("with_task", [True, False, None])
def test_manifests_tell_whether_labels_carry_their_task(
    tmp_path: Path, with_task: bool | None
) -> None:
    names = ("at 10:30", "at 11:00")
    row = {"clip": "a.mp4", "status": "planned", "with_task": with_task}
    write_manifest(manifest_table([row]), tmp_path)
    write_labels(tmp_path / "labels.txt", names)
    write_list(tmp_path / "dataset.txt", [ListedClip(tmp_path / "a.mp4", (0,))])

    listed = read_list(tmp_path / "dataset.txt")

    assert listed.with_task is with_task
    tasks = loss_tasks(LossConfig(), listed.labels, listed.with_task)
    assert [task.name for task in tasks] == ([""] if with_task is False else ["at 10", "at 11"])


def test_labels_without_a_colon_carry_no_task_and_no_manifest_is_asked(tmp_path: Path) -> None:
    (tmp_path / "manifest.parquet").write_bytes(b"no manifest")
    clips = ClipList(tmp_path / "list.txt", (ListedClip(tmp_path / "a.mp4", (0,)),), ("sit",))
    assert clips.with_task is False
