"""Report: write a page about a data set or about trainings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dogclips import __version__
from dogclips.errors import UsageError
from dogclips.events import Feed, Progress, Result
from dogclips.files import Paths, paths_of, write_whole
from dogclips.lists.session_records import read_records
from dogclips.records.run_folder import RunRecords, is_run, read_run
from dogclips.reports.pages.dataset import dataset_page
from dogclips.reports.pages.runs import run_page
from dogclips.reports.pictures.clip_cards import LabelCards, dataset_cards
from dogclips.reports.pictures.verdict_strips import (
    StripsByRecording,
    number_of_strips,
    strips_of,
)
from dogclips.scores.concerns import Concern, concerns_of
from dogclips.scores.dataset import Dataset, evenly_chosen, read_split_lists
from dogclips.steps.arguments import suffix_of
from dogclips.steps.inputs import read_each

_SESSION_CLIPS, _RUN_CLIPS = 6, 3


@dataclass(frozen=True, eq=False)
class ReportResult(Result):
    """What the page shows."""

    output: Path  #: The page
    dataset: Dataset | None = None  #: Of sessions: all of them
    concerns: tuple[Concern, ...] = ()  #: Of sessions: what is odd about them
    runs: tuple[RunRecords, ...] = ()  #: Of trainings: what their folders hold


def report(
    folders: Paths,
    output: str | Path,
    *,
    split: str | Path | None = None,
    clips_per_label: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> ReportResult:
    """Write an HTML page about a data set, or about one or several trainings.

    Parameters
    ----------
    folders
        Cut sessions, or run folders.
    output
        The page, `.html`.
    split
        Folder of a split: show its balance too. For sessions only.
    clips_per_label
        Number of clips to show for each label; None for 6, or for 3 of each kind of answer of a
        training. 0 reads no recording.
    seed
        Seed for choosing the clips; None for 0. For sessions only.
    progress
        Called with each event.

    Returns
    -------
    result
        A folder that cannot be read is a failure and does not stop the others.

    Raises
    ------
    UsageError
        Sessions and run folders are mixed, arguments do not apply to trainings, or the suffix is
        not .html.
    DogclipsError
        No folder can be read, or the split cannot.
    OutputError
        `output` cannot be written.
    """
    feed, output = Feed(progress), Path(output)
    paths = list(dict.fromkeys(paths_of(folders)))
    suffix_of(output, (".html",))
    trainings = [folder for folder in paths if is_run(folder)]
    if trainings and len(trainings) < len(paths):
        raise UsageError(
            "a run folder among sessions", where=trainings[0], todo="write one page for each kind"
        )
    if not trainings:
        lists = None if split is None else Path(split)
        number = _SESSION_CLIPS if clips_per_label is None else clips_per_label
        return _report_dataset(paths, output, lists, number, seed or 0, feed)
    if split is not None or seed is not None:
        raise UsageError(
            "these options are for sessions only", where="--split, --seed", todo="remove them"
        )
    runs = read_each(paths, read_run, feed, "reading trainings")
    number = _RUN_CLIPS if clips_per_label is None else clips_per_label
    with feed.task("looking at clips") as done:
        page = run_page(runs, number=number, made=_made(), progress=done)
    write_whole(output, page)
    return ReportResult(output, runs=tuple(runs), **feed.kept)


def _report_dataset(
    base_dirs: Sequence[Path], output: Path, lists: Path | None, number: int, seed: int, feed: Feed
) -> ReportResult:
    shares = None if lists is None else read_split_lists(lists)
    sessions = read_each(base_dirs, read_records, feed, "measuring recordings")
    dataset = Dataset.of(sessions)
    concerns = concerns_of(dataset, shares)
    cards: list[LabelCards] = []
    if number:
        chosen = evenly_chosen(dataset, number, seed)
        rows = {row for _, own in chosen.values() for row in own}
        with feed.task("looking at clips", len(rows), "clips") as done:
            cards = dataset_cards(dataset.windows, chosen, done)
    strips = _contradicted(dataset, feed) if number else {}
    page = dataset_page(dataset, concerns, cards, shares, strips=strips, made=_made())
    write_whole(output, page)
    return ReportResult(output, dataset, tuple(concerns), **feed.kept)


def _contradicted(dataset: Dataset, feed: Feed) -> StripsByRecording:
    """Return pictures of a few windows that the pixels contradict."""
    windows = number_of_strips(dataset.sessions)
    if not windows:
        return {}
    with feed.task("looking at contradicted windows", windows, "windows") as done:
        return strips_of(dataset.sessions, done)


def _made() -> str:
    """Return by what and when a page was made."""
    return f"dogclips {__version__}, {datetime.now().astimezone():%Y-%m-%d %H:%M}"
