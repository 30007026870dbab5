"""Browse: show what a model is fed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dogclips.clips.names import safe_stems
from dogclips.config import Settings
from dogclips.errors import UsageError
from dogclips.events import Feed, Progress, Result
from dogclips.lists import ClipList
from dogclips.lists.choice import drawn_clips, named_clips
from dogclips.records.fed import FedClip
from dogclips.records.settings import write_settings
from dogclips.reports.pictures.fed_pictures import ClipStrips, clip_block, write_clips, write_sheet
from dogclips.training.browsing import Browser, ShownViews, Transform, browsing_of
from dogclips.training.config import TrainConfig

BROWSED = "browse.yaml"
_CLIPS = 8
_SMALL, _LARGE = (192, 176), (640, 360)  # a clip's own frames on a sheet, and in a video


@dataclass(frozen=True, eq=False)
class BrowseResult(Result):
    """The clips that were looked at."""

    list_path: Path  #: The list that they are of
    clips: tuple[FedClip, ...]  #: Each with its views and their times, or why it cannot be read
    title: tuple[str, ...]  #: What is shown of them, a line each
    files: tuple[Path, ...]  #: The sheets or videos

    @property
    def ok(self) -> bool:
        """Return whether every clip could be read."""
        return super().ok and not any(clip.fault for clip in self.clips)


def browse(
    source: str | Path,
    out: str | Path,
    names: Sequence[str] = (),
    *,
    clips: int | None = None,
    label: str | None = None,
    seed: int = 0,
    transform: Transform = "both",
    draws: int = 3,
    mode: Literal["fed", "original"] = "fed",
    video: bool = False,
    settings: Settings[TrainConfig] = None,
    progress: Progress | None = None,
) -> BrowseResult:
    """Show the frames that a model is fed, with their times, clips and labels.

    Frames, crops and colours are exactly those of the first epochs of the training.

    Parameters
    ----------
    source
        A list, or a run folder. Of a run folder the training list is shown by its own settings;
        with `transform` "test", its validation list.
    out
        A sheet (.png) or a video (.mp4) of all clips; or a folder for one file per clip and the
        settings, `browse.yaml`.
    names
        Clips to show, as listed, or by file name with or without suffix.
    clips, label, seed
        Without names: number of clips to draw (8), their label, and the seed.
    transform
        Show the views of training, of evaluation, or both.
    draws
        Number of training views per clip.
    mode
        Show what the model gets, or whole frames with the crops marked.
    video
        Write a video, not a sheet.
    settings
        As for `train`; for a run folder they change its own.
    progress
        Called with each event.

    Returns
    -------
    result
        The clips that were drawn, with their views, and the files. A clip that cannot be read is
        named with its fault; it stops no other.

    Raises
    ------
    UsageError
        Arguments conflict, a clip or label is unknown, or a clip of the list would be
        overwritten.
    ConfigError, ListError
        The settings or the list are wrong.
    MediaError, OutputError
        No clip decodes; a file cannot be written.
    """
    feed, out = Feed(progress), Path(out)
    if names and (clips is not None or label is not None):
        raise UsageError(
            "clips are either named or drawn",
            where="--clips, --label",
            todo="use names, or these options",
        )
    video = _is_video(out, video)
    box = None if mode == "fed" else _LARGE if video else _SMALL
    views = ShownViews(transform, draws, box)
    browsing = browsing_of(Path(source), settings, transform)
    if names:
        chosen = named_clips(browsing.clips, names)
    else:
        chosen = drawn_clips(browsing.clips, clips or _CLIPS, label, seed)
    files = _files(out, browsing.clips, chosen, suffix=".mp4" if video else ".png")
    browser = Browser(browsing, chosen, views)
    with feed.task("looking at clips", len(chosen), "clips") as done:
        shown = browser.shown(done)
        if _is_file(out):
            _write(out, shown, browser, len(chosen), video=video)
        else:
            for path, one in zip(list(files), shown, strict=True):
                if one[0].fault:
                    files.remove(path)
                else:
                    _write(path, [one], browser, 1, video=video)
            write_settings(browsing.config, out, BROWSED)
    for text in filter(None, (*browsing.warnings, browser.warning())):
        feed.warn(text)
    clips_seen, title = tuple(browser.seen), tuple(browser.title(len(chosen)))
    return BrowseResult(browsing.clips.path, clips_seen, title, tuple(files), **feed.kept)


def _is_file(out: Path) -> bool:
    return bool(out.suffix) and not out.is_dir()


def _is_video(out: Path, wanted: bool) -> bool:
    """Return whether a video is asked for, by the name of a file or by the option."""
    suffix = out.suffix.lower()
    if not _is_file(out) or (suffix == ".png" and not wanted) or suffix == ".mp4":
        return wanted or suffix == ".mp4"
    raise UsageError(
        f"cannot write {suffix}{' with --video' if wanted else ''}",
        where="--out",
        todo="name a file that ends in .png, or in .mp4 for a video, or a folder",
    )


def _files(out: Path, listed: ClipList, chosen: Sequence[int], suffix: str) -> list[Path]:
    """Return one file for all clips, or one in a folder for each; none may replace a clip."""
    clips = [clip.path for clip in listed.clips]
    stems = safe_stems(clips[index] for index in chosen)
    files = [out] if _is_file(out) else [out / f"{stem}{suffix}" for stem in stems]
    read = {path.resolve() for path in clips}
    for file in files:
        if file.resolve() in read:
            raise UsageError(
                "this file is an input clip", where=file, todo="write to another folder"
            )
    return files


def _write(
    path: Path, shown: Iterable[ClipStrips], browser: Browser, number: int, *, video: bool
) -> None:
    """Write a number of clips to one file."""
    if video:
        write_clips(path, shown, browser.layout)
    else:
        marked = browser.views.box is not None
        blocks = (clip_block(clip, strips, marked=marked) for clip, strips in shown)
        write_sheet(path, blocks, browser.title(number))
