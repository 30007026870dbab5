"""`dogclips report`: a page about a data set, or about trainings."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_line
from dogclips.cli.options import OUTPUT

CONTENTS = "Contents of the page"

EXAMPLES = """
  Look at a cut session and at the balance of its split:
  $ dogclips report Feb/2_2_kt --split split --output report.html

  Look at a training:
  $ dogclips report runs/first --output first.html
"""


def report(
    folders: Annotated[
        list[Path], Argument(metavar="SESSION|RUN", help="Cut sessions, or run folders.")
    ],
    output: Annotated[
        Path, Option(metavar="FILE.html", help="Page to write.", rich_help_panel=OUTPUT)
    ],
    split: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Show the balance of this split too. For sessions only.",
            show_default="none",
            rich_help_panel=CONTENTS,
        ),
    ] = None,
    clips_per_label: Annotated[
        int | None,
        Option(
            "--clips-per-label",
            metavar="N",
            min=0,
            help="Number of clips to show for each label; of a training, for each kind of answer.",
            show_default="6; of a training 3",
            rich_help_panel=CONTENTS,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        Option(
            metavar="N",
            min=0,
            help="Seed for choosing the clips. For sessions only.",
            show_default="0",
            rich_help_panel=CONTENTS,
        ),
    ] = None,
) -> None:
    """Write an HTML page about a data set or about trainings.

    The page needs no network. Several sessions, or several trainings, are shown side by side.
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
