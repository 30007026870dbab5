"""What `dogclips predict` writes about a two-stream recording, and how it refuses."""

import csv
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips import train
from dogclips.alignment import StreamChoice
from dogclips.annotations import read_annotations
from dogclips.clips.recordings import measure_recordings
from dogclips.demo.numbers import read_number
from dogclips.errors import ConfigError, UsageError
from dogclips.lists import ListedClip, write_labels, write_list
from dogclips.prediction.config import PredictConfig
from dogclips.prediction.predictor import load_predictor
from dogclips.records.predictions import read_step_predictions
from dogclips.streams import Stream
from dogclips.timebase import frame_at
from dogclips.training import TrainConfig
from tests.cli.program import dogclips
from tests.faults.memory import alone
from tests.moving import RATE, write_moving
from tests.painted import write_clip
from tests.predicting import predict_both
from tests.sessions import write_project
from tests.videos import steady, write_made

# Frames of the scene in which it is red; in all others it is not. One label could be a formula,
# and markup.
RED, GREEN = "=red()", "<b>green</b>"
RED_FRAMES = (range(60, 100), range(160, 180))
SHOWN = range(240)
LOST = [*range(7, 120), *range(125, 240)]  # at the start, unseen by timestamps, and in the middle


def is_red(number: int) -> bool:
    return any(number in frames for frames in RED_FRAMES)


