"""Settings of a training run; every key does something, whichever model is trained."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dogclips.config import Config
from dogclips.models import ModelConfig
from dogclips.training.data_config import DataConfig
from dogclips.training.evaluation_config import EvaluationConfig
from dogclips.training.learning_config import LossConfig, OptimizerConfig, ScheduleConfig
from dogclips.training.trainer_config import TrainerConfig


class TrainConfig(Config):
    """Everything that decides a training run."""

    model: ModelConfig
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
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

    @property
    def protocol(self) -> str:
        """Say in words how a clip is scored; printed with every score."""
        scoring, data = self.evaluation, self.data
        views = f"{scoring.views} view{'s' if scoring.views > 1 else ''}"
        crops = f"{scoring.crops} crop{'s' if scoring.crops > 1 else ''}"
        pixels = f"{data.size} px" + (" stretched" if data.fit == "stretch" else "")
        return (
            f"{views} x {crops}, {data.sampling.clip_len} frames uniform over the clip, "
            f"{pixels}, {scoring.average} averaged"
        )
