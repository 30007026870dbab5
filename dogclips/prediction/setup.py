"""What a predictor takes from the training: its weights, and how its clips were cut."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from dogclips.clips.config import CutConfig
from dogclips.errors import DogclipsError, OutputError, UsageError
from dogclips.lists import read_list
from dogclips.media.probe import probe
from dogclips.prediction.config import PredictConfig
from dogclips.prediction.predictor import Predictor
from dogclips.records.manifest import settings_of_cut
from dogclips.records.run_folder import read_facts
from dogclips.timebase import exact
from dogclips.training.checkpoints import SavedRun, load_run

_LOOKED_AT = 5  # clips of the training whose lengths are compared


def load_predictor(source: Path, settings: PredictConfig) -> Predictor:
    """Return a trained model, ready for recordings.

    Parameters
    ----------
    source
        A run folder or a checkpoint.

    Raises
    ------
    CheckpointError, ConfigError
        The run cannot be used, or the settings do not fit it.
    UsageError
        Nobody knows how long the clips of its training were.
    """
    evaluation = {"views": settings.views, "crops": settings.crops}
    changes = {
        "evaluation": {key: value for key, value in evaluation.items() if value is not None},
        "data": {"batch_size": settings.batch_size} if settings.batch_size else {},
        "trainer": {"precision": settings.precision} if settings.precision else {},
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
    listed = run.config.data.train
    with suppress(OutputError):
        noted = read_facts(source).lists.get("train")
        listed = Path(noted.path) if noted is not None else listed
    if listed is None:
        return []
    try:
        return [clip.path for clip in read_list(listed, run.config.data.root).clips]
    except DogclipsError:
        return []


def _usual_length(clips: list[Path], source: Path) -> Fraction:
    lengths = []
    for clip in clips:
        try:
            length_s = probe(clip).duration_s
        except DogclipsError:
            continue
        if length_s:
            lengths.append(length_s.limit_denominator(1000))
    if not lengths:
        raise UsageError(
            "the clips of the training are not there any more, so nobody knows their length",
            where=source,
            todo="pass --clip-seconds",
        )
    return sorted(lengths)[len(lengths) // 2]