def redden(number: int, picture: NDArray[np.uint8]) -> None:
    picture //= 2
    picture[:, :, 0] = 220 if is_red(number) else picture[:, :, 0]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a tiny model to know red."""
    folder = tmp_path_factory.mktemp("run")
    random, clips = np.random.default_rng(0), []
    for number in range(24):
        red, noise = number % 2, random.integers(20, 110, (24, 32, 1), dtype=np.uint8)

        def paint(frame: int, pixels: NDArray[np.uint8]) -> None:
            pixels[:] = np.roll(noise, frame, axis=1)  # noqa: B023 (called before the next one)
            pixels[:, :, 0] = 220 if red else pixels[:, :, 0]  # noqa: B023

        path = write_clip(folder / f"{number}.mp4", 20, paint=paint, size=(32, 24))
        clips.append(ListedClip(path, (red,)))
    write_labels(folder / "labels.txt", [GREEN, RED])
    write_list(folder / "train.txt", clips[:16])
    write_list(folder / "val.txt", clips[16:])
    config = {
        "model": {"name": "timesformer", "patch_size": 16, "dim": 16, "depth": 1, "heads": 2},
        "data": {
            "train": folder / "train.txt",
            "val": folder / "val.txt",
            "sampling": {"clip_len": 4},
            "size": 32,
            "batch_size": 8,
            "workers": 0,
            "augment": {"flip": False},
        },
        "optimizer": {"lr": 1e-2},
        "trainer": {"epochs": 5},
    }
    train(folder / "run", TrainConfig.model_validate(config))
    return folder / "run"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base_dir = tmp_path_factory.mktemp("session")
    write_moving(base_dir / "video" / "yard.mp4", SHOWN, LOST, tint=redden)
    (base_dir / "video" / "broken.mp4").write_text("no video\n" * 200)
    project = write_project(base_dir, "yard", {"yard.mp4": [(6, 10, "1"), (16, 18, "1")]})
    project.write_text(project.read_text().replace("walk", RED))
    return base_dir


@pytest.fixture(scope="module")
def predicted(run_dir: Path, session: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    shown = dogclips("predict", run_dir, session, "--out", out, "--stride", "0.5", "--json")
    assert shown.returncode == 1  # one of the two is no video
    (out / "shown.json").write_text(shown.stdout)
    (out / "stderr.txt").write_text(shown.stderr)
    return out


def spans_in(path: Path, label: str) -> list[tuple[float, float]]:
    segments = read_annotations(path).checked().segments
    own = segments[segments["label"] == label]
    return list(zip(own["t_start"], own["t_end"], strict=True))


def number_at(path: Path, stream: Stream, time_s: Fraction) -> int | None:
    """Return the number painted into the frame that a stream shows at a container time."""
    place = frame_at(stream.pts, stream.time_base, time_s)
    with av.open(str(path)) as container:
        frames = container.decode(container.streams[stream.index])
        found = next(f for f in frames if f.pts == stream.pts[place])
        return read_number(found.to_ndarray(format="gray"))


def test_bouts_in_the_via_project_lie_where_the_annotator_sees_them(
    predicted: Path, session: Path
) -> None:
    path, choice = session / "video" / "yard.mp4", StreamChoice()
    table, alignment = measure_recordings([path], [choice])[path, choice].measured
    reference, target = table.cameras
    assert alignment.offset_frames == 7

    spans = spans_in(predicted / "via" / "yard.json", RED)

    assert len(spans) == len(RED_FRAMES)
    for (start, end), frames in zip(spans, RED_FRAMES, strict=True):
        assert abs(start * RATE - frames.start) <= 2.5  # half a step
        assert abs(end * RATE - frames.stop) <= 2.5
        inside = [Fraction(start) + Fraction(1, 2), Fraction(end) - Fraction(1, 2)]
        for time_s in inside:
            number = number_at(path, reference, time_s)
            assert number is not None
            assert number in frames
            mapped = alignment.time_map.to_target(time_s) + (target.start_s or 0)
            assert number_at(path, target, mapped) == number


def test_all_files_say_the_same(predicted: Path) -> None:
    document = json.loads((predicted / "shown.json").read_text())
    [recording] = document["recordings"]
    told = [(b["start_s"], b["end_s"]) for b in recording["bouts"] if b["label"] == RED]

    assert told == spans_in(predicted / "via" / "yard.json", RED)
    with (predicted / "bouts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["Behavior"] for row in rows} == {f"'{RED}", GREEN}
    assert [
        (float(row["Start (s)"]), float(row["Stop (s)"]))
        for row in rows
        if row["Behavior"] == f"'{RED}"
    ] == told
    svg = (predicted / "timelines" / "yard.svg").read_text()
    assert "&lt;b&gt;green&lt;/b&gt;" in svg
    assert "<b>" not in svg


def test_the_table_holds_every_step_with_the_reasons_of_windows(predicted: Path) -> None:
    table = read_step_predictions(predicted / "predictions.parquet")
    red = table[table["label"] == RED].reset_index(drop=True)
    unknown = red["probability"].isna()

    assert red["start_s"].tolist() == [step / 2 for step in range(48)]
    assert {reason for text in red["reason"] for reason in text.split()} >= {
        "before-target-start",
        "after-end",
    }
    assert (red["windows"][unknown] == 0).all()
    assert (red["reason"][unknown] != "").all()
    assert red.loc[unknown, "start_s"].between(11, 13).any()  # frames were lost at 12 s
    assert (red["smoothed"].isna() == unknown).all()


def test_agreement_with_the_annotations_is_scored(predicted: Path) -> None:
    scores = json.loads((predicted / "scores.json").read_text())

    own = scores["all"]["seconds"]["labels"][RED]
    assert own["annotated"] == 6
    assert own["f1"] == 1.0
    assert scores["all"]["bouts"]["labels"][RED]["f1"] == 1.0
    assert "a second counts for a label that fills at least half of it" in scores["all"]["protocol"]
    assert scores["all"]["seconds"]["labels"][GREEN]["f1"] is None


def test_a_file_that_is_no_video_is_a_row_and_stops_no_other(predicted: Path) -> None:
    document = json.loads((predicted / "shown.json").read_text())
    errors = [
        line
        for line in (predicted / "stderr.txt").read_text().splitlines()
        if line.startswith("error: ")
    ]

    [failed] = document["failed"]
    assert failed["path"].endswith("broken.mp4")
    assert len(errors) == 1
    assert "broken.mp4" in errors[0]
    assert sorted(path.name for path in (predicted / "via").iterdir()) == ["yard.json"]


def test_an_overlay_shows_every_frame_of_the_reference_at_its_time(
    run_dir: Path, session: Path, tmp_path: Path
) -> None:
    path, overlay = session / "video" / "yard.mp4", tmp_path / "new" / "overlay.mp4"

    shown = dogclips(
        "predict", run_dir, path, "--out", tmp_path / "out", "--stride", 0.5, "--overlay", overlay
    )

    assert shown.returncode == 0, shown.stderr
    assert "yard.mp4: likeliest labels" in shown.stdout
    assert "x realtime" in shown.stdout
    assert RED in shown.stdout
    with av.open(str(overlay)) as container:
        frames = list(container.decode(video=0))
    numbers = [read_number(frame.to_ndarray(format="gray")[:360]) for frame in frames]
    assert numbers == list(SHOWN)
    assert [frame.time for frame in frames] == pytest.approx([n / RATE for n in SHOWN])
    busy = [_is_busy(frame.to_ndarray(format="rgb24")[360:]) for frame in frames]
    spans = spans_in(tmp_path / "out" / "via" / "yard.json", RED)
    assert busy == [any(start <= n / RATE < end for start, end in spans) for n in SHOWN]


def _is_busy(panel: NDArray[np.uint8]) -> bool:
    """Return whether the score of the second label has the colour of a bout."""
    bar = panel[8 + 2 * 24 + 12, 158].astype(int)
    return bool(bar[0] > 180 and bar[2] < 130)


FAULTS = {
    "an overlay of two": (["{video}", "{video}", "--overlay", "o.mp4"], 2, "--overlay"),
    "an overlay of no kind": (["{video}", "--overlay", "o.doc"], 2, "cannot write .doc"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), FAULTS.values(), ids=FAULTS)
def test_wrong_usage_is_one_line_and_writes_nothing(
    run_dir: Path,
    session: Path,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    video = str(session / "video" / "yard.mp4")
    given = [argument.format(video=video) for argument in arguments]

    shown = dogclips("predict", run_dir, *given, "--out", tmp_path / "out", cwd=tmp_path)

    assert shown.returncode == code, shown.stderr
    [line] = shown.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stride_seconds": 9}, "would leave gaps"),
        ({"stride_seconds": 0.1}, "10 windows would cover each step"),
        ({"labels": {"sit": {"threshold": 0.4}}}, "the model has no label 'sit'"),
    ],
    ids=["gaps", "too many windows", "unknown label"],
)
def test_settings_that_do_not_fit_the_run_are_refused(
    run_dir: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_predictor(run_dir, PredictConfig.model_validate(settings))


def test_the_run_tells_length_streams_and_thresholds(run_dir: Path) -> None:
    settings = PredictConfig.model_validate(
        {"labels": {RED: {"threshold": 0.9, "min_bout_seconds": 2}}, "smooth": "hysteresis"}
    )

    predictor = load_predictor(run_dir, settings)
    predictor = replace(predictor, run=replace(predictor.run, thresholds=(None, 0.3)))

    assert (predictor.clip_s, predictor.stride_s) == (1, Fraction(1, 4))  # 20 frames, a quarter
    assert predictor.without_threshold == (GREEN,)
    assert predictor.thresholds == (0.5, 0.9)
    assert [rule.low for rule in predictor.bout_rules] == [0.25, 0.45]
    assert [rule.min_bout_s for rule in predictor.bout_rules] == [0, 2]


def test_without_the_clips_of_the_training_their_length_is_asked_for(
    run_dir: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "best.ckpt"
    alone.write_bytes((run_dir / "checkpoints" / "best.ckpt").read_bytes())
    (run_dir.parent / "train.txt").rename(tmp_path / "train.txt")
    try:
        with pytest.raises(UsageError, match="pass --clip-seconds"):
            load_predictor(alone, PredictConfig())
        assert load_predictor(alone, PredictConfig(clip_seconds=2)).clip_s == 2
    finally:
        (tmp_path / "train.txt").rename(run_dir.parent / "train.txt")


def test_memory_does_not_grow_with_the_recording(run_dir: Path, tmp_path: Path) -> None:
    short, long = (
        write_made(tmp_path / f"{minutes}.mp4", steady(minutes * 60 * 4, Fraction(4), width=64))
        for minutes in (2, 20)
    )

    (before, after), _ = alone(predict_both, run_dir, short, long)

    assert after <= 1.1 * before
