"""Predictions of a model that never was, with known skill, and their report."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from dogclips.records.predictions import Provenance, with_provenance, write_clip_predictions
from dogclips.records.training_run import EpochRecord, TestReport
from dogclips.scores.clip_scores import Predictions, best_thresholds, score
from dogclips.training.losses import tasks_of_labels

PROVENANCE = Provenance(
    "1 view x 1 crop, sigmoid averaged", "/lists/val.txt", "0" * 64, "best.ckpt"
)
RECORDS = tuple(
    EpochRecord(
        epoch, 1e-3 / epoch, 1 / epoch, 1.1 / epoch, 1 - 0.5 / epoch, 20.0, 3.0, best=epoch < 4
    )
    for epoch in range(1, 6)
)


def predicted(
    labels: Sequence[str],
    num_clips: int = 40,
    *,
    skill: float = 2.0,
    seed: int = 0,
    exclusive: Sequence[str] = (),
    clips: Sequence[Path] = (),
) -> tuple[pd.DataFrame, TestReport]:
    """Return predictions of clips, four from each recording, and their scores.

    Parameters
    ----------
    skill
        How far positives stand above negatives, in standard deviations.
    seed
        Of what the model says; the truth is always the same. The last label is never true.
    exclusive
        Tasks of which each clip carries the first label, the second, and so on.
    clips
        Files of the clips; made-up names without.
    """
    num_labels = len(labels)
    truth = np.random.default_rng(0).random((num_clips, num_labels)) < 0.3
    truth[:, -1] = False
    tasks = tasks_of_labels(labels, exclusive)
    for task in tasks:
        if task.exclusive:
            own = list(task.classes)
            truth[:, own] = np.eye(len(own), dtype=bool)[np.arange(num_clips) % len(own)]
    rng = np.random.default_rng(seed + 1)
    logits = rng.normal(-1, 1, truth.shape) + skill * truth
    probability = (1 / (1 + np.exp(-logits))).astype(np.float32).astype(np.float64)
    held = Predictions(probability, truth, 0.3)
    thresholds = best_thresholds(held)
    paths = [str(path) for path in clips] or [f"/clips/{n}.mp4" for n in range(num_clips)]
    recordings = [f"/session/video/{n // 4}.mp4" for n in range(num_clips)]
    starts = np.arange(num_clips) % 4 * 4.0
    table = pd.DataFrame(
        {
            "clip": np.repeat(paths, num_labels),
            "recording": np.repeat(recordings, num_labels),
            "start_s": np.repeat(starts, num_labels),
            "end_s": np.repeat(starts + 4, num_labels),
            "label": list(labels) * num_clips,
            "target": truth.ravel(),
            "probability": probability.ravel(),
            "threshold": [np.nan if one is None else one for one in thresholds] * num_clips,
        }
    )
    report = score(held, labels, PROVENANCE.protocol, thresholds, tasks)
    return with_provenance(table, PROVENANCE), report


def write_run(
    run_dir: Path, table: pd.DataFrame, report: TestReport, config: str = "seed: 0\n"
) -> Path:
    """Write a run folder as training leaves it, as far as pages read it."""
    run_dir.mkdir(parents=True)
    write_clip_predictions(table, run_dir / "predictions.parquet")
    metrics = {"best_epoch": 3, "epochs": len(RECORDS), "val": asdict(report)}
    (run_dir / "metrics.json").write_text(json.dumps(metrics))
    pd.DataFrame([asdict(record) for record in RECORDS]).to_csv(
        run_dir / "metrics.csv", index=False
    )
    facts = {
        "labels": [one.label for one in report.classes],
        "lists": {"val": {"sha256": PROVENANCE.list_sha256}},
        "skipped": [{"path": "/clips/bad.mp4", "reason": "broken"}],
    }
    (run_dir / "run.json").write_text(json.dumps(facts))
    (run_dir / "config.yaml").write_text(config)
    return run_dir
