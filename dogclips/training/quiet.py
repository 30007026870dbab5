"""Keep Lightning's advertising and hints away from our users' terminals; real warnings stay."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

TALKERS = (
    "lightning.pytorch.utilities.rank_zero",
    "lightning.fabric.utilities.rank_zero",
    "lightning.fabric.utilities.distributed",
)
CHATTER = (
    "💡 Tip",
    "GPU available",
    "TPU available",
    "HPU available",
    "Using bfloat16 Automatic Mixed Precision",
    "Using 16bit Automatic Mixed Precision",
    "`Trainer.fit` stopped",
    "Loading `train_dataloader` to estimate",
    "Restoring states from the checkpoint",
    "Restored all states from the checkpoint",
    "Found current_model_state in the checkpoint",
    "Initializing distributed",
    "-" * 100,  # a box around the number of processes
)


class _NoChatter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().strip().startswith(CHATTER)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Hold back tips, and warnings about choices that we made on purpose, inside the block."""
    chatter = _NoChatter()
    talkers = [logging.getLogger(name) for name in TALKERS]
    for talker in talkers:
        talker.addFilter(chatter)
    try:
        with warnings.catch_warnings():
            # `data.workers` is chosen with the number of cores in view.
            warnings.filterwarnings("ignore", message=".*does not have many workers")
            # Lightning 2.6 asks torch 2.15 in a way that torch no longer likes.
            warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*is deprecated")
            # The loader is: our sampler begins where the epoch was left.
            warnings.filterwarnings("ignore", message=".*your dataloader is not resumable")
            yield
    finally:
        for talker in talkers:
            talker.removeFilter(chatter)
