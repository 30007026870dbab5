"""What is shown is what the trainer's own loaders make."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dogclips.config import merge_trees
from dogclips.errors import ConfigError, ListError
from dogclips.lists import ListedClip, read_list, write_labels, write_list
from dogclips.loading.checking import check_clips
from dogclips.records.fed import FedClip, Strip
from dogclips.records.run_folder import FACTS
from dogclips.records.settings import write_settings
from dogclips.training import TrainConfig
from dogclips.training.browsing import Browser, Browsing, ShownViews, browsing_of
from dogclips.training.data import ClipData
from tests.painted import number_of, write_clip

RANDOM = {"color_jitter": {}, "rand_augment": {}, "random_erasing": {"probability": 1}}
TREE: dict[str, Any] = {
    "model": {"name": "timesformer"},
    "data": {"sampling": {"clip_len": 4}, "size": 32, "batch_size": 2, "workers": 0},
    "seed": 7,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return five clips whose frames say their numbers; the last has no even rate."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("numbered")
    uneven = [50 * number + 13 * (number % 3) for number in range(20)]
    paths = [write_clip(folder / f"{number}.mp4", 20) for number in range(4)]
    paths.append(write_clip(folder / "uneven.mp4", times_ms=uneven))
    write_labels(folder / "labels.txt", ["sit", "walk"])
    write_list(folder / "train.txt", [ListedClip(path, (n % 2,)) for n, path in enumerate(paths)])
    write_list(folder / "val.txt", [ListedClip(paths[3], (1,))])
    return folder


def config_of(**changes: Any) -> TrainConfig:
    return TrainConfig.model_validate(merge_trees(TREE, changes))


def browsing(folder: Path, **changes: Any) -> Browsing:
    return Browsing(config_of(**changes), read_list(folder / "train.txt"))


def shown(
    source: Browsing, chosen: list[int], **views: Any
) -> tuple[list[FedClip], list[list[Strip]]]:
    pairs = list(Browser(source, chosen, ShownViews(**views)).shown())
    return [clip for clip, _ in pairs], [strips for _, strips in pairs]


def first_epoch(source: Browsing) -> dict[int, NDArray[np.uint8]]:
    """Return the views of each clip (V, T, S, S, 3) as batches of the training hold them."""
    loader = ClipData(source.config, train=source.clips).train_dataloader()
    return {
        int(index): video.permute(0, 2, 3, 4, 1).numpy()
        for batch in loader
        for index, video in zip(batch["index"], batch["video"], strict=True)
    }


@pytest.mark.parametrize("num_views", [1, 2])
def test_the_first_draws_are_the_bytes_of_the_first_epoch(folder: Path, num_views: int) -> None:
    data = {"sampling": {"num_views": num_views}, "augment": RANDOM}
    source = browsing(folder, data=data)

    clips, strips = shown(source, list(range(5)), transform="train", draws=1)

    trained = first_epoch(source)
    assert len(trained) == 4  # a batch of one is left out
    for place, (clip, own) in enumerate(zip(clips, strips, strict=True)):
        epoch = "epoch 1" if place in trained else "epoch 2"
        assert [view.name.split(",")[0] for view in clip.views] == [epoch] * num_views
        if place in trained:
            assert np.array_equal(np.stack([strip.pixels for strip in own]), trained[place])


def test_the_views_of_testing_are_the_bytes_of_the_validation(folder: Path) -> None:
    source = browsing(folder, evaluation={"views": 2, "crops": 3}, data={"batch_size": 6})
    batches = list(ClipData(source.config, val=source.clips).val_dataloader())

    [clip], [strips] = shown(source, [3], transform="test")

    assert np.array_equal(
        np.stack([strip.pixels for strip in strips]),
        batches[3]["video"][0].permute(0, 2, 3, 4, 1).numpy(),
    )
    assert [view.name for view in clip.views][2:4] == [
        "view 1 of 2, crop 3 of 3",
        "view 2 of 2, crop 1 of 3",
    ]
    assert len({view.times_s for view in clip.views}) == 2


@pytest.mark.parametrize("sampling", [{}, {"mode": "dense", "interval": 2, "num_views": 2}])
def test_times_are_those_of_the_frames_that_are_seen(
    folder: Path, sampling: dict[str, Any]
) -> None:
    views = {"views": 2, "crops": 3}
    source = browsing(folder, data={"sampling": sampling}, evaluation=views)

    [steady, uneven], strips = shown(source, [1, 4])

    for strip in (strip for own in strips for strip in own):
        assert len(strip.times_s) == len(strip.pixels) == 4
    for strip in strips[0]:
        assert [number_of(frame) for frame in strip.pixels] == [
            round(20 * time_s) for time_s in strip.times_s
        ]
    times = [(50 * number + 13 * (number % 3)) / 1000 for number in range(20)]
    for strip in strips[1]:
        expected = [times[number_of(frame)] for frame in strip.pixels]
        assert strip.times_s == pytest.approx(expected)
    assert (steady.start_s, steady.end_s) == pytest.approx((0, 1))
    assert uneven.views[0].times_s == strips[1][0].times_s


def test_every_epoch_draws_a_clip_anew(folder: Path) -> None:
    data = {"augment": RANDOM, "batch_size": 5}

    [clip], [strips] = shown(browsing(folder, data=data), [2], draws=3)

    assert [view.heading for view in clip.views] == [
        *(f"train, epoch {epoch}" for epoch in (1, 2, 3)),
        "test",
    ]
    assert len({strip.pixels.tobytes() for strip in strips}) == 4


def test_skipped_clips_do_not_shift_the_draws_of_others(folder: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.mp4" for number in range(5)]
    for number, path in enumerate(paths):
        path.write_bytes((folder / "uneven.mp4").read_bytes()[: 500 if number == 1 else None])
    write_labels(tmp_path / "labels.txt", ["sit"])
    write_list(tmp_path / "train.txt", [ListedClip(path, (0,)) for path in paths])
    source = browsing(tmp_path, data={"on_bad_clip": "skip", "augment": RANDOM})

    clips, strips = shown(source, [0, 1, 2, 3, 4], transform="train", draws=1)

    kept = replace(source, clips=check_clips(source.clips).kept(source.clips))
    trained = first_epoch(kept)
    for index, place in enumerate((0, 2, 3, 4)):
        assert np.array_equal(strips[place][0].pixels, trained[index][0])
    assert strips[1] == []
    assert clips[1].fault
    assert [bool(clip.fault) for clip in clips] == [False, True, False, False, False]


def test_a_clip_that_balancing_never_draws_says_so(folder: Path) -> None:
    write_list(
        folder / "rare.txt",
        [ListedClip(folder / f"{n}.mp4", (int(n == 3),)) for n in range(4)],
    )
    settings = config_of(data={"balance": 1.0, "batch_size": 1}, trainer={"epochs": 1})
    source = Browsing(settings, read_list(folder / "rare.txt"))

    clips, _ = shown(source, [0, 1, 2, 3], transform="train", draws=1)
    [[_, again]] = [clip.views for clip in shown(source, [3], transform="train", draws=2)[0]]

    assert [len(clip.views) for clip in clips] == [not clip.remark for clip in clips]
    assert [clip.remark for clip in clips if not clip.views] == [
        "the training never draws this clip"
    ]
    assert again.name == "epoch 1 again"


def test_the_own_frames_of_a_clip_are_all_there_and_views_mark_some(folder: Path) -> None:
    [clip], [[strip]] = shown(browsing(folder), [0], box=(32, 32))

    assert [number_of(frame) for frame in strip.pixels] == list(range(20))
    assert strip.pixels.shape[1:] == (24, 32, 3)
    assert strip.times_s == pytest.approx([number / 20 for number in range(20)])
    assert all(set(view.times_s) <= set(strip.times_s) for view in clip.views)
    assert len(clip.views) == 4


def run_folder(folder: Path, run_dir: Path, **changes: Any) -> Path:
    """Return the folder of a run that was started beside its lists."""
    lists = {"train": Path("train.txt"), "val": Path("val.txt")}
    run_dir.mkdir()
    write_settings(config_of(**merge_trees({"data": lists}, changes)), run_dir, "config.yaml")
    facts = {
        name: {
            "path": str(folder / path),
            "sha256": hashlib.sha256((folder / path).read_bytes()).hexdigest(),
        }
        for name, path in lists.items()
    }
    (run_dir / FACTS).write_text(json.dumps({"lists": facts}))
    return run_dir


def test_a_run_brings_its_own_lists_and_settings(folder: Path, tmp_path: Path) -> None:
    run_dir = run_folder(folder, tmp_path / "run")

    learned = browsing_of(run_dir, None, "both")
    validated = browsing_of(run_dir, {"seed": 9}, "test")

    assert (learned.clips.path.name, len(learned.clips.clips)) == ("train.txt", 5)
    assert (validated.clips.path.name, len(validated.clips.clips)) == ("val.txt", 1)
    assert (learned.config.seed, validated.config.seed) == (7, 9)
    assert learned.warnings == ()
    heart = run_folder(folder, tmp_path / "heart", trainer={"overfit": 2})
    assert len(browsing_of(heart, None, "test").clips.clips) == 2


def test_a_list_that_has_changed_since_the_training_is_doubted(
    folder: Path, tmp_path: Path
) -> None:
    run_dir = run_folder(folder, tmp_path / "run")
    facts = (run_dir / FACTS).read_text()
    digest = json.loads(facts)["lists"]["train"]["sha256"]
    (run_dir / FACTS).write_text(facts.replace(digest, "0" * 64))

    [warning] = browsing_of(run_dir, None, "train").warnings

    assert warning.startswith(f"{folder / 'train.txt'} has changed since the training")


def test_what_is_no_list_and_no_run_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ListError, match="not a list of clips or a run folder"):
        browsing_of(folder, None, "both")
    run_dir = run_folder(folder, tmp_path / "run")
    write_settings(config_of(), run_dir, "config.yaml")
    with pytest.raises(ConfigError, match=r"no data\.train"):
        browsing_of(run_dir, None, "train")


def test_what_cannot_be_shown_is_said(folder: Path) -> None:
    mixed = {"data.augment.mixup": 0.8, "data.augment.cutmix": 1}
    [warning] = browsing_of(folder / "train.txt", mixed, "both").warnings
    assert warning.startswith("mixup and cutmix follow")
    dense = {"sampling": {"mode": "dense", "interval": 9}}
    browser = Browser(browsing(folder, data=dense), [0], ShownViews(draws=1))
    list(browser.shown())
    assert "too short for data.sampling" in (browser.warning() or "")
