"""Commands and functions leave the same files."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dogclips
from dogclips.clips.probed import probe_document
from dogclips.reports.tables.check import check_document
from tests.cli.program import dogclips as program
from tests.sessions import write_project, write_session

SETTINGS = {"stride_seconds": 2, "content": "never", "short_side": 64}
ONE, OTHER = "2_2_kt", "2_3_kt"
Documents = dict[str, Any]


def from_python() -> Documents:
    """Run every data-side step; return what the functions found."""
    recording = f"{ONE}/video/020500.mp4"
    probed = dogclips.probe(ONE, output="probe.json")
    aligned = dogclips.align(recording, trust="timestamps", output="align.png")
    checked = dogclips.check([ONE, OTHER], {"labels.unknown": "drop"})
    dogclips.convert(f"{ONE}/via/0205.json", "table.csv", to="csv")
    dogclips.cut(ONE, SETTINGS, workers=1)
    for shard in ("1/2", "2/2"):
        dogclips.cut(OTHER, SETTINGS, workers=1, shard=shard)
    dogclips.merge(OTHER)
    dogclips.split([ONE, OTHER], "split", val=0.3, test=0.3, group_by="none", seed=1)
    dogclips.split([ONE, OTHER], "folds", folds=2, group_by="none")
    dogclips.export("split", "export", format="csv", skip_unfit=True)
    dogclips.report([ONE, OTHER], "report.html", split="split", clips_per_label=1)
    return {
        "probe": probe_document(probed.recordings),
        "align": probe_document([aligned.recording]),
        "check": check_document(checked.files),
    }


def from_command_line() -> Documents:
    """Do the same with the program; return what it prints."""
    recording = f"{ONE}/video/020500.mp4"
    settings = [f"{key}={value}" for key, value in SETTINGS.items()]
    lists = ("split", ONE, OTHER, "--group-by", "none")
    printed = {
        "probe": run("probe", ONE, "--output", "probe.json", "--json"),
        "align": run(
            *("align", recording, "--trust", "timestamps", "--output", "align.png", "--json")
        ),
        "check": run("check", ONE, OTHER, "--on-unknown-label", "drop", "--json"),
    }
    run("convert", f"{ONE}/via/0205.json", "table.csv", "--to", "csv")
    run("cut", ONE, "--set", *settings, "--workers", 1)
    for shard in ("1/2", "2/2"):
        run("cut", OTHER, "--set", *settings, "--workers", 1, "--shard", shard)
    run("merge", OTHER)
    run(*lists, "--out", "split", "--val", 0.3, "--test", 0.3, "--seed", 1)
    run(*lists, "--out", "folds", "--folds", 2)
    run("export", "split", "--out", "export", "--format", "csv", "--skip-unfit")
    run("report", ONE, OTHER, "--output", "report.html", "--split=split", "--clips-per-label=1")
    return {name: json.loads(text) for name, text in printed.items()}


def run(*arguments: object) -> str:
    shown = program(*arguments)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def written(folder: Path) -> dict[str, Any]:
    """Return all files of a folder, without what tells the folders or the minutes apart."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".parquet":
            found[name] = pd.read_parquet(path).to_json(orient="records", date_unit="ns")
        elif path.name != ".lock":
            content = path.read_bytes().replace(str(folder).encode(), b"HERE")
            found[name] = re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d", b"NOW", content)
    return found


def test_python_leaves_the_files_of_the_command_line_and_prints_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    here, there = tmp_path / "python", tmp_path / "program"
    for name in (ONE, OTHER):
        write_session(here / name)
    write_project(here / ONE, "0205", {"020500.mp4": [(0, 4, "0"), (4, 8, "bark"), (6, 12, "2")]})
    shutil.copytree(here, there)  # with the files' times, which are part of a recipe

    documents = inside(here, from_python, monkeypatch)
    assert capfd.readouterr() == ("", "")
    printed = inside(there, from_command_line, monkeypatch)

    for command, document in documents.items():
        envelope = {"version": 1, "command": command, "warnings": []}
        assert json.loads(json.dumps(document)) | envelope == printed[command]
    found, expected = written(here), written(there)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    for name in ("2_3_kt/output/manifest.parquet", "folds/fold2/split.json", "export/export.json"):
        assert name in found


def inside(
    folder: Path, run_all: Callable[[], Documents], monkeypatch: pytest.MonkeyPatch
) -> Documents:
    with monkeypatch.context() as patch:
        patch.chdir(folder)
        return run_all()
