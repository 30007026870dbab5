"""What a training has decided before its first step: lines, and how fast each layer learns."""

from collections.abc import Sequence

from rich.console import Group

from dogclips.records.run_start import LEARNED, LearningRates, Machine, RunStart
from dogclips.reports.tables.style import new_table, with_remarks
from dogclips.reports.tables.weights import loaded_lines


def learning_table(rates: LearningRates) -> Group:
    """Return one row for layers that learn alike, and what else decides their rate."""
    table = new_table()
    for head in ("layers", "parameters", "lr", "decay"):
        table.add_column(head, justify="left" if head == "layers" else "right")
    for row in rates.rows:
        pace = ("frozen", "") if row.lr is None else (f"{row.lr:.1e}", f"{row.weight_decay:g}")
        table.add_row(row.name, shown_count(row.num_params), *pace)
    return with_remarks("", table, "\n".join(_remarks(rates)))


def shown_count(number: int) -> str:
    """Return a number of parameters with two or more digits.

    >>> [shown_count(number) for number in (768, 12_345, 7_087_872, 121_274_132)]
    ['768', '12.3 K', '7.1 M', '121.3 M']
    """
    for unit, name in ((1e6, " M"), (1e3, " K")):
        if number >= unit:
            return f"{number / unit:.1f}{name}"
    return str(number)


def _remarks(rates: LearningRates) -> list[str]:
    trained, whole = shown_count(rates.num_trained), shown_count(rates.num_params)
    remarks = [f"{trained} of {whole} parameters learn; {rates.clips} clips a step"]
    if rates.base_batch is not None:
        remarks.append(
            f"lr {rates.lr:.1e} x {rates.factor:g} ({rates.clips} clips a step over "
            f"optimizer.base_batch {rates.base_batch})"
        )
    if rates.num_without_decay:
        number = shown_count(rates.num_without_decay)
        remarks.append(f"{number} in norms, biases, embeddings and tokens do not decay")
    if rates.still_norms:
        remarks.append("batch norms keep their mean and variance")
    return remarks


def start_lines(start: RunStart) -> list[str]:
    """Return what a run has decided, one matter a line; learning rates are a table of their own."""
    lines = loaded_lines(start.weights) if start.weights else []
    lines += skipped_lines(start.skipped)
    left_out = f", {len(start.skipped)} left out" if start.skipped else ""
    clips = f"{start.num_train} clips to train, {start.num_val} to validate{left_out}"
    return [
        *lines,
        _machine_line(start.machine),
        *([start.machine.remark] if start.machine.remark else []),
        f"{clips}; {_batch(start)}",
        *(line for line in (start.loading, start.warning, start.note) if line),
    ]


def skipped_lines(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """Return one line a clip that was left out.

    >>> skipped_lines([("5.mp4", "ends after 3 of 80 frames")])
    ['left out (5.mp4): ends after 3 of 80 frames']
    """
    return [f"left out ({path}): {reason}" for path, reason in skipped]


def overfit_line(loss: float, num_clips: int) -> str:
    """Say whether a few clips were learned by heart.

    >>> overfit_line(0.012, 8)
    'the set-up can learn: loss 0.012 on 8 clips'
    """
    if loss < LEARNED:
        return f"the set-up can learn: loss {loss:.3f} on {num_clips} clips"
    return (
        f"the set-up did not learn {num_clips} clips by heart: loss {loss:.3f}, not below "
        f"{LEARNED}; raise trainer.epochs or optimizer.lr, then look at labels and clips"
    )


def _machine_line(machine: Machine) -> str:
    line = f"{machine.device}, {machine.precision}"
    if machine.strategy == "auto":
        return line
    nodes = f" on each of {machine.num_nodes} machines" if machine.num_nodes > 1 else ""
    return f"{line}, {machine.devices} processes{nodes} ({machine.strategy}, {machine.backend})"


def _batch(start: RunStart) -> str:
    """Return the clips of a step, and what they are the product of."""
    devices = start.machine.devices * start.machine.num_nodes
    factors = [f"{start.batch_size} a device"]
    factors += [f"{devices} devices"] if devices > 1 else []
    factors += [f"{start.accumulate} batches"] if start.accumulate > 1 else []
    step = start.batch_size * devices * start.accumulate
    return f"{step} a step" + (f" ({' x '.join(factors)})" if len(factors) > 1 else "")
