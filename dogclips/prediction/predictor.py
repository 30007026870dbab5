"""A trained model, ready for recordings: what it takes from its training and the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from dogclips.alignment import StreamChoice
from dogclips.clips.config import CutConfig
from dogclips.clips.frames import SourceFrames
from dogclips.clips.viewing import Viewing
from dogclips.config import unknown_name
from dogclips.errors import ConfigError, DogclipsError, UsageError
from dogclips.lists import read_list
from dogclips.media.probe import probe_file
from dogclips.prediction.config import LabelRulesConfig, PredictConfig
from dogclips.prediction.inputs import ClassNames, InputRecording
from dogclips.records.manifest import settings_of_cut
from dogclips.records.run_folder import noted_list
from dogclips.scores.bouts import BoutRules
from dogclips.scores.locating import MOST_STEPS
from dogclips.streams import MaxHold
from dogclips.timebase import exact
from dogclips.training.checkpoints import SavedRun, load_run

T = TypeVar("T")

_FALLBACK = 0.5  # threshold of a label of which the validation list had no positive
_LOOKED_AT = 5  # clips of the training whose lengths are compared


@dataclass(frozen=True)
class SlidingRules:
    """How windows lie; times in seconds."""

    clip_s: Fraction  #: Length of a window: that of the clips of the training
    stride_s: Fraction  #: From one start to the next; the first is at 0
    #: What the clips of the training were resampled to; None if they kept the source's frames.
    frame_rate: Fraction | None = None
    #: For how long a picture may be held in a window; see `streams.MaxHold`.
    max_hold_s: MaxHold = "auto"
    #: Show the model windows in which the shift is unknown between the streams, or frames are lost.
    keep_doubtful: bool = False

    @property
    def steps(self) -> int:
        """Return how many whole strides a window covers."""
        return int(self.clip_s // self.stride_s)


# The frames of the clip that `dogclips cut` would make of a window, or the reason why of none.
SlidingWindow = SourceFrames | str


def sliding_windows(viewing: Viewing, rules: SlidingRules) -> list[SlidingWindow]:
    """Return the windows over a recording in time order, those that run past its end included.

    SlidingWindow n begins at n strides of annotation time.
    """
    starts_s = (n * rules.stride_s for n in range(-(-viewing.length_s // rules.stride_s)))
    return [
        viewing.frames(
            start_s,
            rules.clip_s,
            rules.frame_rate,
            max_hold_s=rules.max_hold_s,
            keep_doubtful=rules.keep_doubtful,
        )
        for start_s in starts_s
    ]


@dataclass(frozen=True)
class Predictor:
    """A trained model, and how recordings are shown to it."""

    run: SavedRun  #: With the changes to its evaluation that were asked for
    cut: CutConfig  #: How the clips of its training were cut; defaults where unknown
    clip_s: Fraction  #: Their length in seconds
    settings: PredictConfig

    @property
    def stride_s(self) -> Fraction:
        """Return the seconds from one window to the next, and of a step of time."""
        wanted = self.settings.stride_seconds
        return self.clip_s / 4 if wanted is None else exact(wanted)

    @property
    def windows(self) -> SlidingRules:
        """Return how windows lie in a recording."""
        doubtful = self.settings.keep_doubtful or self.cut.keep_doubtful
        rate, max_hold_s = self.cut.resample_to, self.cut.max_hold_s
        return SlidingRules(self.clip_s, self.stride_s, rate, max_hold_s, doubtful)

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Return the threshold of each label: as set for it, for all, by the run, or 0.5."""
        return tuple(_FALLBACK if one is None else one for one in self._known_thresholds)

    @property
    def without_threshold(self) -> tuple[str, ...]:
        """Return the labels for which neither the settings nor the run have a threshold."""
        known = zip(self.run.labels, self._known_thresholds, strict=True)
        return tuple(label for label, threshold in known if threshold is None)

    @property
    def _known_thresholds(self) -> list[float | None]:
        return [
            _given(self._own(label).threshold, _given(self.settings.threshold, held))
            for label, held in zip(self.run.labels, self.run.thresholds, strict=True)
        ]

    @property
    def smooth_steps(self) -> int:
        """Return over how many steps the median of scores is taken; 1 for none."""
        if self.settings.smooth != "median":
            return 1
        return round(exact(self.settings.smooth_seconds) / self.stride_s)

    @property
    def resolved(self) -> PredictConfig:
        """Return the settings with what was taken from the training."""
        lengths = {"clip_seconds": float(self.clip_s), "stride_seconds": float(self.stride_s)}
        return self.settings.model_copy(update=lengths)

    @property
    def protocol(self) -> str:
        """Say in words how a step is scored."""
        settings = self.settings
        how = {
            "counts": "located by how many of its windows' steps carry the label",
            "mean": "mean over its windows",
            "centre": "the window around it",
        }[settings.locate]
        smooth = {
            "none": "not smoothed",
            "median": f"median over {settings.smooth_seconds:g} s",
            "hysteresis": f"hysteresis down to {settings.low:g} of the threshold",
        }[settings.smooth]
        return (
            f"windows of {float(self.clip_s):g} s every {float(self.stride_s):g} s; "
            f"{self.run.config.protocol}; steps of {float(self.stride_s):g} s, {how}, {smooth}"
        )

    def checked(self) -> "Predictor":
        """Return the predictor if its settings fit the run."""
        for label in self.settings.labels:
            if label not in self.run.labels:
                raise ConfigError(
                    f"the model has no label {label!r}",
                    where=f"labels.{label}",
                    todo=unknown_name(f"labels.{label}", "label", label, self.run.labels).todo,
                )
        if self.windows.steps < 1:
            raise ConfigError(
                f"windows of {float(self.clip_s):g} s would leave gaps",
                where=f"stride_seconds {float(self.stride_s):g}",
                todo="choose a stride that is no longer than a window",
            )
        steps = self.windows.steps
        if self.settings.locate == "counts" and steps > MOST_STEPS:
            raise ConfigError(
                f"{steps} windows would cover each step; `locate: counts` allows {MOST_STEPS}",
                where=f"stride_seconds {float(self.stride_s):g}",
                todo="choose a longer stride, or set locate to mean",
            )
        return self

    @property
    def bout_rules(self) -> list[BoutRules]:
        """Return what makes a bout of each label."""
        settings = self.settings
        share = settings.low if settings.smooth == "hysteresis" else 1.0
        return [
            BoutRules(
                threshold=threshold,
                low=threshold * share,
                min_bout_s=exact(_given(own.min_bout_seconds, settings.min_bout_seconds)),
                merge_gap_s=exact(_given(own.merge_gap_seconds, settings.merge_gap_seconds)),
            )
            for own, threshold in zip(map(self._own, self.run.labels), self.thresholds, strict=True)
        ]

    def streams_of(self, recording: InputRecording) -> StreamChoice:
        """Return the streams of a recording: as asked for, else as in the training."""
        settings, cut = self.settings, self.cut
        trained = StreamChoice(cut.reference, cut.target, cut.annotated_in)
        if recording.project is not None:
            trained = cut.choice_of(recording.project)
        return StreamChoice(
            _given(settings.reference, trained.reference),
            _given(settings.target, trained.target),
            _given(settings.annotated_in, trained.annotated_in),
        )

    @property
    def class_names(self) -> ClassNames:
        """Return how annotated labels become the model's classes."""
        return ClassNames(self.run.labels, self.run.with_task, self.cut.labels, self.cut.tasks)

    def _own(self, label: str) -> LabelRulesConfig:
        return self.settings.labels.get(label, LabelRulesConfig())


