"""Recordings that were annotated in a copy: labels follow the copy, clips show the original."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import dogclips
from dogclips.errors import ConfigError, UsageError
from dogclips.loading.excerpts import excerpts
from dogclips.records.manifest import read_manifest
from tests.cli.program import dogclips as program
from tests.moving import LARGE, RATE, SMALL, write_view
from tests.sessions import write_project
from tests.videos import numbers_in

SETTINGS = {"clip_seconds": 2, "stride_seconds": 2}
PROXY, SECONDS = "yard_proxy.mp4", 18
FAST = 2 * RATE  # frames a second of originals that have twice as many as the copy
LOST = range(88, 95)  # with times closed up
HEAD = 13  # frames of the scene before the original begins
CLOSED_UP = [*range(HEAD, LOST.start), *range(LOST.stop, SECONDS * RATE)]

# The copy, the original with its frame rate, and how many frames of the scene make a second.
View = tuple[Sequence[int], Sequence[int], int, int]
VIEWS: dict[str, View] = {
    "other rate, size and start": (
        range(0, SECONDS * FAST, 2),
        range(HEAD, SECONDS * FAST + 30),
        FAST,
        FAST,
    ),
    "losses in the original": (range(SECONDS * RATE), CLOSED_UP, RATE, RATE),
    "losses in the copy": (CLOSED_UP, range(SECONDS * RATE), RATE, RATE),
}


def write_pair(base_dir: Path, view: View, original: str) -> Path:
    """Write a session that is annotated from end to end in a small copy."""
    copy, shows, rate, a_second = view
    copied_at = RATE if a_second == FAST else rate
    write_view(base_dir / "video" / PROXY, copy, SMALL, copied_at)
    write_view(base_dir / original, shows, LARGE, rate)
    write_project(base_dir, "0205", {PROXY: [(0, len(copy) / copied_at, "1")]})
    return base_dir


Cut = tuple[Path, pd.DataFrame]  # a session, and its manifest


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cut]:
    """Return a session for each of the views, cut."""
    found = {}
    settings = SETTINGS | {"originals": {"*_proxy.mp4": "*.mkv"}}
    for name, view in VIEWS.items():
        base_dir = tmp_path_factory.mktemp("pair") / "2_2_kt"
        write_pair(base_dir, view, "originals/yard.mkv")
        found[name] = base_dir, dogclips.cut(base_dir, settings, workers=1).manifest
    return found


@pytest.fixture(params=VIEWS)
def each(request: pytest.FixtureRequest, cut: dict[str, Cut]) -> Cut:
    return cut[request.param]


@pytest.fixture
def pair(cut: dict[str, Cut]) -> Path:
    return cut["other rate, size and start"][0]


@pytest.fixture
def manifest(cut: dict[str, Cut]) -> pd.DataFrame:
    return cut["other rate, size and start"][1]


def seen_in_copy(pair: Path) -> list[int]:
    return [number for number in numbers_in(pair / "video" / PROXY) if number is not None]


def test_clips_show_in_the_original_what_was_annotated_in_the_copy(each: Cut) -> None:
    pair, manifest = each
    kept = manifest[manifest["status"] == "cut"]
    assert len(kept) >= 5
    annotated = seen_in_copy(pair)
    for row in kept.to_dict("records"):
        numbers = numbers_in(pair / "output" / row["clip"])
        first = round(row["start_s"] * RATE)
        wanted = annotated[first : first + 2 * RATE]
        assert numbers[:: len(numbers) // len(wanted)] == wanted
        assert (row["width"], row["height"]) == LARGE


def test_no_clip_is_cut_where_one_of_the_files_lacks_frames(each: Cut) -> None:
    pair, manifest = each
    own, original = seen_in_copy(pair), numbers_in(pair / "originals/yard.mkv")
    for row in manifest[manifest["status"] == "cut"].to_dict("records"):
        first = round(row["start_s"] * RATE)
        assert set(own[first : first + 2 * RATE]) <= set(original)
    reasons = manifest.loc[manifest["status"] == "skipped", "reason"]
    assert set(reasons) <= {"before-target-start", "after-end", "frames-lost", "in-doubt"}


def test_each_clip_has_its_verdict(each: Cut) -> None:
    _, manifest = each
    assert set(manifest.loc[manifest["status"] == "cut", "verdict"]) == {"confirmed"}


def test_all_that_is_written_names_both_files(pair: Path, manifest: pd.DataFrame) -> None:
    assert set(manifest["source"]) == {"originals/yard.mkv"}
    assert set(manifest["annotated"]) == {f"video/{PROXY}"}
    assert all(clip.split("/")[1].startswith("2") for clip in manifest["clip"] if clip)
    assert all("_yard_start" in clip for clip in manifest["clip"] if clip)
    output = pair / "output"
    assert "'*_proxy.mp4': '*.mkv'" in (output / "config.yaml").read_text().replace('"', "'")
    [entry] = json.loads((output / "probe.json").read_text())["files"]
    assert (Path(entry["path"]).name, Path(entry["original"]["path"]).name) == (PROXY, "yard.mkv")
    assert entry["original"]["streams"][0]["width"] == LARGE[0]
    assert entry["streams"][0]["width"] == SMALL[0]
    assert entry["alignment"]["verified"]
    assert read_manifest(output) is not None


def test_a_second_run_cuts_nothing(pair: Path, manifest: pd.DataFrame) -> None:
    settings = SETTINGS | {"originals": {PROXY: "yard.mkv"}}
    again = dogclips.cut(pair, settings, workers=1).manifest
    assert set(again["status"]) <= {"reused", "skipped"}
    kept = again["status"] == "reused"
    assert kept.sum() == (manifest["status"] == "cut").sum()
    assert set(again.loc[kept, "verdict"]) == {"confirmed"}


def test_virtual_clips_are_read_from_the_original(pair: Path, manifest: pd.DataFrame) -> None:
    kept = [pair / "output" / clip for clip in manifest.loc[manifest["status"] == "cut", "clip"]]
    own = excerpts(kept, "recordings")
    assert {excerpt.path.name for excerpt in own} == {"yard.mkv"}
    assert {excerpt.stream for excerpt in own} == {0}


def test_reports_and_checks_know_the_pair(pair: Path, manifest: pd.DataFrame) -> None:
    assert len(manifest)
    page = pair / "report.html"
    result = dogclips.report(pair, page, clips_per_label=0)
    [recording] = [one for own in result.dataset.sessions.values() for one in own.recordings]
    assert recording.source == "originals/yard.mkv"
    assert len(recording.segments) == 1
    assert len(recording.measured) == 1
    text = page.read_text()
    assert "of yard.mkv" in text
    assert f"of {PROXY}" in text
    checked = dogclips.check(pair, {"originals": {PROXY: "yard.mkv"}})
    [named] = checked.files[0].recordings["recording"]
    assert checked.ok
    assert Path(named).name == PROXY


def test_probe_and_align_take_the_other_file(pair: Path) -> None:
    copy, original = pair / "video" / PROXY, pair / "originals/yard.mkv"
    aligned = dogclips.align(copy, original=original)
    assert aligned.ok
    offset_s = aligned.recording.alignment.offset_s
    [probed] = dogclips.probe(copy, original=original).recordings
    assert probed.alignment.offset_s == offset_s
    assert offset_s != 0
    own, other = seen_in_copy(pair)[0], numbers_in(original)[0]
    late = (other - own) / (FAST if probed.original.cameras[0].frame_rate == FAST else RATE)
    assert float(offset_s) == pytest.approx(late, abs=0.06)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a session of a copy and its original; both lie in `video/`."""
    base_dir = tmp_path_factory.mktemp("plain") / "2_2_kt"
    shown = range(12 * RATE)
    return write_pair(base_dir, (shown, shown, RATE, RATE), "video/yard.mp4")


