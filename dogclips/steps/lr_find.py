"""Find a learning rate by a short training at rising rates; keep nothing of it.

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017 (arXiv 1506.01186).
"""

import math
from dataclasses import dataclass
from pathlib import Path

from dogclips.config import Settings, settings_of
from dogclips.errors import UsageError
from dogclips.events import Feed, Progress, Result
from dogclips.files import write_whole
from dogclips.reports.pictures.training_plots import range_plot
from dogclips.scores.lr_range import RangePoint, exponential, smoothed, suggestion
from dogclips.training.callbacks import RisingRate
from dogclips.training.config import TrainConfig
from dogclips.training.data import ClipData
from dogclips.training.machine import build_trainer, is_first_process
from dogclips.training.run import build_module, named_lists, on_this_machine, read_train_list


@dataclass(frozen=True, eq=False)
class RangeTest(Result):
    """The loss at rising learning rates."""

    points: tuple[RangePoint, ...]

    @property
    def suggestion(self) -> float | None:
        """Return the rate at which the loss falls fastest; None where it falls nowhere."""
        return suggestion(self.points)


def lr_find(
    settings: Settings[TrainConfig] = None,
    *,
    train: str | Path | None = None,
    weights: str | Path | None = None,
    steps: int = 100,
    low: float = 1e-6,
    high: float = 1.0,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> RangeTest:
    """Train a few steps at rising learning rates; keep no weights.

    Parameters
    ----------
    settings
        As for `train`; no validation list is needed.
    train
        List to train on; None for `data.train`.
    weights
        File or folder of initial weights.
    steps
        Number of training steps, from the lowest rate to the highest.
    low, high
        Lowest and highest rate.
    output
        Write loss against rate to this file, as SVG.
    progress
        Called with each event.

    Returns
    -------
    result
        The loss at each rate, and the rate at which it falls fastest.

    Raises
    ------
    UsageError
        The rates do not rise.
    DogclipsError
        As `train` would.
    """
    if not 0 < low < high:
        raise UsageError(
            "the rates do not rise", where="--from, --to", todo="use 0 < --from < --to"
        )
    feed = Feed(progress if is_first_process() else None)
    config = named_lists(settings_of(TrainConfig, settings), train)
    clips = read_train_list(config)
    module, _ = build_module(config, clips, weights)
    rates = exponential(low, high, steps)
    with on_this_machine(config), feed.task("rising learning rates", steps) as done:
        rising = RisingRate(rates, config.trainer.accumulate, done)
        limits = {"max_epochs": steps, "max_steps": steps, "limit_val_batches": 0}
        trainer = build_trainer(config.trainer, [rising], **limits)
        trainer.fit(module, datamodule=ClipData(config, train=clips))
    finite = [loss for loss in rising.losses if math.isfinite(loss)]
    points = smoothed(rates[: len(finite)], finite)
    if output is not None and is_first_process():
        write_whole(Path(output), range_plot(points))
    return RangeTest(points, **feed.kept)
