import json
from pathlib import Path

import yaml

from tests.cli.program import dogclips


def test_the_printed_settings_can_be_given_back(tmp_path: Path) -> None:
    printed = dogclips("config", "cut", "--set", "short_side=256")
    file = tmp_path / "my.yaml"
    file.write_text(printed.stdout)

    assert printed.returncode == 0
    assert dogclips("config", "cut", "--config", file).stdout == printed.stdout
    assert dogclips("config", "cut", "--diff", file).stdout == "short_side: null -> 256\n"


def test_json_holds_every_setting_or_every_difference() -> None:
    document = json.loads(dogclips("config", "predict", "--json").stdout)
    facts = {fact["key"]: fact for fact in document["settings"]}
    assert facts["smooth_seconds"] == {
        "key": "smooth_seconds",
        "description": "Length of the median filter.",
        "unit": "s",
        "allowed": "a number above 0",
        "default": 3.0,
        "value": 3.0,
        "required": False,
    }
    found = json.loads(dogclips("config", "cut", "--diff", "training", "--json").stdout)
    assert found["differences"] == [{"key": "short_side", "default": None, "value": 256}]


def test_the_schema_is_written_and_named(tmp_path: Path) -> None:
    printed = dogclips("config", "train", "--model", "x3d", "--schema", "s.json", cwd=tmp_path)

    assert printed.stdout.startswith("# yaml-language-server: $schema=s.json\n")
    assert yaml.safe_load(printed.stdout)["model"]["name"] == "x3d"
    assert json.loads((tmp_path / "s.json").read_text())["title"] == "TrainConfig"


def test_a_comparison_takes_no_other_option() -> None:
    told = dogclips("config", "cut", "--diff", "training", "--set", "short_side=1")
    assert told.returncode == 2
    assert "--diff compares one file with the defaults" in told.stderr
