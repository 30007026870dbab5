"""Train a model on lists of clips, and score it."""

from dogclips.training.config import TrainConfig

__all__ = ["TrainConfig"]
