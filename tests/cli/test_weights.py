"""`dogclips weights`, as scripts and people use it."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from dogclips.models import SlowFastConfig
from tests.cli.program import dogclips
from tests.models.foreign import filled, slowfast_of_mmaction2

TINY = SlowFastConfig(depths=(1, 1, 1, 1), width=8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    held = slowfast_of_mmaction2(filled(TINY, 3, 8, 32).state_dict(), lateral_norm=False)
    held["state_dict"]["backbone.other.weight"] = torch.zeros(2)
    held["meta"] = {"dataset_meta": {"classes": ["sit", "walk", "run\x1b[2J"]}}
    torch.save(held, tmp_path / "slowfast.pth")
    return tmp_path / "slowfast.pth"


def test_inspect_says_whose_weights_these_are_and_what_is_unknown(source: Path) -> None:
    shown = dogclips("weights", "inspect", source)

    assert (shown.returncode, shown.stderr) == (0, "")
    rows = [re.split(r"  +", line.strip(), maxsplit=1) for line in shown.stdout.splitlines()]
    facts = dict(row for row in rows if len(row) == 2)
    assert facts["file"] == "PyTorch file"
    assert facts["names"] == "MMAction2"
    assert facts["architecture"] == "slowfast"
    assert facts["classes"] == "3: sit, walk, run?[2J"
    assert facts["normalisation"] == (
        "mean 0.485 0.456 0.406, std 0.229 0.224 0.225 (from MMAction2's ResNet configurations)"
    )
    assert facts["unknown keys"] == "other.weight"
    assert "no batch norm" in shown.stdout


def test_convert_writes_our_names_with_what_is_known_of_them(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "slowfast.safetensors"

    shown = dogclips("weights", "convert", source, out, "--json")

    assert (shown.returncode, shown.stderr) == (0, "")
    document = json.loads(shown.stdout)
    assert (document["version"], document["output"]) == (1, str(out))
    assert (document["source"], document["architecture"]) == ("MMAction2", "slowfast")
    assert (document["num_classes"], document["unknown"]) == (3, ["other.weight"])
    with safe_open(out, framework="pt") as opened:
        assert "s1_fuse.conv_f2s.weight" in opened.keys()  # noqa: SIM118 (no dict)
        metadata = json.loads(opened.metadata()["dogclips"])
    assert metadata["architecture"] == "slowfast"
    assert metadata["source"] == "MMAction2"
    assert metadata["input"]["mean"] == pytest.approx([0.485, 0.456, 0.406])
    assert metadata["labels"][:2] == ["sit", "walk"]
    assert [path.name for path in out.parent.iterdir()] == ["slowfast.safetensors"]


FAULTS = {
    "half a file": (
        ["convert", "half.pth", "out.safetensors"],
        1,
        r"file incomplete or damaged \(half\.pth, \d+ byt",
    ),
    "other kind of output": (["convert", "slowfast.pth", "out.pth"], 2, r"\.safetensors"),
    "output is there": (
        ["convert", "slowfast.pth", "there.safetensors"],
        1,
        r"already exists \(there\.safetensors\).*--force",
    ),
    "output is a folder": (["convert", "slowfast.pth", "dir.safetensors"], 1, r"this is a folder"),
    "output is the input": (
        ["convert", "there.safetensors", "there.safetensors", "--force"],
        1,
        r"this file is the input",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_and_leaves_nothing_behind(fault: str, source: Path) -> None:
    folder = source.parent
    (folder / "half.pth").write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    (folder / "there.safetensors").write_text("mine")
    (folder / "dir.safetensors").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}
    arguments, code, says = FAULTS[fault]

    shown = dogclips("weights", *arguments, cwd=folder)

    assert (shown.returncode, shown.stdout) == (code, "")
    assert len(shown.stderr.splitlines()) == 1
    assert re.search(says, shown.stderr), shown.stderr
    assert {path: path.is_file() and path.read_bytes() for path in folder.iterdir()} == before


def test_no_command_prints_help_and_is_wrong_usage() -> None:
    shown = dogclips("weights")

    assert shown.returncode == 2
    assert "convert" in shown.stdout
    assert "inspect" in shown.stdout
