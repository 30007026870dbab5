"""What the trainer's own loaders make of clips, draw by draw.

Nothing of the loading is done again here: datasets, seeds and order are those of `ClipData`, and
the times of frames are the ones that its sampling chose while the views were made.

Shapes: V views, T frames, S side of a view.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader

from dogclips.config import Settings, names_file, settings_of
from dogclips.errors import ConfigError, ListError, MediaError
from dogclips.files import file_digest
from dogclips.lists import ClipList
from dogclips.lists.choice import listed_name
from dogclips.loading import ClipDataset, Sampling
from dogclips.loading.checking import check_clips
from dogclips.loading.dataset import Draw, FixedViews, RandomViews, Sample
from dogclips.loading.frames import DecoderName, frames_at
from dogclips.media.decoding import check_times
from dogclips.media.excerpt import Excerpt, FrameTimes
from dogclips.records.fed import FedClip, FedView, Kind, Strip
from dogclips.records.mixups import not_a_list
from dogclips.records.run_folder import is_run, noted_list
from dogclips.records.settings import SETTINGS
from dogclips.reports.pictures.fed_pictures import Layout
from dogclips.training.config import TrainConfig
from dogclips.training.data import ClipData, EpochSampler, GuardedDataset, sampling_warning
from dogclips.training.loading_plan import num_workers
from dogclips.training.run import named_lists, overfit_settings, read_train_list

Transform = Literal["train", "test", "both"]


@dataclass(frozen=True)
class ShownViews:
    """Which views of each clip are shown, and how."""

    transform: Transform = "both"  #: Of training, of evaluation, or both
    draws: int = 3  #: The first draws of a clip by the training
    #: None for the views that a model gets; else width and height that the clip's own frames are
    #: shown in at most.
    box: tuple[int, int] | None = None


@dataclass(frozen=True)
class Browsing:
    """Clips to look at, and the settings by which they are fed."""

    config: TrainConfig
    clips: ClipList
    warnings: tuple[str, ...] = ()  #: What the user should know about them


def browsing_of(source: Path, settings: Settings[TrainConfig], transform: Transform) -> Browsing:
    """Return the clips of a list, or those of a run, and the settings for them.

    Of a run these are the clips that it learned from, or with "test" alone those that it was
    validated on. A list is taken as one to learn from.
    """
    if not source.is_dir():
        # A training names its network; which one it is changes nothing here.
        under = [] if names_file(settings) else ["model.name=timesformer"]
        return _with_list(settings_of(TrainConfig, settings, under), source)
    if not is_run(source):
        raise not_a_list(source) or ListError(
            "not a list of clips or a run folder",
            where=source,
            todo="name a list such as train.txt, or the folder that `dogclips train` wrote",
        )
    config = settings_of(TrainConfig, settings, under=[source / SETTINGS])
    validated = transform == "test" and config.trainer.overfit is None
    key: Literal["train", "val"] = "val" if validated else "train"
    path = getattr(config.data, key)
    if path is None:
        raise ConfigError(f"no data.{key}", where=source / SETTINGS, todo="name a list")
    noted = noted_list(source, key)
    if noted is not None and not path.is_file():
        path = noted.path  # the run was started elsewhere
    found = _with_list(config, path)
    if noted is None or file_digest(path) == noted.sha256:
        return found
    changed = f"{path} has changed since the training, which drew other frames and crops"
    return replace(found, warnings=(*found.warnings, changed))


def _with_list(config: TrainConfig, path: Path) -> Browsing:
    config = overfit_settings(named_lists(config, train=path))
    mixed = [name for name in ("mixup", "cutmix") if getattr(config.data.augment, name)]
    follow = "follow" if len(mixed) > 1 else "follows"
    what = f"{' and '.join(mixed)} {follow} later, on whole batches: not shown"
    warnings = (what,) if mixed else ()
    return Browsing(config, read_train_list(config), warnings)


@dataclass(frozen=True)
class _NotedSampling(Sampling):
    """Remembers what it was asked and what it chose; the choices are those of the original."""

    notes: list[tuple[FrameTimes, NDArray[np.float64]]] = field(default_factory=list)

    def random_views(
        self, timeline: FrameTimes, num_views: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        return self._noted(timeline, super().random_views(timeline, num_views, rng))

    def fixed_views(self, timeline: FrameTimes, num_views: int) -> NDArray[np.float64]:
        return self._noted(timeline, super().fixed_views(timeline, num_views))

    def _noted(self, timeline: FrameTimes, instants: NDArray[np.float64]) -> NDArray[np.float64]:
        self.notes.append((timeline, timeline.times_s[timeline.on_screen(instants)]))
        return instants


class _TimedDataset:
    """A dataset of the trainer, with the times of the frames in its samples."""

    def __init__(self, loader: "DataLoader[Sample | MediaError]") -> None:
        self.dataset: ClipDataset = cast("GuardedDataset", loader.dataset).dataset
        load = cast("RandomViews | FixedViews", self.dataset.load)
        self._sampling = _NotedSampling(**vars(load.sampling))
        self.dataset.load = replace(load, sampling=self._sampling)

    def take(self, draw: int | Draw) -> tuple[FrameTimes, NDArray[np.float64], NDArray[np.uint8]]:
        """Return the frames of the clip, the times that views show (V, T), and the views' bytes.

        Those are (V, T, S, S, 3); views in time come with all their crops.
        """
        video_V3TSS = self.dataset[draw]["video"]
        timeline, times_VT = self._sampling.notes.pop()
        pixels_VTSS3 = video_V3TSS.permute(0, 2, 3, 4, 1).contiguous().numpy()
        crops = len(pixels_VTSS3) // len(times_VT)
        return timeline, np.repeat(times_VT, crops, axis=0), pixels_VTSS3


# A view, and the strip that shows it.
_Made = tuple[FedView, Strip]


class Browser:
    """Makes the views of clips, `chosen` by index in their list, as training and validation do."""

    def __init__(self, browsing: Browsing, chosen: Sequence[int], views: ShownViews) -> None:
        self.config, self.clips = browsing.config, browsing.clips
        self.chosen, self.views = chosen, views
        self.seen: list[FedClip] = []
        self.timelines: dict[int, FrameTimes] = {}
        val = ClipData(self.config, val=self.clips)
        self._decoder: DecoderName = val.decoder
        self._test = _TimedDataset(val.val_dataloader())
        self._draws: dict[int, list[tuple[int, Draw]]] = {}
        if views.transform != "test":
            self._train = self._training_dataset()

    def shown(
        self, on_clips: Callable[[int], None] = lambda _count: None
    ) -> Iterator[tuple[FedClip, list[Strip]]]:
        """Yield each clip with a strip for each view, or with a single one of all its frames.

        A clip that does not decode has none, and says why. All clips are kept in `seen`.
        """
        for index in self.chosen:
            listed = self.clips.clips[index]
            labels = tuple(self.clips.labels[label] for label in listed.labels)
            clip = FedClip(listed.path, listed_name(self.clips, listed.path), labels)
            try:
                found = self._shown(clip, index)
            except MediaError as error:
                todo = f": {error.todo}" if error.todo else ""
                found = replace(clip, fault=f"{error.what}{todo}"), []
            self.seen.append(found[0])
            on_clips(1)
            yield found

    def title(self, num_clips: int) -> list[str]:
        """Return what is shown: of which list, how many clips, by which settings."""
        data = self.config.data
        what = "what the model is fed" if self.views.box is None else "the clips' own frames"
        number = f"{num_clips} of {len(self.clips.clips)} clips"
        lines = [
            f"{self.clips.path.name}: {what}",
            f"{number}   ·   {data.sampling.words}   ·   {data.size} px, {data.fit}",
        ]
        if self.views.transform != "test":
            lines.append(f"train: {_changes(self.config)}")
        if self.views.transform != "train":
            lines.append(f"test: {self.config.evaluation.words}")
        return lines

    @property
    def layout(self) -> Layout:
        """Return the pages of a video."""
        data, scoring = self.config.data, self.config.evaluation
        views = self.views.draws * data.sampling.num_views if self.views.transform != "test" else 0
        views += scoring.views * scoring.crops if self.views.transform != "train" else 0
        if self.views.box is None:
            return Layout((data.size, data.size), views)
        return Layout(self.views.box, 1, views)

    def warning(self) -> str | None:
        """Return a line if the sampling is not what the settings say, once clips were made."""
        return sampling_warning(self.config.data, list(self.timelines.values()))

    def _training_dataset(self) -> _TimedDataset:
        """Return the dataset of the training, and find the draws of the clips in it."""
        data, kept, clips = self.config.data, list(range(len(self.clips.clips))), self.clips
        if data.on_bad_clip == "skip":
            # The training numbers what is left, and the numbers are part of the seeds.
            check = check_clips(clips, source=data.source, workers=num_workers(data.workers))
            bad, clips = set(check.bad["index"]), check.kept(clips)
            kept = [index for index in kept if index not in bad]
        loader = ClipData(self.config, train=clips).train_dataloader()
        chosen = set(self.chosen)
        # By number in what is left, the index in the list.
        wanted = {number: index for number, index in enumerate(kept) if index in chosen}
        epochs = max(self.config.trainer.epochs, self.views.draws)
        found = _first_draws(loader, list(wanted), self.views.draws, epochs)
        self._draws = {wanted[number]: draws for number, draws in found.items()}
        return _TimedDataset(loader)

    def _shown(self, clip: FedClip, index: int) -> tuple[FedClip, list[Strip]]:
        made: list[_Made] = []
        if self.views.transform != "test":
            made += self._train_views(index)
        if self.views.transform != "train":
            made += self._test_views(index)
        excerpt = self._test.dataset.excerpts[index]
        timeline = self.timelines.setdefault(index, check_times(excerpt))
        clip = replace(
            clip,
            views=tuple(view for view, _ in made),
            start_s=timeline.start_s,
            end_s=timeline.end_s,
            remark="the training never draws this clip" if self._draws.get(index) == [] else "",
        )
        if self.views.box is None:
            return clip, [strip for _, strip in made]
        return clip, [_whole(excerpt, self._decoder, self.views.box)]

    def _train_views(self, index: int) -> Iterator[_Made]:
        for number, (epoch, draw) in enumerate(self._draws.get(index, ()), start=1):
            self.timelines[index], times_VT, pixels_VTSS3 = self._train.take(draw)
            num_views = len(times_VT)
            again = " again" if len(draw.seed) > 3 else ""
            for view in range(num_views):
                parts = [f"epoch {epoch + 1}{again}"]
                parts += [f"view {view + 1} of {num_views}"] if num_views > 1 else []
                mark = f"{number}" + (f".{view + 1}" if num_views > 1 else "")
                yield _made("train", parts, mark, times_VT[view], pixels_VTSS3[view])

    def _test_views(self, index: int) -> Iterator[_Made]:
        self.timelines[index], times_VT, pixels_VTSS3 = self._test.take(index)
        evaluation = self.config.evaluation
        for number in range(len(times_VT)):
            view, crop = divmod(number, evaluation.crops)
            parts = [f"view {view + 1} of {evaluation.views}"] if evaluation.views > 1 else []
            parts += [f"crop {crop + 1} of {evaluation.crops}"] if evaluation.crops > 1 else []
            mark = f"T{number + 1}" if len(times_VT) > 1 else "T"
            yield _made("test", parts, mark, times_VT[number], pixels_VTSS3[number])


def _changes(config: TrainConfig) -> str:
    """Return the random changes of a training in words."""
    augment, size = config.data.augment, config.data.size
    if config.trainer.overfit is not None:
        return "as in testing, to overfit"
    least, most = (round(size * scale) for scale in augment.scale)
    sides = f"{least} px" if least == most else f"{least} to {most} px"
    part = f"short side {sides}, {augment.crop} crop"
    if augment.resized_crop:
        part = "random crop of random size and shape"
    names = ("flip", "color_jitter", "rand_augment", "random_erasing")
    return ", ".join([part, *(name.replace("_", " ") for name in names if getattr(augment, name))])


def _made(
    kind: Kind,
    parts: Sequence[str],
    mark: str,
    times_T: NDArray[np.float64],
    pixels: NDArray[np.uint8],
) -> _Made:
    times_s = tuple(times_T.tolist())
    return FedView(kind, ", ".join(parts), mark, times_s), Strip((kind, *parts), times_s, pixels)


def _first_draws(
    loader: "DataLoader[Sample | MediaError]", wanted: Sequence[int], number: int, epochs: int
) -> dict[int, list[tuple[int, Draw]]]:
    """Return the first draws of clips with their epochs; a batch that is left out has none."""
    found: dict[int, list[tuple[int, Draw]]] = {index: [] for index in wanted}
    sampler = cast("EpochSampler", loader.sampler)
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        batches = cast("Iterable[list[Draw]]", loader.batch_sampler)
        for draw in chain.from_iterable(batches):
            if draw.index in found and len(found[draw.index]) < number:
                found[draw.index].append((epoch, draw))
        if all(len(draws) == number for draws in found.values()):
            break
    return found


def _whole(excerpt: Excerpt, decoder: DecoderName, box: tuple[int, int]) -> Strip:
    """Return all frames of a clip, no larger than a box."""
    times: list[float] = []

    def all_frames(timeline: FrameTimes) -> NDArray[np.float64]:
        times.extend(timeline.times_s.tolist())
        return timeline.times_s

    pixels: dict[int, NDArray[np.uint8]] = {}
    for shown in frames_at(excerpt, all_frames, decoder):
        picture = Image.fromarray(shown.pixels)
        picture.thumbnail(box)
        small = np.asarray(picture, dtype=np.uint8)
        pixels |= dict.fromkeys(shown.positions.tolist(), small)
    stacked = np.stack([pixels[frame] for frame in range(len(times))])
    return Strip(("all frames", f"{len(times)} of them"), tuple(times), stacked)
