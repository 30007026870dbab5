"""The documentation shows what the program prints and writes."""

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dogclips
from docs.check_examples import (
    DOCS,
    Block,
    Step,
    blocks_of,
    in_shell,
    matches,
    run_block,
    shown_pages,
)
from docs.generate.files import WRITTEN, Written, keys_of
from tests import doc_worlds

pytestmark = pytest.mark.training

QUICK = {
    page: [block for block in blocks_of(page) if not block.words & {"slow"}]
    for page in shown_pages()
    # The tutorial is in test_demo.py, which has its recordings; `make examples` runs README.
    if page.name not in ("tutorial.md", "README.md")
}


@pytest.mark.parametrize("page", [*filter(QUICK.get, QUICK)], ids=lambda page: page.stem)
def test_commands_print_what_a_page_shows(page: Path, tmp_path: Path) -> None:
    doc_worlds.sessions(tmp_path)

    faults = [
        fault
        for block in QUICK[page]
        for fault in run_block(block, tmp_path, doc_worlds.in_process)
    ]

    assert not faults, "\n".join(faults)


def test_every_block_that_begins_with_our_program_is_run() -> None:
    pages = [*DOCS.glob("*.md"), *DOCS.glob("[ch]*/*.md")]

    assert len(pages) > 15
    for page in pages:
        lines = page.read_text().splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("```")][::2]
        shown = {number + 1 for number in starts if lines[number + 1].startswith("$ dogclips")}
        assert shown <= {block.number for block in blocks_of(page)}, page.name
        assert page in shown_pages() or not shown


def test_what_differs_from_a_page_is_told(tmp_path: Path) -> None:
    step = Step("echo one two", "one three")
    block = Block(DOCS / "index.md", 7, frozenset(), (step,))

    (fault,) = run_block(block, tmp_path, in_shell)

    assert fault.splitlines()[0] == "index.md:7: echo one two"
    assert "one three" in fault
    assert run_block(Block(block.page, 7, frozenset({"fails"}), (step,)), tmp_path, in_shell)


def test_elided_lines_are_any_number_of_lines() -> None:
    assert matches("a\n...\nd", "a\nb\nc\nd\n")
    assert matches("a\n...\nd", "a\nd\n")
    assert not matches("a\n...\nd", "a\nb\n")
    assert not matches("a", "a\nb\n")
    assert matches("", "")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sessions, a split and a run, and what predict and export make of them."""
    folder = tmp_path_factory.mktemp("written")
    doc_worlds.sessions(folder)
    dogclips.predict(folder / "runs" / "first", folder / "Feb" / "2_3_kt", folder / "predicted")
    dogclips.export(folder / "split", folder / "exported", format="csv")
    dogclips.export(folder / "split", folder / "kinetics", format="kinetics")
    source = folder / "Feb" / "2_2_kt" / "via" / "0205.json"
    for to, name in (("csv", "table.csv"), ("boris-csv", "boris.csv")):
        dogclips.convert(source, folder / name, to=to)  # type: ignore[arg-type]
    return folder


FOLDERS = {
    "The output folder of a session": "Feb/2_2_kt/output",
    "A split": "split",
    "A run folder": "runs/first",
    "Predictions": "predicted",
    "An export": "exported",
}


@pytest.mark.parametrize("title", FOLDERS)
def test_every_file_that_a_command_leaves_stands_in_the_reference(title: str, world: Path) -> None:
    folder = world / FOLDERS[title]
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    names = [name for name in names if not name.startswith(".")]

    assert len(names) > 3
    for name in names:
        assert any(fnmatch(name, file.name) for file in WRITTEN[title]), name


def described(title: str, name: str) -> Written:
    return next(file for file in WRITTEN[title] if file.name == name)


TABLES = {
    "Feb/2_2_kt/output/manifest.parquet": ("The output folder of a session", "manifest.parquet"),
    "Feb/2_2_kt/output/manifest.csv": ("The output folder of a session", "manifest.parquet"),
    "runs/first/predictions.parquet": ("A run folder", "predictions.parquet"),
    "predicted/predictions.parquet": ("Predictions", "predictions.parquet"),
    "predicted/bouts.csv": ("Predictions", "bouts.csv"),
    "boris.csv": ("Predictions", "bouts.csv"),
    "table.csv": ("Single files", "*.csv"),
    "kinetics/train.csv": ("An export", "kinetics"),
}


@pytest.mark.parametrize("path", TABLES)
def test_the_columns_of_a_table_are_those_of_the_reference(path: str, world: Path) -> None:
    file = world / path
    table = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    title, name = TABLES[path]
    columns = described(title, name).columns

    written = [c.name for c in columns if "only where" not in c.meaning or c.name in table]
    assert list(table.columns) == written
    if file.suffix == ".parquet":
        kinds = {column.name: column.dtype for column in columns if column.dtype != "object"}
        for column, kind in kinds.items():
            assert kind in ("str", "boolean", "Int64") or table[column].dtype == kind, column


def test_the_columns_of_an_export_are_those_of_the_reference(world: Path) -> None:
    columns = [column.name for column in described("An export", "*.csv").columns]
    table = pd.read_csv(world / "exported" / "train.csv")
    classes = (world / "exported" / "labels.txt").read_text().split()

    known = [name for name in columns if name != "label_indices"]
    assert list(table.columns) == [*known[:3], *classes, *known[3:]]


DOCUMENTS = {
    "Feb/2_2_kt/output/probe.json": ("The output folder of a session", "probe.json"),
    "split/split.json": ("A split", "split.json"),
    "runs/first/run.json": ("A run folder", "run.json"),
    "runs/first/metrics.json": ("A run folder", "metrics.json"),
    "predicted/scores.json": ("Predictions", "scores.json"),
    "exported/export.json": ("An export", "export.json"),
}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_keys_of_a_document_are_those_of_the_reference(path: str, world: Path) -> None:
    file = described(*DOCUMENTS[path])
    known = {key for key, _ in keys_of(file.record)} if file.record else set()
    known |= {f"{part}.{key}" if part else key for part, own in file.keys.items() for key in own}

    found = set(keys_in(json.loads((world / path).read_text()), known))

    assert found <= known
    assert {key for key in known if "." not in key} - found <= {"folds", "fold", "weights"}


def keys_in(value: Any, known: set[str], prefix: str = "") -> Iterator[str]:
    """Yield the path of every key as the reference writes it; not below what it says no more of."""
    if isinstance(value, list):
        for one in value:
            yield from keys_in(one, known, f"{prefix}[]")
        return
    if not isinstance(value, dict) or not any(deeper(key, prefix) for key in known):
        return
    free = {f"{prefix}.{name}" for name in ("NAME", "PATH")}
    named = next((name for name in free if any(deeper(key, name) for key in known)), None)
    for key, below in value.items():
        path = named or (f"{prefix}.{key}" if prefix else key)
        if named is None:
            yield path
        yield from keys_in(below, known, path)


def deeper(key: str, prefix: str) -> bool:
    return not prefix or key.startswith(f"{prefix}.")


def test_the_columns_of_epochs_are_those_of_the_reference(world: Path) -> None:
    record = described("A run folder", "metrics.csv").record
    assert record is not None

    table = pd.read_csv(world / "runs" / "first" / "metrics.csv")

    assert list(table.columns) == [key for key, _ in keys_of(record)]


def test_predictions_of_clips_say_where_they_come_from(world: Path) -> None:
    record = described("A run folder", "predictions.parquet").record
    assert record is not None

    table = pd.read_parquet(world / "runs" / "first" / "predictions.parquet")

    assert set(table.attrs) == {key for key, _ in keys_of(record)}
