"""Predict recordings in a process of its own, to see what memory it takes."""

from pathlib import Path

from dogclips.alignment import StreamChoice
from dogclips.clips.recordings import measure_recordings
from dogclips.prediction.annotated import AnnotatedFile
from dogclips.prediction.config import PredictConfig
from dogclips.prediction.predictor import predict_recording
from dogclips.prediction.setup import load_predictor
from dogclips.scores.prediction import prediction_table
from tests.faults.memory import mebibytes


def predict_both(run_dir: Path, short: Path, long: Path) -> tuple[int, int]:
    """Predict two recordings one after the other; return the most MiB held until each is done."""
    predictor = load_predictor(run_dir, PredictConfig(clip_seconds=4, stride_seconds=2))
    peaks = []
    for path in (short, long):
        file, choice = AnnotatedFile(path, path.name), StreamChoice()
        recording = measure_recordings([path], [choice])[path, choice]
        prediction, _ = predict_recording(predictor, file, recording, choice)
        prediction_table([prediction])
        peaks.append(mebibytes("VmHWM"))
    return peaks[0], peaks[1]
