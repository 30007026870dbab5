"""`dogclips report`: one page from which a person can judge a data set, or trainings."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dogclips.cli.console import print_error, print_line, progress_bar
from dogclips.errors import DogclipsError, UsageError

if TYPE_CHECKING:
    from dogclips.reports.pictures.clip_cards import LabelCards
    from dogclips.scores.dataset import Dataset

Records = TypeVar("Records")

_SESSION_CLIPS, _RUN_CLIPS = 6, 3


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="BASE_DIR|RUN_DIR...", help="Sessions that were cut, or trainings."),
    ],
    output: Annotated[Path, typer.Option(metavar="FILE.html", help="The page to write.")],
    split: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Of sessions: show the balance of this split as well."),
    ] = None,
    clips_per_label: Annotated[
        int | None,
        typer.Option(
            "--clips-per-label",
            min=0,
            help="Clips to show of each label [6; of trainings 3 best and 3 of each fault].",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="Of sessions: draws the clips that are shown [0].", show_default=False
        ),
    ] = None,
) -> None:
    """Write one page that shows what a data set holds, or how trainings went; several side by side.

    Example: dogclips report dog_video/Feb/* --split data/split --output report.html
    """
    folders = list(dict.fromkeys(folders))
    if output.suffix.lower() != ".html":
        raise UsageError(
            f"cannot write {output.suffix or 'a file without suffix'}",
            where="--output",
            todo="name a file that ends in .html",
        )
    if not _are_runs(folders):
        number = _SESSION_CLIPS if clips_per_label is None else clips_per_label
        _report_dataset(folders, output, split, number, seed or 0)
        return
    if split is not None or seed is not None:
        raise UsageError(
            "trainings have lists of their own", where="--split, --seed", todo="drop them"
        )
    _report_runs(folders, output, _RUN_CLIPS if clips_per_label is None else clips_per_label)


def _are_runs(folders: Sequence[Path]) -> bool:
    from dogclips.records.run_folder import is_run

    runs = [folder for folder in folders if is_run(folder)]
    if runs and len(runs) < len(folders):
        raise UsageError(
            "a training among sessions", where=runs[0], todo="make a page of each kind"
        )
    return bool(runs)


def _report_runs(run_dirs: Sequence[Path], output: Path, number: int) -> None:
    from dogclips.records.run_folder import read_run
    from dogclips.reports.pages.runs import run_page

    runs = _read(run_dirs, read_run, "reading trainings")
    with progress_bar("") as progress:
        task = progress.add_task("looking at clips", total=None)
        page = run_page(
            runs, number=number, made=_made(), progress=lambda done: progress.advance(task, done)
        )
    _write(page, output)
    print_line(f"{output}: {len(runs)} training{'' if len(runs) == 1 else 's'}")
    _leave_if_less(runs, run_dirs)


def _report_dataset(
    base_dirs: Sequence[Path], output: Path, split: Path | None, number: int, seed: int
) -> None:
    from dogclips.lists.session_records import read_records
    from dogclips.reports.pages.dataset import dataset_page
    from dogclips.scores.concerns import concerns_of
    from dogclips.scores.dataset import Dataset, read_split_lists
    from dogclips.wording import counted

    shares = None if split is None else read_split_lists(split)
    sessions = _read(base_dirs, read_records, "measuring recordings")
    dataset = Dataset.of(sessions)
    concerns = concerns_of(dataset, shares)
    cards = _cards(dataset, number, seed)
    _write(dataset_page(dataset, concerns, cards, shares, made=_made()), output)
    numbers = counted(len(dataset.windows), "window"), counted(len(dataset.kept), "clip")
    print_line(f"{output}: {', '.join(numbers)}, {counted(len(concerns), 'warning')}")
    _leave_if_less(sessions, base_dirs)


def _read(folders: Sequence[Path], read: Callable[[Path], Records], what: str) -> list[Records]:
    """Return the records of the folders that can be read; the others' faults go to stderr."""
    found, faults = [], []
    with progress_bar("") as progress:
        task = progress.add_task(what, total=len(folders))
        for folder in folders:
            try:
                found.append(read(folder))
            except DogclipsError as error:
                faults.append(error)
            progress.advance(task)
    for fault in faults if found else faults[1:]:
        print_error(str(fault))
    if not found:
        raise faults[0]
    return found


def _leave_if_less(read: Sequence[object], folders: Sequence[Path]) -> None:
    if len(read) < len(folders):
        raise typer.Exit(1)


def _cards(dataset: "Dataset", number: int, seed: int) -> "list[LabelCards]":
    from dogclips.reports.pictures.clip_cards import dataset_cards
    from dogclips.scores.clip_choice import evenly_chosen

    if not number:
        return []
    chosen = evenly_chosen(dataset, number, seed)
    rows = {row for _, own in chosen.values() for row in own}
    with progress_bar("clips") as progress:
        task = progress.add_task("looking at clips", total=len(rows))
        return dataset_cards(dataset.windows, chosen, lambda done: progress.advance(task, done))


def _write(page: bytes, output: Path) -> None:
    from dogclips.files import whole_file

    with whole_file(output) as part:
        part.write_bytes(page)


def _made() -> str:
    """Return by what and when a page was made."""
    from datetime import datetime

    from dogclips import __version__

    return f"dogclips {__version__}, {datetime.now().astimezone():%Y-%m-%d %H:%M}"
