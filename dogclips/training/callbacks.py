"""What happens beside the steps of a training: records, checkpoints, signals, rising rates."""

# The arguments of a hook are what Lightning calls it with, needed or not.
# ruff: noqa: ARG002

import math
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from dogclips.errors import DogclipsError, ModelError, StoppedError
from dogclips.files import whole_file
from dogclips.records.run_folder import write_epochs
from dogclips.records.run_start import LEARNED
from dogclips.records.training_run import EpochRecord, TestReport, report_from_plain
from dogclips.scores.clip_scores import score
from dogclips.scores.lr_range import smoothed
from dogclips.training.data import ClipData
from dogclips.training.module import ClipClassifier, on_all_devices
from dogclips.training.optimizers import gathered

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LAST, BEST = "checkpoints/last.ckpt", "checkpoints/best.ckpt"
# SLURM sends SIGUSR1 some time before it kills, if asked to (`--signal=USR1@300`).
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)
)
SAID = b"\nstopping, after a checkpoint; the same signal again stops at once\n"
HOPELESS = 4.0  # times the lowest loss; higher rates can only be worse


def moving_average(decay: float) -> WeightAveraging:
    """Return a callback whose average is what is validated and kept, statistics included.

    After every step the average goes a share of 1 - `decay` of the way to the weights. Computed
    like that, what does not change stays as it is to the bit. Lightning's `EMAWeightAveraging`
    adds two shares instead, and one in six frozen weights drifts, by 1e-5 in 2000 steps.
    """
    average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return WeightAveraging(multi_avg_fn=average)


def has_tensorboard() -> bool:
    """Return whether the extra `tensorboard` is there; without it a run writes no events."""
    return find_spec("tensorboard") is not None


class StopRequest:
    """Remembers a signal until there is time for it; a second one acts as it always would."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._before = {number: signal.getsignal(number) for number in STOPPING}

    def listen(self) -> None:
        """Take the signals over, also from Lightning, which would leave without a checkpoint."""
        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                signal.signal(number, self._remember)

    def restore(self) -> None:
        """Let signals do what they did."""
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            self.restore()
            os.kill(os.getpid(), number)
            return
        self.signal = signal.Signals(number)
        if os.environ.get("LOCAL_RANK", "0") == "0":
            os.write(2, SAID)  # printing is not safe in here


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Yield a request that can `listen`; afterwards signals do what they did."""
    request = StopRequest()
    try:
        yield request
    finally:
        request.restore()


