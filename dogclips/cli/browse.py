"""`dogclips browse`: show what a model is fed."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_line, print_result
from dogclips.cli.options import OUTPUT, ConfigFiles, Json, Overrides, chosen_settings

CHOICE = "Which clips"
VIEWS = "Which views"

EXAMPLES = """
  See frames, crops and colours of 8 clips before a training:
  $ dogclips browse split/train.txt --config tiny_cpu --out fed.png

  See two clips of a training as whole frames, each on a sheet of its own:
  $ dogclips browse runs/first --clips 2 --mode original --out seen
"""


def browse(
    source: Annotated[Path, Argument(metavar="LIST|RUN", help="List of clips, or a run folder.")],
    out: Annotated[
        Path,
        Option(
            metavar="FILE|DIR",
            help="Sheet (.png) or video (.mp4) of all clips; or a folder for one file per clip.",
            rich_help_panel=OUTPUT,
        ),
    ],
    names: Annotated[
        list[str] | None,
        Argument(metavar="CLIP", help="Names of clips to show.", show_default="drawn evenly"),
    ] = None,
    clips: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="Number of clips to draw.",
            show_default="8",
            rich_help_panel=CHOICE,
        ),
    ] = None,
    label: Annotated[
        str | None,
        Option(
            metavar="LABEL",
            help="Draw only clips with this label.",
            show_default="all labels",
            rich_help_panel=CHOICE,
        ),
    ] = None,
    seed: Annotated[
        int, Option(metavar="N", min=0, help="Seed for drawing clips.", rich_help_panel=CHOICE)
    ] = 0,
    transform: Annotated[
        Literal["train", "test", "both"],
        Option(help="Show the views of training, of evaluation, or both.", rich_help_panel=VIEWS),
    ] = "both",
    draws: Annotated[
        int,
        Option(
            metavar="N",
            min=1,
            help="Number of training views per clip, those of the first epochs.",
            rich_help_panel=VIEWS,
        ),
    ] = 3,
    mode: Annotated[
        Literal["fed", "original"],
        Option(
            help="Show what the model gets, or whole frames with the crops marked.",
            rich_help_panel=VIEWS,
        ),
    ] = "fed",
    config: ConfigFiles = None,
    set_: Overrides = None,
    video: Annotated[
        bool, Option("--video", help="Write videos, not sheets.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the frames that a model is fed, with their times.

    Frames, crops and colours are exactly those of the training. Of a run folder the training list
    is shown; with --transform test, its validation list.
    """
    from dogclips.reports.tables.browse import fed_document, fed_table

    result = dogclips.browse(
        source,
        out,
        names or (),
        clips=clips,
        label=label,
        seed=seed,
        transform=transform,
        draws=draws,
        mode=mode,
        video=video,
        settings=chosen_settings(config, set_, {}),
        progress=Show(),
    )
    if as_json:
        found = {"list": str(result.list_path), "mode": mode, "clips": fed_document(result.clips)}
        document = found | {"outputs": [str(path) for path in result.files]}
        print_document("browse", document, result)
    else:
        print_result(fed_table(result.clips, result.title[1]))
        for path in result.files:
            print_line(str(path))
    leave(result)
