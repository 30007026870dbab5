"""The page of training runs as a browser shows it, and what it says without one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dogclips.errors import OutputError
from dogclips.records.predictions import by_clip
from dogclips.records.run_folder import is_run, read_run
from dogclips.reports.pages.runs import run_page
from dogclips.reports.tables.train import shown_score
from dogclips.scores.clip_scores import TELLING, most_telling
from tests.painted import write_clip
from tests.reports.predicted import RECORDS, predicted, write_run
from tests.reports.reader import DESKTOP, PHONE, has_chromium, read_page

SCRIPT, HANDLER = "<script>alert(1)</script>", '"onmouseover="alert(1)'
LABELS = (f"does:{SCRIPT}", f"does:{HANDLER}", "at:$x$ {{ 7*7 }}", "at:never")
CONFIG = "model:\n  name: '<img src=x onerror=alert(1)>'\n"
Seen = dict[int, dict[str, Any]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two runs over the same clips, some of which are gone."""
    folder = tmp_path_factory.mktemp("runs")
    clips = [write_clip(folder / f"{n}.mp4", 3) for n in range(2)]
    clips += [folder / f"gone {n}.mp4" for n in range(38)]
    dirs = []
    for name, skill, protocol in (("<b>a/run", 1.0, "1 view"), ("b/run", 3.0, "3 views")):
        table, report = predicted(LABELS, skill=skill, exclusive=["does"], clips=clips)
        report = replace(report, protocol=protocol)
        dirs.append(write_run(folder / name, table, report, CONFIG))
    return dirs


@pytest.fixture(scope="module")
def seen(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    page = run_page([read_run(runs[0])], number=20, made="made today")
    return read_page(page, tmp_path_factory.mktemp("browser"))


needs_chromium = pytest.mark.skipif(not has_chromium, reason="Chromium is not installed")
at_each_width = pytest.mark.parametrize("width", [DESKTOP, PHONE])


@pytest.mark.players
@needs_chromium
@at_each_width
def test_the_page_shows_the_scores_of_the_run(seen: Seen, width: int, runs: list[Path]) -> None:
    report = read_run(runs[0]).report
    rows = seen[width]["tables"]["classes"][1:]
    assert [row[:3] for row in rows] == [
        [one.label, str(one.positives), shown_score(one.average_precision)]
        for one in report.classes
    ]
    assert seen[width]["title"] == "run: training"
    notes = seen[width]["notes"]
    assert "Protocol: 1 view" in notes
    assert any("not in the means: at:never" in note for note in notes)
    assert any(note.startswith("1 clip skipped") for note in notes)


@pytest.mark.players
@needs_chromium
@at_each_width
def test_every_picture_decodes_and_a_clip_without_one_says_why(seen: Seen, width: int) -> None:
    images, faults = seen[width]["images"], seen[width]["faults"]
    assert all(images)
    assert faults
    assert all("no such file" in fault for fault in faults)
    clips = [caption for caption in seen[width]["captions"] if caption.startswith("0.")]
    plots = 6  # two of them confusions
    assert len(clips) == len(faults) + len(images) - plots > len(faults)


@pytest.mark.players
@needs_chromium
@at_each_width
def test_nothing_on_the_page_acts_loads_or_overflows(seen: Seen, width: int) -> None:
    assert (seen[width]["scripts"], seen[width]["handlers"]) == (0, 0)
    assert seen[width]["overflow"] <= 0
    assert seen[width]["outside"] == []


def test_several_runs_stand_beside_the_first_with_their_difference(runs: list[Path]) -> None:
    first, second = (read_run(run_dir) for run_dir in runs)
    page = run_page([first, second], number=0).decode()
    gain = (second.report.mean_ap or 0) - (first.report.mean_ap or 0)
    assert f'<span class="better">{gain:+.3f} <span class="interval">(+' in page
    assert "other protocol: 3 views; not 1 view" in page
    assert "on the same 40 clips of 10 recordings" in page
    assert "<th>b/run</th>" in page
    assert "<th>&lt;b&gt;a/run</th>" in page


def test_best_and_worst_clips_are_those_of_the_highest_and_lowest_probability() -> None:
    clips = by_clip(predicted(("sit", "lie"), 40)[0])
    kinds = most_telling(clips, 0, 3)
    sit = clips.target[:, 0]
    carry = sorted(range(40), key=lambda n: -clips.probability[n, 0] if sit[n] else 1)[: sit.sum()]
    others = sorted(set(range(40)) - set(carry), key=lambda n: -clips.probability[n, 0])
    assert [kinds[kind] for kind in TELLING] == [carry[:3], carry[:-4:-1], others[:3]]
    few = most_telling(clips, 0, len(carry) - 1)
    assert few[TELLING[1]] == carry[-1:]  # the others are shown as the best


def test_a_run_is_read_as_training_left_it(runs: list[Path], tmp_path: Path) -> None:
    run = read_run(runs[0])
    assert run.records == RECORDS
    assert run.best_epoch == 3
    assert run.report.tasks[0].exclusive
    assert run.config == CONFIG
    assert is_run(runs[0])
    assert not is_run(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        pytest.param("metrics.json", None, "no finished training", id="not finished"),
        pytest.param("metrics.json", "{}", "cannot be read", id="of another version"),
        pytest.param("run.json", "{", "cannot be read", id="cut off"),
        pytest.param("config.yaml", None, r"No such file.*config\.yaml", id="without settings"),
        pytest.param("metrics.csv", "epoch,x\n1,2\n", "cannot be read", id="other columns"),
        pytest.param("predictions.parquet", None, "no predictions here", id="no predictions"),
    ],
)
def test_a_run_that_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, file: str, content: str | None, says: str
) -> None:
    run_dir = write_run(tmp_path / "run", *predicted(("sit", "never"), 8))
    (run_dir / file).unlink()
    if content is not None:
        (run_dir / file).write_text(content)
    with pytest.raises(OutputError, match=says) as caught:
        read_run(run_dir)
    assert len(str(caught.value).splitlines()) == 1