class RunRecorder(pl.Callback):
    """Records every epoch in the run folder, and stops between two steps when asked to.

    The rows, and how far the epoch is, are part of the checkpoint, so that a resumed run writes the
    table of an unbroken one. Chance is seeded again for every batch, for the same reason. On the
    first device only, `on_epoch` gets every new row, and `on_best` is called when it is the best.
    """

    def __init__(
        self,
        run_dir: Path,
        data: ClipData,
        stop: StopRequest,
        on_epoch: Callable[[EpochRecord], None],
        on_best: Callable[[], None],
    ) -> None:
        self.run_dir = run_dir
        self.data = data
        self.config = data.config.trainer
        self.stop = stop
        self.on_epoch = on_epoch
        self.on_best = on_best
        self.records: list[EpochRecord] = []
        self.best_report: TestReport | None = None
        self.faults: dict[str, str] = {}
        self.position = data.position
        self._tally = EpochTally()
        self._events: SummaryWriter | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far, and the position in the epoch, as plain values."""
        return {
            "records": [asdict(record) for record in self.records],
            "best_report": asdict(self.best_report) if self.best_report else None,
            "faults": self.faults,
            "place": asdict(self.position),
            "tally": self._tally.as_plain(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows and the position of a run that goes on."""
        self.records = [EpochRecord(**row) for row in state_dict["records"]]
        report = state_dict["best_report"]
        self.best_report = report_from_plain(report) if report else None
        self.faults = dict(state_dict["faults"])
        vars(self.position).update(state_dict["place"])
        self._tally = EpochTally(**state_dict["tally"])

    def on_train_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Listen for signals, and stop a run that had stopped early before."""
        self.stop.listen()
        self._tally.start()
        trainer.should_stop = self._stops_early()

    def on_train_epoch_start(self, *_: Any) -> None:
        """Begin a new sum; not called in the middle of an epoch."""
        self._tally = EpochTally()
        self._tally.start()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """Seed dropout and its like."""
        self._tally.batch_is_there()
        seed = self.data.config.seed
        step = (seed, trainer.current_epoch, batch_idx, trainer.global_rank)
        torch.manual_seed(hash(step) % 2**63)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count clips, and leave here if a signal came."""
        num_batches = int(trainer.num_training_batches)
        loss = outputs["loss"].detach() * gathered(self.data.config, num_batches, batch_idx)
        self._tally.add(loss, len(batch["target"]))
        self.position.batches = batch_idx + 1
        # Between two batches of one step there are gradients, which no checkpoint holds; after the
        # last batch validation comes, and the end of the epoch.
        between_steps = self.position.batches % self.config.accumulate == 0
        if not between_steps or self.position.batches == num_batches or not self._stopped(trainer):
            return
        self._tally.even_out(trainer)
        trainer.save_checkpoint(self.run_dir / LAST, weights_only=False)
        done = f"in epoch {self.position.epoch + 1}, after {self.position.batches} of {num_batches}"
        raise self._stopped_error(f"{done} batches")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Write the row and the checkpoints; validation has already been."""
        self.records.append(self._record(trainer, pl_module))
        self.position.epoch, self.position.batches = len(self.records), 0
        self.faults |= self._faults(trainer)
        # All before the last checkpoint: a run that is killed in between does this epoch again.
        if trainer.is_global_zero and self.records[-1].best:
            self.on_best()
        self._save(trainer)
        if trainer.is_global_zero:
            self._write(self.records[-1])
        trainer.should_stop = self._stops_early()
        if len(self.records) < self.config.epochs and self._stopped(trainer):
            raise self._stopped_error(f"after epoch {len(self.records)}")

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Close the event file."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def _record(self, trainer: pl.Trainer, module: ClipClassifier) -> EpochRecord:
        if module.predictions is None:
            raise DogclipsError("training without validation", where="data.val", todo="name a list")
        train_loss = self._tally.mean_loss(trainer)
        for loss in (train_loss, module.predictions.loss):
            if not math.isfinite(loss):
                raise ModelError(
                    f"the loss of epoch {trainer.current_epoch + 1} is {loss}",
                    where=self.run_dir,
                    todo="lower optimizer.lr, or set trainer.precision to 32-true",
                )
        protocol, thresholds = module.config.protocol, module.thresholds
        report = score(module.predictions, module.labels, protocol, thresholds, module.tasks)
        merit, before = _merit(report.mean_ap, report.loss), self.best_report
        best = before is None or merit > _merit(before.mean_ap, before.loss)
        if best:
            self.best_report = report
        return EpochRecord(
            epoch=trainer.current_epoch + 1,
            lr=max(group["lr"] for group in trainer.optimizers[0].param_groups),
            train_loss=train_loss,
            val_loss=report.loss,
            val_map=report.mean_ap,
            clips_per_second=self._tally.clips_per_second() * trainer.world_size,
            seconds=self._tally.seconds(),
            best=best,
            waiting=self._tally.share_waiting(),
        )

    def _save(self, trainer: pl.Trainer) -> None:
        """Write the last checkpoint, the best, and the best few if more than one is kept."""
        record, kept = self.records[-1], _best_names(self.records, self.config.keep)
        names = [BEST] if record.best else []
        names += [name for name in [checkpoint_name(record)] if name in kept]
        first, *same = *names, LAST
        trainer.save_checkpoint(self.run_dir / first, weights_only=False)
        if trainer.is_global_zero:
            for name in same:  # collecting the state again takes longer than reading it
                with whole_file(self.run_dir / name) as part:
                    shutil.copyfile(self.run_dir / first, part)
            for file in (self.run_dir / LAST).parent.glob("epoch_*.ckpt"):
                if f"checkpoints/{file.name}" not in kept:
                    file.unlink()

    def _write(self, record: EpochRecord) -> None:
        write_epochs(self.records, self.run_dir)
        if has_tensorboard():
            self._write_events(record)
        self.on_epoch(record)

    def _write_events(self, record: EpochRecord) -> None:
        if self._events is None:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 (an extra)

            # A resumed run hides what was written after its checkpoint.
            self._events = SummaryWriter(str(self.run_dir / "tensorboard"), purge_step=record.epoch)
        for name, value in asdict(record).items():
            if value is not None and name not in ("epoch", "best"):
                self._events.add_scalar(name, value, record.epoch)
        self._events.flush()

    def _faults(self, trainer: pl.Trainer) -> dict[str, str]:
        """Return the clips that some device could not decode, with the reasons."""
        own = {path: fault.what for path, fault in self.data.faults.items()}
        shares = on_all_devices(own, trainer)
        return {path: reason for share in shares for path, reason in share.items()}

    def _stops_early(self) -> bool:
        if self.config.overfit is not None and self.records:
            return self.records[-1].val_loss < LEARNED
        rule = self.config.early_stop
        return (
            rule is not None and epochs_without_gain(self.records, rule.min_delta) >= rule.patience
        )

    def _stopped(self, trainer: pl.Trainer) -> bool:
        """Return whether a signal came to any of the processes; all of them ask together."""
        came = self.stop.signal is not None
        return bool(trainer.strategy.reduce_boolean_decision(came, all=False))

    def _stopped_error(self, when: str) -> StoppedError:
        name = self.stop.signal.name if self.stop.signal else "a signal to another process"
        todo = f"continue with `dogclips train --resume --out {self.run_dir}`"
        return StoppedError(f"stopped by {name} {when}", where=self.run_dir / LAST, todo=todo)


@dataclass
class EpochTally:
    """Sums and clocks of an epoch on one device, which a resumed run takes up again."""

    loss_sum: float | Tensor = 0.0  #: Of all clips so far
    num_clips: int = 0  #: So far
    #: Seconds before the run was resumed: in all, and for the next batch.
    spent_s: float = 0.0
    waited_s: float = 0.0

    def start(self) -> None:
        """Start the clocks."""
        self._started = self._trained = time.perf_counter()

    def batch_is_there(self) -> None:
        """Note how long it took to come."""
        self.waited_s += time.perf_counter() - self._trained

    def add(self, loss: Tensor, num_clips: int) -> None:
        """Count a batch; its loss stays on the device, where nothing waits for it."""
        if num_clips:  # of a batch in which no clip decodes the loss is no number
            self.loss_sum = self.loss_sum + loss.float() * num_clips
        self.num_clips += num_clips
        self._trained = time.perf_counter()

    def even_out(self, trainer: pl.Trainer) -> None:
        """Give every device the same part of the sum: only the first one writes a checkpoint."""
        if trainer.world_size > 1:
            own = torch.as_tensor(self.loss_sum, device=trainer.strategy.root_device)
            self.loss_sum = trainer.strategy.reduce(own)

    def as_plain(self) -> dict[str, float]:
        """Return what `EpochTally` takes."""
        plain = {"loss_sum": float(self.loss_sum), "num_clips": self.num_clips}
        return {**plain, "spent_s": self.seconds(), "waited_s": self.waited_s}

    def mean_loss(self, trainer: pl.Trainer) -> float:
        """Return the mean over the clips of all devices."""
        sums = torch.tensor([float(self.loss_sum), float(self.num_clips)])
        loss, clips = trainer.strategy.reduce(sums.to(trainer.strategy.root_device)).tolist()
        return loss / clips if clips else math.nan

    def seconds(self) -> float:
        """Return the seconds of the epoch so far."""
        return self.spent_s + time.perf_counter() - self._started

    def clips_per_second(self) -> float:
        """Return the pace of this device, without validation."""
        return self.num_clips / max(self.spent_s + self._trained - self._started, 1e-9)

    def share_waiting(self) -> float:
        """Return the share of that time in which there was nothing to train on."""
        return self.waited_s / max(self.spent_s + self._trained - self._started, 1e-9)


def epochs_without_gain(records: Sequence[EpochRecord], min_delta: float) -> int:
    """Return how many epochs have passed since validation got better by more than `min_delta`.

    Better is a higher mAP; without one, a lower loss.
    """
    best, since = -math.inf, 0
    for record in records:
        found = -record.val_loss if record.val_map is None else record.val_map
        since += 1
        if found > best + min_delta:
            best, since = found, 0
    return since


def checkpoint_name(record: EpochRecord) -> str:
    """Return the name of an epoch's own checkpoint.

    >>> checkpoint_name(EpochRecord(7, 1e-3, 0.5, 0.4, 0.8125, 9.0, 8.0, best=True))
    'checkpoints/epoch_007_map_0.812.ckpt'
    """
    found = f"loss_{record.val_loss:.3f}" if record.val_map is None else f"map_{record.val_map:.3f}"
    return f"checkpoints/epoch_{record.epoch:03d}_{found}.ckpt"


def _best_names(records: Sequence[EpochRecord], keep: int) -> set[str]:
    """Return the files of the best epochs; none where `best.ckpt` is enough."""
    if keep == 1:
        return set()
    ordered = sorted(records, key=lambda one: _merit(one.val_map, one.val_loss), reverse=True)
    return {checkpoint_name(record) for record in ordered[:keep]}


def _merit(mean_ap: float | None, loss: float) -> tuple[float, float]:
    """Order epochs by mAP, then by loss; where no class has a positive, by loss alone."""
    return (-1.0 if mean_ap is None else mean_ap, -loss)


class RisingRate(pl.Callback):
    """Sets the rate of every step of `accumulate` batches; layers keep their shares of it."""

    def __init__(
        self, lrs: Sequence[float], accumulate: int, on_steps: Callable[[int], None]
    ) -> None:
        self.lrs = lrs
        self.accumulate = accumulate
        self.on_steps = on_steps
        self.losses: list[float] = []
        self._sum = 0.0

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Set the rate, whatever the schedule would have it be."""
        groups = trainer.optimizers[0].param_groups
        highest = max(group["initial_lr"] for group in groups)
        for group in groups:
            group["lr"] = self.lrs[len(self.losses)] * group["initial_lr"] / highest

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the loss of a step, and end where nothing good can come."""
        self._sum += float(trainer.strategy.reduce(outputs["loss"].detach().clone()))
        last = batch_idx + 1 == trainer.num_training_batches
        if (batch_idx + 1) % self.accumulate and not last:
            return
        self.losses.append(self._sum)
        self._sum = 0.0
        self.on_steps(1)
        lowest = min(point.loss for point in smoothed(self.lrs[: len(self.losses)], self.losses))
        hopeless = not math.isfinite(self.losses[-1]) or self.losses[-1] > HOPELESS * lowest
        if hopeless or len(self.losses) == len(self.lrs):
            trainer.should_stop = True
