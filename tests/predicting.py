"""Score recordings in a process of its own, to see what memory it takes."""

from pathlib import Path

from dogclips.alignment import StreamChoice
from dogclips.clips.recordings import measure_recordings
from dogclips.clips.viewing import viewing_of
from dogclips.prediction.config import PredictConfig
from dogclips.prediction.predictor import load_predictor, sliding_windows
from dogclips.prediction.scoring import score_windows
from tests.faults.memory import mebibytes


def predict_both(run_dir: Path, short: Path, long: Path) -> tuple[int, int]:
    """Score two recordings one after the other; return the most MiB held until each is done."""
    predictor = load_predictor(run_dir, PredictConfig(clip_seconds=4, stride_seconds=2))
    peaks, choice = [], StreamChoice()
    for path in (short, long):
        viewing = viewing_of(measure_recordings([path], [choice])[path, choice], choice)
        score_windows(predictor, viewing, sliding_windows(viewing, predictor.windows))
        peaks.append(mebibytes("VmHWM"))
    return peaks[0], peaks[1]
