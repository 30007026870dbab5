"""What `dogclips predict` shows: what happens in recordings, and how well it agrees with people."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from dogclips.reports.tables.cut import SKIP_REASONS
from dogclips.reports.tables.style import new_table, with_remarks
from dogclips.reports.tables.train import shown_score
from dogclips.scores.agreement import PROTOCOL, Agreement, Counts, total_agreement
from dogclips.scores.prediction import Prediction, Unpredicted
from dogclips.wording import clock

_REASONS = {**SKIP_REASONS, "does-not-decode": "shows a frame that does not decode"}
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
    """Return a row a recording: its length, windows, bouts, and how fast it went."""
    table = _table("recording", "length", "windows", "not scored", "bouts", "x realtime", "reading")
    for one in predictions:
        dropped = sum(one.dropped.values())
        table.add_row(
            escape(one.path.name),
            clock(one.length_s),
            str(len(one.reasons) - dropped),
            str(dropped),
            str(len(one.bouts)),
            f"{_speed(one):.1f}",
            f"{_reading(one):.0%}",
        )
    for other in unpredicted:
        table.add_row(escape(other.path.name), "[red]failed[/]", *["-"] * 5)
    return with_remarks("recordings", table, "\n".join([protocol, *_remarks(predictions)]))


def bout_table(predictions: Sequence[Prediction]) -> Group:
    """Return for each label its bouts and their seconds in all recordings."""
    table = _table("label", "bouts", "seconds", "share", "threshold")
    known_s = sum((_known_s(one) for one in predictions), Fraction(0))
    for row in bout_rows(predictions):
        seconds = float(row["seconds"])
        share = f"{seconds / float(known_s):.1%}" if known_s else "-"
        threshold = shown_score(row["threshold"])
        table.add_row(escape(row["label"]), str(row["bouts"]), f"{seconds:.1f}", share, threshold)
    return with_remarks("what happens", table)


def bout_rows(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return label, bouts, seconds and threshold of each label."""
    if not predictions:
        return []
    bouts = [bout for one in predictions for bout in one.bouts]
    return [
        {
            "label": label,
            "bouts": sum(bout.label == label for bout in bouts),
            "seconds": float(sum(bout.span.duration for bout in bouts if bout.label == label)),
            "threshold": threshold,
        }
        for label, threshold in zip(predictions[0].labels, predictions[0].thresholds, strict=True)
    ]


def top_table(prediction: Prediction, most: int) -> Group:
    """Return the likeliest labels of a short recording, by their highest score."""
    table = _table("label", "highest", "mean", "threshold")
    for row in top_rows(prediction, most):
        scores = [shown_score(row[key]) for key in ("highest", "mean", "threshold")]
        table.add_row(escape(row["label"]), *scores)
    return with_remarks(f"{prediction.path.name}: likeliest labels", table)


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
    annotated = prediction.annotated or {}
    lasting = {label: sum(span.duration for span in own) for label, own in annotated.items()}
    for bout in prediction.bouts:
        lasting[bout.label] = lasting.get(bout.label, Fraction(0)) + bout.span.duration
    order = range(len(prediction.labels))
    longest = sorted(order, key=lambda k: -lasting.get(prediction.labels[k], Fraction(0)))
    return sorted(longest[:most])


def agreement_tables(found: Agreement) -> list[Group]:
    """Return precision, recall and F1 of each label: a table of seconds and one of bouts."""
    scores, tables = agreement_scores(found), []
    for kind, remarks in (("seconds", ""), ("bouts", scores["protocol"])):
        table = new_table(footer=True)
        table.add_column("label", "mean", overflow="fold")
        for name in ("annotated", "predicted", "precision", "recall"):
            table.add_column(name, justify="right")
        table.add_column("F1", shown_score(scores[kind]["mean_f1"]), justify="right")
        for label, row in scores[kind]["labels"].items():
            shown = [shown_score(row[name]) for name in ("precision", "recall", "f1")]
            table.add_row(escape(label), str(row["annotated"]), str(row["predicted"]), *shown)
        tables.append(with_remarks(f"agreement with the annotations: {kind}", table, remarks))
    return tables


def agreement_protocol(found: Agreement) -> str:
    """Say what was compared, and how."""
    compared = f"{found.num_seconds} seconds"
    if found.num_left_out:
        compared += f" ({found.num_left_out} more that no window covers are left out)"
    return f"{compared}: {PROTOCOL}"


def agreement_scores(found: Agreement) -> dict[str, Any]:
    """Return the scores of seconds and of bouts as plain values; means are over labels."""
    kinds = {"seconds": found.seconds, "bouts": found.bouts}
    return {kind: _scores(counts) for kind, counts in kinds.items()} | {
        "num_seconds": found.num_seconds,
        "num_left_out": found.num_left_out,
        "protocol": agreement_protocol(found),
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
        "x_realtime": round(_speed(one), 2),
        "reading_share": round(_reading(one), 3),
        "measuring_share": round(one.effort.measuring_s / one.effort.seconds, 3),
    }


def _speed(one: Prediction) -> float:
    return float(one.length_s) / one.effort.seconds if one.effort.seconds else 0.0


def _reading(one: Prediction) -> float:
    """Return the share of the time that went into decoding, scaling and converting."""
    return one.effort.reading_s / one.effort.seconds if one.effort.seconds else 0.0


def _known_s(one: Prediction) -> Fraction:
    return int((~np.isnan(one.score).any(axis=1)).sum()) * one.step_s


def _remarks(predictions: Sequence[Prediction]) -> list[str]:
    lines = []
    dropped = {reason for one in predictions for reason in one.dropped}
    for reason in sorted(dropped):
        count = sum(one.dropped.get(reason, 0) for one in predictions)
        lines.append(f"not scored: {count} {reason} ({_REASONS.get(reason, reason)})")
    seconds = sum(one.effort.seconds for one in predictions)
    if seconds:
        length_s = float(sum(one.length_s for one in predictions))
        parts = {
            "decoding and scaling": sum(one.effort.reading_s for one in predictions),
            "measuring and aligning": sum(one.effort.measuring_s for one in predictions),
        }
        shares = ", ".join(f"{part / seconds:.0%} {name}" for name, part in parts.items())
        lines.append(
            f"{length_s:.1f} s of video in {seconds:.1f} s: {length_s / seconds:.1f} x realtime; "
            f"{shares}"
        )
    return lines


def _table(*names: str) -> Table:
    """Return an empty table of numbers, but for its first column."""
    table = new_table()
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    return table


def _scores(counts: Mapping[str, Counts]) -> dict[str, Any]:
    labels = {
        label: {
            "annotated": own.annotated,
            "predicted": own.predicted,
            "precision": own.precision,
            "recall": own.recall,
            "f1": own.f1,
        }
        for label, own in counts.items()
    }
    known = [own.f1 for own in counts.values() if own.f1 is not None]
    every = sum(counts.values(), Counts())
    return {
        "mean_f1": sum(known) / len(known) if known else None,
        "f1": every.f1,
        "labels": labels,
    }