def planned(base_dir: Path, **settings: object) -> tuple[set[str], list[str]]:
    """Return what clips are cut from, and what the plan warns of."""
    result = dogclips.cut(base_dir, SETTINGS | settings, dry_run=True)
    table = result.manifest
    sources = set(table.loc[table["status"] == "planned", "source"])
    texts = map(str, (*result.warnings, *result.failures))
    told = ("P06", "V110", "different scenes")
    return sources, [text for text in texts if any(word in text for word in told)]


def test_a_copy_that_would_be_cut_itself_is_named(plain: Path) -> None:
    sources, [warning] = planned(plain)
    assert sources == {f"video/{PROXY}"}
    assert f"P063 {PROXY} looks like a smaller copy of yard.mp4: set `originals" in warning
    assert planned(plain, originals={PROXY: "yard.mp4"}) == ({"video/yard.mp4"}, [])


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({PROXY: "lost.mov"}, "V110 no original is named 'lost.mov'"),
        ({"*_lo.mp4": "*.mp4"}, "V110 originals.*_lo.mp4: no recording has this name"),
    ],
)
def test_a_setting_that_names_nothing_is_told(
    plain: Path, named: dict[str, str], told: str
) -> None:
    assert any(told in text for text in planned(plain, originals=named)[1])
    if "lost" in told:
        checked = dogclips.check(plain, {"originals": named})
        assert [issue.code for issue in checked.files[0].errors] == ["V110"]


