"""What a model says of each window of a recording, decoded once.

Shapes: B windows, V views, T frames, S side of a view, K labels, W windows.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from dogclips.clips.viewing import Viewing
from dogclips.loading import Views
from dogclips.loading.streaming import WindowViews, stream_windows
from dogclips.prediction.predictor import Predictor, SlidingWindow
from dogclips.scores.bouts import Floats
from dogclips.training.checkpoints import SavedRun
from dogclips.training.data import sampling_of
from dogclips.training.losses import view_mean
from dogclips.training.machine import precision_for


@dataclass(frozen=True, eq=False)
class WindowScores:
    """What a model says of each window."""

    probability_WK: Floats  #: Of each window and label; NaN for windows that it was not shown
    reasons: tuple[str, ...]  #: Of each window: why it was not shown; "" if it was
    reading_s: float  #: Seconds spent decoding, scaling and converting to RGB


def score_windows(
    predictor: Predictor,
    viewing: Viewing,
    windows: Sequence[SlidingWindow],
    on_windows: Callable[[int], None] = lambda _count: None,
) -> WindowScores:
    """Show a model the windows of a recording; `on_windows` is told how many are just done."""
    config = predictor.run.config
    views = WindowViews(
        sampling=sampling_of(config.data),
        num_views=config.evaluation.views,
        crops=Views(config.data.size, config.data.fit, config.evaluation.crops),
        short_side=predictor.cut.short_side,
        deinterlace=predictor.cut.deinterlace == "auto",
    )
    shown = [number for number, window in enumerate(windows) if not isinstance(window, str)]
    clips = [window for window in windows if not isinstance(window, str)]
    reasons = [window if isinstance(window, str) else "" for window in windows]
    on_windows(len(windows) - len(shown))
    probability_WK = np.full((len(windows), len(predictor.run.labels)), np.nan)
    network = _Network(predictor.run)
    reading = stream_windows(viewing.path, viewing.target, clips, views)
    began, reading_s = time.monotonic(), 0.0
    while batch := list(islice(reading, network.batch_size)):
        reading_s += time.monotonic() - began
        videos = {shown[n]: video for n, video in batch if not isinstance(video, str)}
        if videos:
            probability_WK[list(videos)] = network(torch.stack([*videos.values()])).numpy()
        for n, video in batch:
            reasons[shown[n]] = video if isinstance(video, str) else ""
        on_windows(len(batch))
        began = time.monotonic()
    return WindowScores(probability_WK, tuple(reasons), reading_s)


class _Network:
    """A network with its weights on the fastest device: from views to probabilities."""

    def __init__(self, run: SavedRun) -> None:
        self.config, self.tasks = run.config, run.module.tasks
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = run.module.model.to(self.device).eval()
        evaluation = self.config.evaluation
        num_views = evaluation.views * evaluation.crops
        self.batch_size = max(1, self.config.data.batch_size // num_views)

    @torch.inference_mode()
    def __call__(self, video_BV3TSS: Tensor) -> Tensor:
        """Return the probability of each label (B, K), averaged over the views as in testing."""
        num_windows, num_views = video_BV3TSS.shape[:2]
        video_b3TSS = video_BV3TSS.flatten(0, 1).to(self.device)  # b = B * V
        with self._precision():
            logits_bK = self.model(self.model.normalise(video_b3TSS))
        logits_BVK = logits_bK.float().view(num_windows, num_views, -1)
        return view_mean(logits_BVK, self.tasks, self.config.evaluation.average).cpu()

    def _precision(self) -> AbstractContextManager[object]:
        precision = precision_for(self.config.trainer)
        if precision == "32-true" or self.device.type == "cpu":
            return nullcontext()
        half = torch.bfloat16 if precision == "bf16-mixed" else torch.float16
        return torch.autocast(self.device.type, dtype=half)
