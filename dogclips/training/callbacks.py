"""What is written while a model trains: one row, two checkpoints and a few events an epoch."""

# The arguments of a hook are what Lightning calls it with, needed or not.
# ruff: noqa: ARG002

import csv
import io
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from rich.console import Console
from rich.progress import Progress
from torch.utils.tensorboard import SummaryWriter

from dogclips.errors import DogclipsError, ModelError
from dogclips.files import whole_file, write_whole
from dogclips.reports.training import ClassResult, EpochRecord, TestReport
from dogclips.training.metrics import score
from dogclips.training.module import ClipClassifier

LAST, BEST = "checkpoints/last.ckpt", "checkpoints/best.ckpt"
OnEpoch = Callable[[EpochRecord], None]


class RunRecorder(pl.Callback):
    """Records every epoch in the run folder.

    The rows are part of the checkpoint, so that a resumed run writes the table of an unbroken
    one. Chance is seeded anew for every batch, for the same reason.

    Parameters
    ----------
    run_dir
        Where `metrics.csv`, `checkpoints` and `tensorboard` go.
    on_epoch
        Called with every new row, on the first device only.
    """

    def __init__(self, run_dir: Path, on_epoch: OnEpoch | None = None) -> None:
        self.run_dir = run_dir
        self.on_epoch = on_epoch
        self.records: list[EpochRecord] = []
        self.best_report: TestReport | None = None
        self._started = self._trained = 0.0
        self._num_clips = 0
        self._events: SummaryWriter | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far as plain values."""
        report = asdict(self.best_report) if self.best_report else None
        return {"records": [asdict(record) for record in self.records], "best_report": report}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows of a run that goes on."""
        self.records = [EpochRecord(**row) for row in state_dict["records"]]
        self.best_report = report_from_plain(state_dict["best_report"])

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._started = self._trained = time.perf_counter()
        self._num_clips = 0

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed dropout and its like."""
        seed = _classifier(pl_module).config.seed
        place = (seed, trainer.current_epoch, batch_idx, trainer.global_rank)
        torch.manual_seed(hash(place) % 2**63)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Count clips."""
        self._num_clips += len(batch["target"]) * trainer.world_size
        self._trained = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the row and the checkpoints; validation has already been.

        Raises
        ------
        ModelError
            The loss is no number any more; the last good checkpoint stays.
        """
        module = _classifier(pl_module)
        record = self._record(trainer, module)
        self.records.append(record)
        if record.best:
            trainer.save_checkpoint(self.run_dir / BEST, weights_only=False)
        trainer.save_checkpoint(self.run_dir / LAST, weights_only=False)
        if not trainer.is_global_zero:
            return
        write_whole(self.run_dir / "metrics.csv", csv_text(self.records))
        self._write_events(record)
        if self.on_epoch is not None:
            self.on_epoch(record)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Close the event file."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def _record(self, trainer: pl.Trainer, module: ClipClassifier) -> EpochRecord:
        if module.predictions is None:
            raise DogclipsError("training without validation", where="data.val", todo="name a list")
        train_loss = float(trainer.callback_metrics["train_loss"])
        for loss in (train_loss, float(module.predictions.loss_N.mean())):
            if not math.isfinite(loss):
                raise ModelError(
                    f"the loss of epoch {trainer.current_epoch + 1} is {loss}",
                    where=self.run_dir,
                    todo="lower optimizer.lr, or set trainer.precision to 32-true",
                )
        report = score(module.predictions, module.labels, module.config.protocol, module.thresholds)
        best = self.best_report is None or _rank(report) > _rank(self.best_report)
        if best:
            self.best_report = report
        return EpochRecord(
            epoch=trainer.current_epoch + 1,
            lr=trainer.optimizers[0].param_groups[0]["lr"],
            train_loss=train_loss,
            val_loss=report.loss,
            val_map=report.mean_ap,
            clips_per_second=self._num_clips / max(self._trained - self._started, 1e-9),
            seconds=time.perf_counter() - self._started,
            best=best,
        )

    def _write_events(self, record: EpochRecord) -> None:
        if self._events is None:
            # A resumed run hides what was written after its checkpoint.
            self._events = SummaryWriter(str(self.run_dir / "tensorboard"), purge_step=record.epoch)
        for name, value in asdict(record).items():
            if value is not None and name not in ("epoch", "best"):
                self._events.add_scalar(name, value, record.epoch)
        self._events.flush()


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or not there, as every file of ours."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any | None = None,
    ) -> None:
        """Write beside `path`, then rename; Lightning copies over from another disk.

        Raises
        ------
        OutputError
            The disk is full or not writable; the checkpoint before stays.
        """
        held = io.BytesIO()  # torch wraps a full disk into an error of its own
        torch.save(checkpoint, held)
        with whole_file(Path(path)) as part:
            part.write_bytes(held.getbuffer())


class EpochProgress(pl.Callback):
    """A bar on stderr for the batches of an epoch; only for a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(console=Console(stderr=True), transient=True)

    @staticmethod
    def wanted() -> bool:
        """Return whether anybody could see it."""
        return sys.stderr.isatty()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show an empty bar."""
        if trainer.is_global_zero:
            self._progress.start()
            self._progress.add_task(
                f"epoch {trainer.current_epoch + 1}", total=trainer.num_training_batches
            )

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Fill it by one batch."""
        for task in self._progress.task_ids:
            self._progress.advance(task)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take it away, for the row of this epoch to be printed."""
        self._close()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Take it away, for the error to be printed."""
        self._close()

    def _close(self) -> None:
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.stop()


def csv_text(records: Sequence[EpochRecord]) -> str:
    """Return the rows as CSV with a head line."""
    text = io.StringIO()
    names = [field.name for field in fields(EpochRecord)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in records)
    return text.getvalue()


def report_from_plain(plain: Mapping[str, Any] | None) -> TestReport | None:
    """Return the report that `asdict` took apart."""
    if plain is None:
        return None
    classes = tuple(ClassResult(**result) for result in plain["classes"])
    return TestReport(**{**plain, "classes": classes})


def _rank(report: TestReport) -> tuple[float, float]:
    """Order reports by mAP, then by loss; where no class has a positive, by loss alone."""
    return (-1.0 if report.mean_ap is None else report.mean_ap, -report.loss)


def _classifier(module: pl.LightningModule) -> ClipClassifier:
    if not isinstance(module, ClipClassifier):
        raise TypeError(f"this callback records a ClipClassifier, not a {type(module)}")
    return module