def _given(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value


def load_predictor(source: Path, settings: PredictConfig) -> Predictor:
    """Return the trained model of a run folder or a checkpoint, ready for recordings."""
    changes = {
        "evaluation.views": settings.views,
        "evaluation.crops": settings.crops,
        "data.batch_size": settings.batch_size,
        "trainer.precision": settings.precision,
    }
    run = load_run(source, changes)
    clips = _training_clips(source, run)
    cut = settings_of_cut(CutConfig, clips[0]) if clips else None
    if settings.clip_seconds is not None:
        clip_s = exact(settings.clip_seconds)
    elif cut is not None:
        clip_s = exact(cut.clip_seconds)
    else:
        clip_s = _usual_length(clips[:_LOOKED_AT], source)
    return Predictor(run, cut or CutConfig(), clip_s, settings).checked()


def _training_clips(source: Path, run: SavedRun) -> list[Path]:
    """Return the clips of the training list; none if it is not there any more."""
    noted = noted_list(source, "train")
    list_path = run.config.data.train if noted is None else noted.path
    if list_path is None:
        return []
    try:
        return [clip.path for clip in read_list(list_path, run.config.data.root).clips]
    except DogclipsError:
        return []


def _usual_length(clips: Sequence[Path], source: Path) -> Fraction:
    lengths = []
    for clip in clips:
        try:
            length_s = probe_file(clip).duration_s
        except DogclipsError:
            continue
        if length_s:
            lengths.append(length_s.limit_denominator(1000))
    if not lengths:
        raise UsageError(
            "the clips of the training are missing, so their length is unknown",
            where=source,
            todo="pass --clip-seconds",
        )
    return sorted(lengths)[len(lengths) // 2]
