"""Settings of how clips are scored."""

from typing import Literal

from dogclips.config import Config
from dogclips.training.numbers import Count


class EvaluationConfig(Config):
    """How a clip is scored, in validation and in tests alike.

    Parameters
    ----------
    views, crops
        Views in time and crops in space; the model sees each combination.
    average
        What is averaged over them: probabilities (`sigmoid`; of a task whose labels exclude each
        other, those of its softmax), or logits.
    """

    views: Count = 1
    crops: Literal[1, 3] = 1
    average: Literal["sigmoid", "logit"] = "sigmoid"
