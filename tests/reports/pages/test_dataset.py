"""The page of a data set as a browser shows it: at a desk, on a phone, from disk."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dogclips.records.manifest import read_manifest
from dogclips.reports.tables.cut import SKIP_REASONS
from tests.cli.program import dogclips
from tests.moving import write_moving
from tests.players.browsers import program_of
from tests.reports.reader import DESKTOP, PHONE, has_chromium, read_page
from tests.sessions import write_project
from tests.shared import SHARED, needs_shared

needs_chromium = pytest.mark.skipif(not has_chromium, reason="Chromium is not installed")
pytestmark = [pytest.mark.players, needs_chromium]

SCRIPT, HANDLER, FORMULA = "<script>alert(1)</script>", '"onmouseover="alert(1)', "=1+1"
LOSSY, STILL = '<img src=x onerror="alert(1)">.mp4', "{{ 7*7 }}.mp4"
Seen = dict[int, dict[str, Any]]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cut session of a recording that lost frames and one that cannot be aligned."""
    base_dir = tmp_path_factory.mktemp("sessions") / "3_3_<b>x"
    write_moving(base_dir / "video" / LOSSY, range(80), range(7, 80))
    write_moving(base_dir / "video" / STILL, 40 * [0], 33 * [0])
    segments = [(0, 3, SCRIPT), (3, 8, HANDLER), (4, 6, FORMULA), (1, 7.5, "0")]
    write_project(base_dir, "p", {LOSSY: segments, STILL: [(0, 4, "1")]})
    cut = dogclips("cut", base_dir, "--set", "clip_seconds=2", "--set", "stride_seconds=1")
    assert cut.returncode == 1  # one recording cannot be aligned
    return base_dir


@pytest.fixture(scope="module")
def page(session: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("page") / "report.html"
    shown = dogclips("report", session, "--output", output)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"{output}: ")
    return output


@pytest.fixture(scope="module")
def seen(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return read_page(page.read_bytes(), tmp_path_factory.mktemp("browser"))


def windows_in(base_dir: Path) -> pd.DataFrame:
    manifest = read_manifest(base_dir / "output")
    assert manifest is not None
    return manifest[manifest["start_s"].notna()]


def check_counts(seen: dict[str, Any], windows: pd.DataFrame) -> None:
    """Compare what the page says of windows with the manifest: in all, and in the timelines."""
    wanted = Counter(zip(windows["status"], windows["reason"], strict=True))
    shown = {(status, reason): int(text) for status, reason, text in seen["statuses"]}
    bars = Counter[str]()
    for bar in seen["bars"]:
        if bar["kind"] != "label":
            bars[bar["title"].split(":")[0]] += bar["number"]

    assert shown == wanted
    assert bars.pop("windows that are clips") == wanted["cut", ""]
    assert bars == {reason: number for (_, reason), number in wanted.items() if reason}


def check_pictures_and_hovers(seen: Seen) -> None:
    for own in seen.values():
        assert own["images"]
        assert min(own["images"]) > 0
        assert own["faults"] == []
        assert own["hovered"]
        for title, hovered in own["hovered"]:
            reason = title.split(":")[0]
            assert hovered == title == f"{reason}: {SKIP_REASONS[reason]}"
        assert own["overflow"] == 0
        assert own["outside"] == []
        assert (own["scripts"], own["handlers"]) == (0, 0)


def test_numbers_are_those_of_the_manifest(session: Path, seen: Seen) -> None:
    for width in (DESKTOP, PHONE):
        check_counts(seen[width], windows_in(session))


def test_pictures_decode_and_dropped_windows_say_why_on_a_desktop_and_a_phone(seen: Seen) -> None:
    check_pictures_and_hovers(seen)


def test_the_contact_sheet_shows_clips_of_each_label_with_all_their_labels(
    session: Path, seen: Seen
) -> None:
    kept = windows_in(session).query("status == 'cut'")
    clips = Counter(name for own in kept["labels"] for name in own)
    captions = Counter(name for own in seen[PHONE]["captions"] for name in own.split(", "))

    assert len(seen[PHONE]["captions"]) == sum(min(number, 6) for number in clips.values())
    assert captions.keys() == clips.keys()
    assert set(seen[PHONE]["images"]) == {3 * 160 + 2 * 2}


def test_markup_and_formulas_come_out_as_text(page: Path, seen: Seen) -> None:
    assert seen[DESKTOP]["labels"] == ["sit", "walk", SCRIPT, HANDLER, FORMULA]
    assert seen[DESKTOP]["names"] == [LOSSY, STILL]
    assert seen[DESKTOP]["title"] == "3_3_<b>x: data set"
    assert "<script" not in page.read_text()
    assert not re.search(r"(src|href)=\"(?!data:|#)", page.read_text())


def test_concerns_come_in_order_of_weight(seen: Seen) -> None:
    order = [" ".join(text.split()) for text in seen[DESKTOP]["concerns"]]

    topics = [
        ("error", "alignment in doubt P012"),
        ("error", "failed"),
        ("warning", "alignment in doubt P033"),
        ("warning", "recordings P030"),
        ("warning", "annotations V045"),
        ("warning", "labels no clip shows walk"),
        ("warning", "labels 4 labels with fewer than 10 clips"),
    ]
    assert len(order) == len(topics)
    for text, (level, topic) in zip(order, topics, strict=True):
        assert text.startswith(f"{level} {topic}")


def test_the_page_opens_from_disk(page: Path, tmp_path: Path) -> None:
    program = program_of("chrome")
    assert program is not None
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom")
    shown = subprocess.run(
        [program, *flags, f"--user-data-dir={tmp_path}", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "<h1>3_3_&lt;b&gt;x</h1>" in shown.stdout
    assert shown.stdout.count("<figure>") == page.read_text().count("<figure>")


@pytest.mark.shared
@needs_shared
def test_real_recordings_make_a_page_that_agrees_with_their_manifests(tmp_path: Path) -> None:
    session, split, page = (tmp_path / name for name in ("12_5_s2", "split", "page.html"))
    shutil.copytree(SHARED / "data" / "home_falls" / "Dec" / session.name, session)
    for arguments in (
        ("cut", session, "--set", "short_side=64", "--set", "stride_seconds=2"),
        ("split", session, "--out", split, "--val", "0.3", "--test", "0.3"),
        ("report", session, "--split", split, "--output", page, "--clips-per-label", 3),
    ):
        shown = dogclips(*arguments)
        assert shown.returncode == 0, shown.stderr

    seen = read_page(page.read_bytes(), tmp_path)

    for width in (DESKTOP, PHONE):
        check_counts(seen[width], windows_in(session))
    check_pictures_and_hovers(seen)
    recordings = sorted(path.name for path in (session / "video").iterdir())
    assert seen[DESKTOP]["names"] == recordings
    assert seen[DESKTOP]["split"] == ["label", "all", "train", "val", "test"]
