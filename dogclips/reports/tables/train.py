"""What a training has decided and found, what a test found, and the loss at rising rates."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group

from dogclips.records.run_start import LEARNED, LearningRates, RunStart
from dogclips.records.training_run import EpochRecord, TestReport
from dogclips.reports.tables.style import filled_table, marked
from dogclips.reports.tables.weights import loaded_lines
from dogclips.scores.lr_range import RangePoint, suggestion

_RANGE_ROWS = 10


def learning_table(rates: LearningRates) -> Group:
    """Return one row for layers that learn alike, and what else decides their rate."""
    rows = []
    for row in rates.rows:
        pace = ("frozen", "") if row.lr is None else (f"{row.lr:.1e}", f"{row.weight_decay:g}")
        rows.append((row.name, shown_count(row.num_params), *pace))
    trained, whole = shown_count(rates.num_trained), shown_count(rates.num_params)
    remarks = [f"{trained} of {whole} parameters learn; {rates.clips} clips per step"]
    if rates.base_batch is not None:
        remarks.append(
            f"lr {rates.lr:.1e} x {rates.factor:g} ({rates.clips} clips per step over "
            f"optimizer.base_batch {rates.base_batch})"
        )
    if rates.num_without_decay:
        number = shown_count(rates.num_without_decay)
        remarks.append(f"{number} in norms, biases, embeddings and tokens do not decay")
    if rates.still_norms:
        remarks.append("batch norms keep their mean and variance")
    columns = ("layers", "parameters>", "lr>", "decay>")
    return filled_table("", columns, rows, "\n".join(remarks))


def shown_count(number: int) -> str:
    """Return a number of parameters with two or more digits.

    >>> [shown_count(number) for number in (768, 12_345, 7_087_872, 121_274_132)]
    ['768', '12.3 K', '7.1 M', '121.3 M']
    """
    for unit, name in ((1e6, " M"), (1e3, " K")):
        if number >= unit:
            return f"{number / unit:.1f}{name}"
    return str(number)


def start_lines(start: RunStart) -> list[str]:
    """Return what a run has decided, one matter a line; learning rates are a table of their own."""
    machine = start.machine
    runs_on = f"{machine.device}, {machine.precision}"
    if machine.strategy != "auto":
        nodes = f" on each of {machine.num_nodes} machines" if machine.num_nodes > 1 else ""
        how = f"{machine.strategy}, {machine.backend}"
        runs_on += f", {machine.devices} processes{nodes} ({how})"
    devices = machine.devices * machine.num_nodes
    factors = [f"{start.batch_size} a device"]
    factors += [f"{devices} devices"] if devices > 1 else []
    factors += [f"{start.accumulate} batches"] if start.accumulate > 1 else []
    step = f"{start.batch_size * devices * start.accumulate} a step"
    step += f" ({' x '.join(factors)})" if len(factors) > 1 else ""
    left_out = f", {len(start.skipped)} skipped" if start.skipped else ""
    clips = f"{start.num_train} clips to train, {start.num_val} to validate{left_out}; {step}"
    changes = f"goes on with other settings: {', '.join(start.changes)}" if start.changes else ""
    notes = (machine.remark, clips, changes, start.loading, start.warning, start.note)
    return [
        *(loaded_lines(start.weights) if start.weights else ()),
        *skipped_lines(start.skipped),
        runs_on,
        *(line for line in notes if line),
    ]


def skipped_lines(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """Return one line per clip that was skipped.

    >>> skipped_lines([("5.mp4", "ends after 3 of 80 frames")])
    ['skipped (5.mp4): ends after 3 of 80 frames']
    """
    return [f"skipped ({path}): {reason}" for path, reason in skipped]


def overfit_line(loss: float, num_clips: int) -> str:
    """Say whether the model overfits a few clips.

    >>> overfit_line(0.012, 8)
    'the set-up can learn: loss 0.012 on 8 clips'
    """
    if loss < LEARNED:
        return f"the set-up can learn: loss {loss:.3f} on {num_clips} clips"
    return (
        f"the set-up did not overfit {num_clips} clips: loss {loss:.3f}, not below "
        f"{LEARNED}; raise trainer.epochs or optimizer.lr, then look at labels and clips"
    )


def epoch_line(record: EpochRecord | None = None) -> str:
    """Return one line of fixed width for printing as training goes; without a record, the head.

    A star marks the best epoch so far.

    >>> epoch_line()
    'epoch        lr  train loss  val loss  val mAP   clips/s  wait  seconds'
    """
    head = ("epoch", "lr", "train loss", "val loss", "val mAP ", "clips/s", "wait", "seconds")
    cells = head
    if record is not None:
        cells = (
            str(record.epoch),
            f"{record.lr:.2e}",
            f"{record.train_loss:.4f}",
            f"{record.val_loss:.4f}",
            shown_score(record.val_map) + ("*" if record.best else " "),
            f"{record.clips_per_second:.1f}",
            "-" if record.waiting is None else f"{record.waiting:.0%}",
            f"{record.seconds:.1f}",
        )
    widths = (5, 8, 10, 8, 8, 7, 4, 7)
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def result_table(report: TestReport) -> Group:
    """Return one row per class and the means, the same by task, and the protocol below."""
    parts = [_class_table(report)]
    if len(report.tasks) > 1 or any(task.exclusive for task in report.tasks):
        parts.append(_task_table(report))
    return Group(*parts)


def report_document(
    report: TestReport, provenance: Mapping[Any, Any], skipped: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return what `test --json` says: scores, where they come from, and skipped clips."""
    left_out = [{"path": path, "reason": reason} for path, reason in skipped]
    return {**provenance, "skipped": left_out, **asdict(report)}


