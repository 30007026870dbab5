"""Train a model on lists of clips, and test it."""

from dogclips.training.config import TrainConfig
from dogclips.training.run import TrainedRun, train
from dogclips.training.testing import TestResult, test

__all__ = ["TestResult", "TrainConfig", "TrainedRun", "test", "train"]
