"""What `dogclips predict` shows: what happens in recordings, and how well it agrees with people."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from rich.console import Group
from rich.text import Text

from dogclips.reports.tables.cut import SKIP_REASONS
from dogclips.reports.tables.style import filled_table, marked
from dogclips.reports.tables.train import shown_score
from dogclips.scores.agreement import PROTOCOL, Agreement, Counts, total_agreement
from dogclips.scores.prediction import Prediction, Unpredicted
from dogclips.wording import clock

SHORT_S = 30  # whose likeliest labels are shown


def prediction_tables(
    predictions: Sequence[Prediction],
    unpredicted: Sequence[Unpredicted],
    protocol: str,
    most: int,
) -> list[Group]:
    """Return all that a terminal shows; of short recordings `most` of the likeliest labels."""
    tables = [prediction_table(predictions, unpredicted, protocol)]
    tables += [top_table(one, most) for one in predictions if one.length_s <= SHORT_S]
    if predictions:
        tables.append(bout_table(predictions))
    found = total_agreement(one.agreement for one in predictions)
    return tables + (agreement_tables(found) if found is not None else [])


def prediction_table(
    predictions: Sequence[Prediction], unpredicted: Sequence[Unpredicted], protocol: str
) -> Group:
    """Return one row per recording: its length, windows, bouts, and how fast it went."""
    heads = ("length", "windows", "not scored", "bouts", "x realtime", "reading")
    rows: list[Sequence[object]] = []
    for one in predictions:
        dropped = sum(one.dropped.values())
        speed, reading = _shares(one)
        numbers = len(one.reasons) - dropped, dropped, len(one.bouts)
        shares = f"{speed:.1f}", f"{reading:.0%}"
        rows.append((one.path.name, clock(one.length_s), *numbers, *shares))
    failed = Text("failed", style="red")
    rows += [(other.path.name, failed, *["-"] * 5) for other in unpredicted]
    remarks = "\n".join([protocol, *_remarks(predictions)])
    return filled_table("recordings", ("recording", *marked(heads, ">")), rows, remarks)


def bout_table(predictions: Sequence[Prediction]) -> Group:
    """Return for each label its bouts and their seconds in all recordings."""
    known_s = Fraction(0)
    for one in predictions:
        known_s += int((~np.isnan(one.score).any(axis=1)).sum()) * one.step_s
    rows = []
    for row in bout_rows(predictions):
        seconds = float(row["seconds"])
        share = f"{seconds / float(known_s):.1%}" if known_s else "-"
        threshold = shown_score(row["threshold"])
        rows.append((row["label"], row["bouts"], f"{seconds:.1f}", share, threshold))
    heads = ("bouts", "seconds", "share", "threshold")
    return filled_table("what happens", ("label", *marked(heads, ">")), rows)


def bout_rows(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return label, bouts, seconds and threshold of each label."""
    bouts = [bout for one in predictions for bout in one.bouts]
    return [
        {
            "label": label,
            "bouts": sum(bout.label == label for bout in bouts),
            "seconds": float(sum(bout.span.duration for bout in bouts if bout.label == label)),
            "threshold": threshold,
        }
        for first in predictions[:1]  # all of them are of one model
        for label, threshold in zip(first.labels, first.thresholds, strict=True)
    ]


def top_table(prediction: Prediction, most: int) -> Group:
    """Return the likeliest labels of a short recording, by their highest score."""
    keys = ("highest", "mean", "threshold")
    rows = [
        (row["label"], *(shown_score(row[key]) for key in keys))
        for row in top_rows(prediction, most)
    ]
    title = f"{prediction.path.name}: likeliest labels"
    return filled_table(title, ("label", *marked(keys, ">")), rows)


def top_rows(prediction: Prediction, most: int) -> list[dict[str, Any]]:
    """Return the labels with the highest mean probabilities of any step, best first."""
    known = prediction.probability[~np.isnan(prediction.probability).any(axis=1)]
    if not len(known):
        return []
    highest, mean = known.max(axis=0), known.mean(axis=0)
    order = np.argsort(-highest, kind="stable")[:most]
    return [
        {
            "label": prediction.labels[k],
            "highest": float(highest[k]),
            "mean": float(mean[k]),
            "threshold": prediction.thresholds[k],
        }
        for k in order.tolist()
    ]


def longest_labels(prediction: Prediction, most: int) -> list[int]:
    """Return the indices of the labels that last longest, predicted or annotated, in order."""
    lasting = dict.fromkeys(prediction.labels, Fraction(0))
    for label, own in (prediction.annotated or {}).items():
        lasting[label] = sum((span.duration for span in own), Fraction(0))
    for bout in prediction.bouts:
        lasting[bout.label] += bout.span.duration
    order = range(len(prediction.labels))
    return sorted(sorted(order, key=lambda k: -lasting[prediction.labels[k]])[:most])


