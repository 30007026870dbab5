"""`dogclips report`: one page from which a person can judge a data set, or trainings."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_line


def report(
    folders: Annotated[
        list[Path],
        Argument(metavar="BASE_DIR|RUN_DIR...", help="Sessions that were cut, or trainings."),
    ],
    output: Annotated[Path, Option(metavar="FILE.html", help="The page to write.")],
    split: Annotated[
        Path | None,
        Option(metavar="DIR", help="Of sessions: show the balance of this split as well."),
    ] = None,
    clips_per_label: Annotated[
        int | None,
        Option(
            "--clips-per-label",
            min=0,
            help="Clips to show of each label [6; of trainings 3 best and 3 of each fault].",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        Option(min=0, help="Of sessions: draws the clips that are shown [0].", show_default=False),
    ] = None,
) -> None:
    """Write one page that shows what a data set holds, or how trainings went; several side by side.

    Example: dogclips report dog_video/Feb/* --split data/split --output report.html
    """
    from dogclips.wording import counted

    result = dogclips.report(
        folders, output, split=split, clips_per_label=clips_per_label, seed=seed, progress=Show()
    )
    found = [counted(len(result.runs), "training")]
    if result.dataset is not None:
        kinds = {"window": result.dataset.windows, "clip": result.dataset.kept}
        found = [counted(len(rows), noun) for noun, rows in kinds.items()]
        found.append(counted(len(result.concerns), "warning"))
    print_line(f"{output}: {', '.join(found)}")
    leave(result)