def _class_table(report: TestReport) -> Group:
    rows = []
    for own in report.classes:
        at_threshold = own.threshold, own.precision, own.recall, own.f1_at_threshold
        scores = own.average_precision, own.auroc, own.f1, *at_threshold, own.calibration_error
        rows.append((own.label, own.positives, *map(shown_score, scores)))
    footer = {
        "class": "mean\nweighted\nmicro",
        "clips>|": "",
        "AP>|": "\n".join(map(shown_score, (report.mean_ap, report.weighted_ap, report.micro_ap))),
        "AUROC>|": shown_score(report.mean_auroc),
        "F1 at\n0.5>|": shown_score(report.mean_f1),
        "thres-\nhold>|": "",
        "pre-\ncision>|": "",
        "recall>|": "",
        "F1>|": shown_score(report.mean_f1_at_threshold),
        "ECE>|": f"\n\n{shown_score(report.calibration_error)}",
    }
    remarks = f"{report.num_clips} clips; {report.protocol}"
    if any(own.threshold is not None for own in report.classes):
        remarks += "; thresholds from the validation list"
    if report.without_positives:
        remarks += (
            f"; classes without clips, not in the means: {', '.join(report.without_positives)}"
        )
    return filled_table("", footer, rows, remarks, [*footer.values()])


def _task_table(report: TestReport) -> Group:
    """Return one row per task; for exclusive labels, how often the likeliest is right."""
    heads = (
        "classes",
        "mAP",
        "weighted\nmAP",
        "micro\nmAP",
        "mean\nF1",
        "top-1",
        "top-5",
        "mean class\naccuracy",
    )
    rows = []
    for own in report.tasks:
        means = own.mean_ap, own.weighted_ap, own.micro_ap, own.mean_f1_at_threshold
        scores = *means, own.top1, own.top5, own.mean_class_accuracy
        rows.append((own.name or "all labels", len(own.classes), *map(shown_score, scores)))
    return filled_table("", ("task", *marked(heads)), rows)


def shown_score(score: float | None) -> str:
    """Return a score with three decimals, or a dash where there is none.

    >>> shown_score(0.51234), shown_score(None)
    ('0.512', '-')
    """
    return "-" if score is None else f"{score:.3f}"


def range_table(points: Sequence[RangePoint]) -> Group:
    """Return some of the steps, and which rate they suggest, if any."""
    last = len(points) - 1
    steps = sorted({round(last * row / (_RANGE_ROWS - 1)) for row in range(_RANGE_ROWS)})
    rows = [(f"{points[step].lr:.1e}", f"{points[step].loss:.4f}") for step in steps]
    found = suggestion(points)
    remark = "the loss does not fall: widen --from and --to, or add steps"
    if found is not None:
        remark = (
            f"the loss falls fastest at {found:.1e}: try optimizer.lr={found:.1e}, and half of it"
        )
    return filled_table("", ("lr>", "loss>"), rows, remark)