def agreement_tables(found: Agreement) -> list[Group]:
    """Return precision, recall and F1 of each label: a table of seconds and one of bouts."""
    scores, tables = agreement_scores(found), []
    heads = marked(("annotated", "predicted", "precision", "recall", "F1"), ">")
    for kind, remarks in (("seconds", ""), ("bouts", scores["protocol"])):
        rows = [
            (
                label,
                row["annotated"],
                row["predicted"],
                *(shown_score(row[name]) for name in ("precision", "recall", "f1")),
            )
            for label, row in scores[kind]["labels"].items()
        ]
        footer = ("mean", *[""] * 4, shown_score(scores[kind]["mean_f1"]))
        title = f"agreement with the annotations: {kind}"
        tables.append(filled_table(title, ("label", *heads), rows, remarks, footer))
    return tables


def agreement_scores(found: Agreement) -> dict[str, Any]:
    """Return the scores of seconds and of bouts as plain values; means are over labels."""
    compared = f"{found.num_seconds} seconds"
    if found.num_left_out:
        compared += f" ({found.num_left_out} more that no window covers are skipped)"
    return {
        "seconds": _scores(found.seconds),
        "bouts": _scores(found.bouts),
        "num_seconds": found.num_seconds,
        "num_left_out": found.num_left_out,
        "protocol": f"{compared}: {PROTOCOL}",
    }


def predict_document(
    predictions: Sequence[Prediction],
    unpredicted: Sequence[Unpredicted],
    protocol: str,
    most: int,
) -> dict[str, Any]:
    """Return the JSON document of `predict --json`."""
    found = total_agreement(one.agreement for one in predictions)
    return {
        "protocol": protocol,
        "recordings": [_recording(one, most) for one in predictions],
        "failed": [{"path": str(one.path), "reason": str(one.error)} for one in unpredicted],
        "labels": bout_rows(predictions),
        "agreement": None if found is None else agreement_scores(found),
    }


SCORES_KEYS = {
    "version": "Of the file: 1.",
    "protocol": "How steps were scored, in words.",
    "all": "Scores of all annotated recordings together.",
    "recordings": "Scores of each annotated recording, by path.",
}
# Of one recording, or of all together.
AGREEMENT_KEYS = {
    "seconds": "Agreement second by second.",
    "bouts": "Agreement bout by bout.",
    "num_seconds": "Seconds that were compared.",
    "num_left_out": "Seconds that no window covers.",
    "protocol": "What counts as agreement, in words.",
}
# Of seconds, or of bouts.
COUNTED_KEYS = {
    "mean_f1": "Mean F1 over labels.",
    "f1": "F1 of all labels together.",
    "labels": "For each label: annotated, predicted, precision, recall and f1.",
}


def scores_document(predictions: Sequence[Prediction], protocol: str) -> dict[str, Any]:
    """Return the content of `scores.json`: agreement of each annotated recording and of all."""
    found = total_agreement(one.agreement for one in predictions)
    return {
        "version": 1,
        "protocol": protocol,
        "all": None if found is None else agreement_scores(found),
        "recordings": {
            one.path.as_posix(): agreement_scores(one.agreement)
            for one in predictions
            if one.agreement is not None
        },
    }


def _recording(one: Prediction, most: int) -> dict[str, Any]:
    speed, reading = _shares(one)
    return {
        "path": str(one.path),
        "length_s": float(one.length_s),
        "windows": one.reasons.count(""),
        "not_scored": one.dropped,
        "bouts": [
            {
                "label": bout.label,
                "start_s": float(bout.span.start),
                "end_s": float(bout.span.end),
                "score": round(bout.score, 6),
            }
            for bout in one.bouts
        ],
        "top": top_rows(one, most),
        "seconds": round(one.effort.seconds, 3),
        "x_realtime": round(speed, 2),
        "reading_share": round(reading, 3),
        "measuring_share": round(one.effort.measuring_s / one.effort.seconds, 3),
    }


def _shares(one: Prediction) -> tuple[float, float]:
    """Return times realtime, and the share of it that went into decoding and scaling."""
    seconds = one.effort.seconds
    return (
        (float(one.length_s) / seconds, one.effort.reading_s / seconds) if seconds else (0.0, 0.0)
    )


def _remarks(predictions: Sequence[Prediction]) -> list[str]:
    lines = []
    for reason in sorted({reason for one in predictions for reason in one.dropped}):
        count = sum(one.dropped.get(reason, 0) for one in predictions)
        lines.append(f"not scored: {count} {reason} ({SKIP_REASONS.get(reason, reason)})")
    seconds = sum(one.effort.seconds for one in predictions)
    if seconds:
        length_s = float(sum(one.length_s for one in predictions))
        reading = sum(one.effort.reading_s for one in predictions) / seconds
        measuring = sum(one.effort.measuring_s for one in predictions) / seconds
        lines.append(
            f"{length_s:.1f} s of video in {seconds:.1f} s: {length_s / seconds:.1f} x realtime; "
            f"{reading:.0%} decoding and scaling, {measuring:.0%} measuring and aligning"
        )
    return lines


def _scores(counts: Mapping[str, Counts]) -> dict[str, Any]:
    names = ("annotated", "predicted", "precision", "recall", "f1")
    known = [own.f1 for own in counts.values() if own.f1 is not None]
    every = sum(counts.values(), Counts())
    return {
        "mean_f1": sum(known) / len(known) if known else None,
        "f1": every.f1,
        "labels": {
            label: {name: getattr(own, name) for name in names} for label, own in counts.items()
        },
    }
