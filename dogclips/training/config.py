"""Settings of a training run; every key does something, whichever model is trained."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dogclips.config import Config
from dogclips.models import ModelConfig
from dogclips.training.data_config import DataConfig
from dogclips.training.evaluation_config import EvaluationConfig
from dogclips.training.learning_config import (
    FreezeConfig,
    LossConfig,
    OptimizerConfig,
    ScheduleConfig,
)
from dogclips.training.trainer_config import TrainerConfig


class TrainConfig(Config):
    """Everything that decides a training run."""

    model: ModelConfig
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    freeze: FreezeConfig = FreezeConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    trainer: TrainerConfig = TrainerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _crops_need_something_to_crop(self) -> Self:
        if self.data.fit == "stretch" and self.evaluation.crops > 1:
            raise ValueError("stretched frames have one crop: set evaluation.crops to 1")
        return self

    @model_validator(mode="after")
    def _mixing_needs_two_clips(self) -> Self:
        if self.data.batch_size == 1 and (self.data.augment.mixup or self.data.augment.cutmix):
            raise ValueError("mixup and cutmix mix clips of a batch: set data.batch_size to 2")
        return self

    @property
    def protocol(self) -> str:
        """Say in words how a clip is scored: all that decides a score but weights and clips.

        Stored with every score; scores whose protocols differ are not compared.
        """
        scoring, data = self.evaluation, self.data
        views = f"{scoring.views} view{'s' if scoring.views > 1 else ''}"
        crops = f"{scoring.crops} crop{'s' if scoring.crops > 1 else ''}"
        pixels = f"{data.size} px" + (" stretched" if data.fit == "stretch" else "")
        source = "" if data.source == "clips" else " of the recordings"
        return (
            f"{views} x {crops}, {data.sampling.words}, {pixels}{source}, {self._averaged} averaged"
        )

    @property
    def _averaged(self) -> str:
        if self.evaluation.average == "logit":
            return "logit"
        kinds = {"softmax" if name == "cross_entropy" else "sigmoid" for name in self.loss.names}
        return " and ".join(sorted(kinds))
