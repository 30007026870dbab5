"""What a training run says about itself before its first step."""

from collections.abc import Sequence
from dataclasses import dataclass

from dogclips.reports.learning import LearningRates
from dogclips.reports.weights import LoadedWeights, loaded_lines

LEARNED = 0.02  # loss at which a few clips count as learned by heart


@dataclass(frozen=True)
class Machine:
    """What a run trains on.

    Parameters
    ----------
    device
        GPU or CPU by name.
    devices, num_nodes
        On each machine; machines.
    strategy
        `auto` for a single device, ddp or fsdp.
    backend
        What processes talk through; None for a single one.
    precision
        As Lightning calls it, such as bf16-mixed.
    remark
        What the user should know about that; empty if nothing.
    """

    device: str
    devices: int
    num_nodes: int
    strategy: str
    backend: str | None
    precision: str
    remark: str = ""


@dataclass(frozen=True)
class RunStart:
    """What a run has decided, and why.

    Parameters
    ----------
    machine
        What it trains on.
    batch_size, accumulate
        Clips of a batch on each device, and batches of a step.
    learning
        Parameters, and how fast each layer learns.
    num_train, num_val
        Clips of the lists.
    skipped
        Clips that do not decode, each with the reason; they are left out.
    loading
        How clips are loaded, in words.
    warning
        What the user should know about the clips.
    weights
        What was taken from the file of initial weights, if one was given.
    """

    machine: Machine
    batch_size: int
    accumulate: int
    learning: LearningRates
    num_train: int
    num_val: int
    skipped: tuple[tuple[str, str], ...] = ()
    loading: str = ""
    warning: str | None = None
    weights: LoadedWeights | None = None


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
        *(line for line in (start.loading, start.warning) if line),
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
