"""What `dogclips report` writes, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from dogclips.records.manifest import manifest_table, write_manifest
from tests.cli.program import dogclips


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Return a session of which nothing but the manifest is left."""
    rows: list[dict[str, Any]] = [
        {"status": "cut", "clip": "p/a.mp4", "labels": ["sit"], "start_s": 0.0, "end_s": 4.0},
        {"status": "cut", "clip": "p/b.mp4", "labels": ["sit"], "start_s": 4.0, "end_s": 8.0},
        {"status": "skipped", "reason": "no-label", "start_s": 8.0, "end_s": 12.0},
    ]
    about = {"source": "video/a.mp4", "target_stream": 0, "verified": True}
    write_manifest(manifest_table(about | row for row in rows), tmp_path / "2_2_kt" / "output")
    return tmp_path / "2_2_kt"


def test_sessions_that_were_not_cut_are_named_and_the_others_reported(
    session: Path, tmp_path: Path
) -> None:
    output, fresh = tmp_path / "new" / "report.html", tmp_path / "3_3_kt"
    fresh.mkdir()

    shown = dogclips("report", fresh, session, "--output", output, "--clips-per-label", 1)

    assert shown.returncode == 1
    assert shown.stderr == f"error: no clips here ({fresh}): run `dogclips cut` on it first\n"
    assert shown.stdout.startswith(f"{output}: 3 windows, 2 clips, ")
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]
    page = output.read_text()
    assert page.startswith("<!doctype html>")
    assert page.count("<figure>") == 1
    for text in (
        "settings of the cut are unknown",
        "no annotation files",
        "no recordings",
        "the streams were not measured",
        "no such file",
    ):
        assert text in page


def test_without_any_session_nothing_is_written(tmp_path: Path) -> None:
    shown = dogclips("report", tmp_path / "gone", "--output", tmp_path / "report.html")

    assert shown.returncode == 1
    assert f"error: no clips here ({tmp_path / 'gone'})" in shown.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--output", "page.pdf"), "cannot write .pdf (--output): name a file that ends in .html"),
        ((), "Missing option '--output'"),
        (
            ("--output", "page.html", "--clips-per-label", "-1"),
            "has to be at least 0",
        ),
    ],
    ids=["no page", "no output", "negative"],
)
def test_wrong_usage_is_refused(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    shown = dogclips("report", tmp_path, *arguments, cwd=tmp_path)

    assert shown.returncode == 2
    assert message in shown.stderr
    assert list(tmp_path.iterdir()) == []


def test_sessions_and_runs_do_not_mix(session: Path, tmp_path: Path) -> None:
    run, output = tmp_path / "run", tmp_path / "report.html"
    run.mkdir()
    (run / "metrics.json").write_text("{}")

    mixed = dogclips("report", session, run, "--output", output)
    drawn = dogclips("report", run, "--output", output, "--seed", 1)

    assert (mixed.returncode, drawn.returncode) == (2, 2)
    assert f"error: a run folder among sessions ({run})" in mixed.stderr
    assert "error: these options are for sessions only (--split, --seed)" in drawn.stderr
    assert not output.exists()


def test_a_split_that_is_none_is_refused(session: Path, tmp_path: Path) -> None:
    shown = dogclips("report", session, "--split", tmp_path, "--output", tmp_path / "report.html")

    assert shown.returncode == 1
    assert f"error: no clips here ({tmp_path})" in shown.stderr
    assert not (tmp_path / "report.html").exists()
