"""Options as people type them, and what the program says where they are wrong."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dogclips.cli.options import spread
from tests.cli.program import dogclips
from tests.sessions import write_project, write_session
from tests.videos import steady

SPREAD = {
    "in a row": (
        ["cut", "--set", "a=1", "b.c=2", "d"],
        ["cut", "--set", "a=1", "--set", "b.c=2", "d"],
    ),
    "one by one": (["cut", "--set", "a=1", "--set", "b=2", "d"], None),
    "a folder behind them": (["cut", "--set", "a=1", "dogs/lr=2"], None),
    "another option behind them": (["cut", "--set", "a=1", "--force", "b=2"], None),
    "an equals sign": (["cut", "--set=a=1", "b=2", "d"], ["cut", "--set=a=1", "--set", "b=2", "d"]),
    "files": (
        ["cut", "--config", "a.yaml", "b.YML", "d"],
        ["cut", "--config", "a.yaml", "--config", "b.YML", "d"],
    ),
    "a file and a session": (["cut", "--config", "tiny", "d.mp4"], None),
    "models": (
        ["demo", "--model", "slowfast", "timesformer", "data/demo"],
        ["demo", "--model", "slowfast", "--model", "timesformer", "data/demo"],
    ),
    "both kinds": (
        ["train", "--config", "a.yaml", "b.yaml", "--set", "c=1", "d=2"],
        ["train", "--config", "a.yaml", "--config", "b.yaml", "--set", "c=1", "--set", "d=2"],
    ),
    "a value like an option": (["cut", "--set", "--force", "d"], None),
}


@pytest.mark.parametrize(("given", "expected"), SPREAD.values(), ids=SPREAD)
def test_an_option_takes_all_values_behind_it_and_nothing_else(
    given: list[str], expected: list[str] | None
) -> None:
    assert spread(given) == (expected or given)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options") / "session"
    return write_session(folder, [(0, 12, "1")], streams=[steady(240)])


WINDOWS = {
    "in a row": ["--set", "clip_seconds=2", "stride_seconds=1", "session"],
    "one by one": ["--set", "clip_seconds=2", "--set", "stride_seconds=1", "session"],
    "behind the session": ["session", "--set", "clip_seconds=2", "stride_seconds=1"],
    "in files": ["--config", "long.yaml", "short.yaml", "session"],
    "in files and in a row": [
        *("--config", "short.yaml", "long.yaml"),
        *("--set", "clip_seconds=2", "stride_seconds=1", "session"),
    ],
}


@pytest.mark.parametrize("arguments", WINDOWS.values(), ids=WINDOWS)
def test_several_settings_hold_however_they_are_written(
    session: Path, arguments: Sequence[str]
) -> None:
    (session.parent / "long.yaml").write_text("clip_seconds: 3\nstride_seconds: 3\n")
    (session.parent / "short.yaml").write_text("clip_seconds: 2\nstride_seconds: 1\n")

    shown = dogclips("cut", *arguments, "--dry-run", "--json", cwd=session.parent)

    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["planned"] == 11


MISUSED = {
    "a misspelt option": (["probe", "--depe", "a.mp4"], "did you mean --deep? ", "probe"),
    "another one": (["split", "a", "--out", "b", "--groupby", "none"], "--group-by? ", "split"),
    "nothing near": (["probe", "--zzz", "a.mp4"], "", "probe"),
    "a missing argument": (["merge"], "", "merge"),
    "a missing option": (["export", "a", "--out", "b"], "", "export"),
    "a bad value": (["convert", "a", "b", "--to", "xml"], "", "convert"),
    "a command of a command": (["weights", "convert"], "", "weights convert"),
}


@pytest.mark.parametrize(("arguments", "near", "command"), MISUSED.values(), ids=MISUSED)
def test_wrong_usage_names_the_nearest_option_and_the_commands_own_help(
    arguments: list[str], near: str, command: str
) -> None:
    shown = dogclips(*arguments)

    assert (shown.returncode, shown.stdout) == (2, "")
    [line] = shown.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(f"{near}see `dogclips {command} --help`")
    assert near or "did you mean" not in line


# A command, what it refuses with an exit code and an error code, and which of its inputs that is.
REFUSED: dict[str, tuple[list[str], int, str, str]] = {
    "probe": (["absent.mp4"], 1, "media", "absent.mp4"),
    "align": (["absent.mp4"], 1, "media", "absent.mp4"),
    "check": (["absent.json"], 1, "annotation", "absent.json"),
    "convert": (["absent.json", "a.csv", "--to", "csv"], 1, "annotation", "absent.json"),
    "cut": (["absent"], 1, "session", "absent"),
    "merge": (["absent"], 1, "output", "absent/output"),
    "split": (["absent.txt", "--out", "split"], 1, "list", "absent.txt"),
    "export": (["absent.txt", "--out", "a", "--format", "csv"], 1, "list", "absent.txt"),
    "probe a stream": (["a.mp4", "--reference", "first"], 2, "usage", "--reference"),
    "align to a page": (["a.mp4", "--output", "a.pdf"], 2, "usage", "--output"),
    "check with a setting": (["a.json", "--set", "clip=4"], 2, "config", "--set"),
    "cut with a setting": (["a", "--set", "clip_seconds"], 2, "config", "clip_seconds"),
    "cut a shard": (["a", "--shard", "3/2"], 2, "usage", "--shard"),
    "split folds": (
        ["a", "--out", "b", "--folds", "2", "--val", "0"],
        2,
        "usage",
        "--folds, --val",
    ),
    "export shards": (
        ["a", "--out", "b", "--format", "csv", "--shard-size", "2"],
        2,
        "usage",
        "--shard-size",
    ),
}
COMMANDS = ("probe", "align", "check", "convert", "cut", "merge", "split", "export")


def failed(*arguments: str, cwd: Path, code: int) -> dict[str, Any]:
    """Return the document of a command that fails."""
    shown = dogclips(*arguments, "--json", cwd=cwd)
    assert shown.returncode == code, shown.stderr
    document = json.loads(shown.stdout)
    assert (document["version"], document["command"]) == (1, arguments[0])
    assert document["errors"][0] == document["error"]
    assert set(document["error"]) == {"code", "message", "place", "todo"}
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(("name", "refused"), REFUSED.items(), ids=REFUSED)
def test_what_is_refused_is_the_error_of_the_document(
    tmp_path: Path, name: str, refused: tuple[list[str], int, str, str]
) -> None:
    arguments, code, kind, place = refused

    document = failed(name.partition(" ")[0], *arguments, cwd=tmp_path, code=code)

    error = document["error"]
    assert (error["code"], error["place"].removeprefix(f"{tmp_path}/")) == (kind, place)
    assert error["message"]
    assert document["warnings"] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_usage_is_the_error_of_the_document(tmp_path: Path, command: str) -> None:
    document = failed(command, "--nonsense", cwd=tmp_path, code=2)

    assert document["error"]["code"] == "usage"
    assert "no such option" in document["error"]["message"]
    assert document["error"]["todo"].endswith(f"see `dogclips {command} --help`")


def test_a_bad_input_is_an_error_beside_what_was_found_in_the_others(tmp_path: Path) -> None:
    """Of commands that take several inputs; a split or an export of a part is not made."""
    write_session(tmp_path / "good", [(0, 12, "1")], streams=[steady(240)])
    write_session(tmp_path / "bad", [(0, 12, "1")], streams=[steady(240)])
    write_project(tmp_path / "bad", "0206", {"absent.mp4": [(0, 4, "0")]})
    inputs = ("absent", "good")

    probed = failed("probe", *inputs, cwd=tmp_path, code=1)
    assert [file["status"] for file in probed["files"]] == ["error", "ok"]
    checked = failed("check", *inputs, "bad", cwd=tmp_path, code=1)
    assert [file["status"] for file in checked["files"]] == ["error", "ok", "ok", "error"]
    assert [error["place"].split(":")[0] for error in checked["errors"]] == [
        "absent",
        "bad/via/0206.json",
    ]
    cut = failed("cut", *inputs, "bad", cwd=tmp_path, code=1)
    assert (cut["cut"], len(cut["failed"])) == (6, 1)
    assert [error["code"] for error in cut["errors"]] == ["session", "session"]
    assert "no recording is named 'absent.mp4'" in cut["errors"][1]["message"]
    merged = failed("merge", *inputs, cwd=tmp_path, code=1)
    assert [error["code"] for error in merged["errors"]] == ["output", "output"]
    parts = ("--group-by", "none", "--out", "split")
    divided = failed("split", *inputs, *parts, cwd=tmp_path, code=1)
    exported = failed("export", *inputs, "--format=csv", "--out=csv", cwd=tmp_path, code=1)
    for document, out in ((divided, "split"), (exported, "csv")):
        assert document["error"]["code"] == "list"
        assert not (tmp_path / out).exists()
    reported = dogclips("report", *inputs, "--output", "page.html", cwd=tmp_path)
    assert reported.returncode == 1
    assert (tmp_path / "page.html").is_file()
