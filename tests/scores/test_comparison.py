from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from dogclips.records.predictions import by_clip
from dogclips.records.run_folder import RunFacts, RunRecords
from dogclips.records.training_run import TestReport
from dogclips.scores.comparison import Comparison, average_precisions, compared
from tests.reports.predicted import RECORDS, predicted

LABELS = ("sit", "lie", "never")


def run_of(predictions: tuple[pd.DataFrame, TestReport]) -> RunRecords:
    table, report = predictions
    return RunRecords(Path("run"), RECORDS, 3, report, table, "", RunFacts())


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.4, 0.5, 0.9]), st.booleans(), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    )
)
def test_a_clip_of_weight_two_counts_as_two_clips(clips: list[tuple[float, bool, int]]) -> None:
    probability, target, weight = (np.array(part) for part in zip(*clips, strict=True))
    found = average_precisions(probability, target, weight[:, None].astype(float))
    times = np.repeat(np.arange(len(clips)), weight)
    expected = np.nan
    if target[times].any():
        expected = average_precision_score(target[times], probability[times])
    assert found[0] == pytest.approx(expected, nan_ok=True)


def test_a_better_run_is_found_to_be_better_and_itself_to_be_no_different() -> None:
    plain, good = (
        run_of(predicted(LABELS, 80, skill=skill, seed=n)) for n, skill in enumerate((1.0, 4.0))
    )

    comparison = compared(good, plain)

    gain = comparison.mean
    assert gain is not None
    assert gain.low is not None
    assert gain.high is not None
    assert gain.value == pytest.approx((good.report.mean_ap or 0) - (plain.report.mean_ap or 0))
    assert 0 < gain.low < gain.value < gain.high < 1
    assert gain.verdict == "better"
    assert (comparison.num_clips, comparison.num_recordings) == (80, 20)
    assert set(comparison.by_label or {}) == {"sit", "lie"}
    assert comparison == compared(good, plain)  # the draws are the same each time
    back = compared(plain, good).mean
    assert back is not None
    assert back.low == pytest.approx(-gain.high)
    assert back.verdict == "worse"
    itself = compared(plain, plain).mean
    assert itself is not None
    assert (itself.value, itself.low, itself.high) == (0.0, 0.0, 0.0)
    assert itself.verdict == "no clear difference"


def test_clips_of_one_recording_are_drawn_together() -> None:
    pair = [run_of(predicted(LABELS, 80, skill=skill, seed=7)) for skill in (1.6, 1.0)]
    names = pair[0].predictions["clip"].map(lambda path: int(Path(path).stem))

    def with_recordings(recording: "pd.Series[str] | str") -> Comparison:
        return compared(
            *(replace(run, predictions=run.predictions.assign(recording=recording)) for run in pair)
        )

    alone, together = with_recordings(names.astype(str)), with_recordings((names // 10).astype(str))
    assert (alone.num_recordings, together.num_recordings) == (80, 8)
    assert alone.mean != together.mean
    assert with_recordings("") == alone  # of unknown recordings each clip stands for itself
    single = with_recordings("one").mean
    assert single is not None
    assert (single.low, single.verdict) == (None, "one recording: cannot tell")


def test_the_interval_is_that_of_drawing_whole_recordings_one_by_one() -> None:
    pair = [run_of(predicted(LABELS, 80, skill=skill, seed=7)) for skill in (1.0, 1.6)]
    clips = [by_clip(run.predictions) for run in pair]
    rng = np.random.default_rng(5)
    drawn = []
    for _ in range(400):
        rows = np.concatenate([np.arange(4) + 4 * n for n in rng.integers(0, 20, 20)])
        means = [
            np.mean(
                [
                    average_precision_score(own.target[rows, k], own.probability[rows, k])
                    for k in (0, 1)
                ]
            )
            for own in clips
        ]
        drawn.append(means[1] - means[0])

    gain = compared(pair[1], pair[0]).mean

    assert gain is not None
    assert [gain.low, gain.high] == pytest.approx(np.percentile(drawn, (2.5, 97.5)), abs=0.015)


def test_the_order_of_the_list_does_not_matter() -> None:
    plain = run_of(predicted(LABELS, 40))
    good = run_of(predicted(LABELS, 40, skill=4.0))
    table = good.predictions
    turned = pd.concat([table[table["clip"] == name] for name in table["clip"].unique()[::-1]])
    turned.attrs = {**table.attrs, "list_sha256": "1" * 64}
    other = replace(good, predictions=turned.reset_index(drop=True))
    assert compared(other, plain) == compared(good, plain)


def test_what_was_not_scored_alike_is_not_compared() -> None:
    first = run_of(predicted(LABELS, 40))
    fewer, named = predicted(LABELS, 36), predicted(("sit", "run", "never"), 40)
    assert compared(run_of(fewer), first).reason == "another validation list"
    assert compared(run_of(named), first).reason == "other labels"
    table = first.predictions.assign(target=~first.predictions["target"])
    assert "annotations" in compared(replace(first, predictions=table), first).reason
    moved = first.predictions.assign(clip="/moved" + first.predictions["clip"])
    assert compared(replace(first, predictions=moved), first).reason == ""


def test_another_protocol_is_said() -> None:
    first = run_of(predicted(LABELS, 40))
    other = replace(first, report=replace(first.report, protocol="3 crops"))
    assert compared(first, first).warning == ""
    warning = compared(other, first).warning
    assert "3 crops" in warning
    assert first.report.protocol in warning
