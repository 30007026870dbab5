"""Train a model on lists of clips, and test it."""

from dogclips.training.config import TrainConfig
from dogclips.training.run import TestResult, TrainedRun, test, train

__all__ = ["TestResult", "TrainConfig", "TrainedRun", "test", "train"]