def test_a_folder_of_originals_needs_no_setting(plain: Path, tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    shutil.copytree(plain, base_dir)
    (base_dir / "originals").mkdir()
    shutil.move(base_dir / "video/yard.mp4", base_dir / "originals/yard_proxy.mkv")
    assert planned(base_dir) == ({"originals/yard_proxy.mkv"}, [])
    [probed] = dogclips.probe(base_dir).recordings
    assert probed.original.path.name == "yard_proxy.mkv"
    shutil.move(base_dir / "originals/yard_proxy.mkv", base_dir / "originals/other.mkv")
    sources, [warning] = planned(base_dir)
    assert sources == {f"video/{PROXY}"}
    assert f"P062 originals/ has no original of {PROXY}" in warning


def test_the_proxy_of_a_camera_may_be_what_was_annotated(plain: Path, tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    shutil.copytree(plain / "video", base_dir / "video")
    (base_dir / "video" / PROXY).rename(base_dir / "video" / "GL01.LRV")
    write_project(base_dir, "0205", {"GL01.LRV": [(0, 12, "1")]})
    sources, [warning] = planned(base_dir)
    assert sources == {"video/GL01.LRV"}
    assert "P063 GL01.LRV is a small copy that a camera made" in warning
    assert planned(base_dir, originals={"*.LRV": "yard.mp4"}) == ({"video/yard.mp4"}, [])


def _elsewhere(_number: int, picture: NDArray[np.uint8]) -> None:
    picture[:] = np.roll(picture, picture.shape[1] // 3, axis=1)[::-1]


def test_another_scene_is_not_an_original(plain: Path, tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    shutil.copytree(plain / "via", base_dir / "via")
    shutil.copytree(plain / "video", base_dir / "video")
    write_view(base_dir / "originals/yard.mp4", range(300, 420), LARGE, tint=_elsewhere)
    sources, told = planned(base_dir, originals={PROXY: "yard.mp4"})
    assert not sources
    assert "the two files show different scenes" in told[0]


def test_a_clock_of_the_day_does_not_matter(plain: Path, tmp_path: Path) -> None:
    """A network recorder's file starts hours after zero; its copy starts at zero."""
    base_dir = tmp_path / "2_2_kt"
    shutil.copytree(plain / "via", base_dir / "via")
    shutil.copytree(plain / "video", base_dir / "video")
    source = base_dir / "video/yard.mp4"
    program = shutil.which("ffmpeg") or ""
    later = ["-c", "copy", "-output_ts_offset", "36000", base_dir / "video/nvr.ts"]
    subprocess.run([program, "-loglevel", "error", "-i", source, *later], check=True)
    settings = SETTINGS | {"originals": {PROXY: "nvr.ts"}}
    table = dogclips.cut(base_dir, settings, workers=1).manifest
    kept = table[table["status"] == "cut"]
    assert len(kept) >= 5
    for row in kept.to_dict("records"):
        first = round(row["start_s"] * RATE)
        assert numbers_in(base_dir / "output" / row["clip"]) == [*range(first, first + 2 * RATE)]


def test_a_name_without_a_file_is_not_answered_by_renaming_the_original(
    plain: Path, tmp_path: Path
) -> None:
    base_dir = tmp_path / "2_2_kt"
    write_project(base_dir, "0205", {PROXY: [(0, 12, "1")]})
    (base_dir / "video").mkdir()
    shutil.copy(plain / "video/yard.mp4", base_dir / "video")
    [failed] = dogclips.cut(base_dir, SETTINGS, dry_run=True).manifest["reason"]
    assert f"V081 no recording is named '{PROXY}'" in failed
    assert "copy the file that was annotated there" in failed
    assert "name that in `originals`" in failed


def test_an_original_belongs_to_one_recording(plain: Path) -> None:
    copy, original = plain / "video" / PROXY, plain / "video/yard.mp4"
    with pytest.raises(UsageError, match="2 recordings cannot have one original"):
        dogclips.probe([copy, original], original=original)
    with pytest.raises(UsageError, match="this file is the recording itself"):
        dogclips.align(copy, original=copy)


@pytest.mark.parametrize("named", [{"a.mp4": "*.mov"}, {"*_*.mp4": "a.mov"}, {"a": "b/c.mov"}])
def test_names_that_cannot_be_meant_are_refused(plain: Path, named: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="originals"):
        dogclips.cut(plain, {"originals": named}, dry_run=True)


def test_the_tables_show_the_streams_of_both_files(plain: Path) -> None:
    copy, original = plain / "video" / PROXY, plain / "video/yard.mp4"
    shown = program("probe", copy, "--original", original, COLUMNS="200").stdout
    rows = [line for line in shown.splitlines() if " h264 " in line]
    sizes = ("x".join(map(str, size)) for size in (SMALL, LARGE))
    small, large = (next(line for line in rows if size in line) for size in sizes)
    assert "reference" in small
    assert "target" not in small
    assert "target" in large
    assert "P061 clips are cut from its original, yard.mp4" in shown
