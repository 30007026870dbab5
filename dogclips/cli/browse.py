"""`dogclips browse`: see what a model is really fed."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_line, print_result
from dogclips.cli.options import ConfigFiles, Json, Overrides, chosen_settings


def browse(
    source: Annotated[Path, Argument(metavar="LIST|RUN_DIR", help="Clips, or a training.")],
    out: Annotated[
        Path, Option(metavar="DIR|FILE", help="A sheet (.png) or video (.mp4); a folder: one each.")
    ],
    names: Annotated[
        list[str] | None, Argument(metavar="[CLIP]...", help="These clips, by name.")
    ] = None,
    clips: Annotated[
        int | None, Option(min=1, help="Draw so many clips evenly.", show_default="8")
    ] = None,
    label: Annotated[str | None, Option(help="Draw among the clips of this label.")] = None,
    seed: Annotated[int, Option(min=0, help="Draws the clips that are shown.")] = 0,
    transform: Annotated[
        Literal["train", "test", "both"], Option(help="Of training, of evaluation, or both.")
    ] = "both",
    draws: Annotated[int, Option(min=1, help="The training's first draws of a clip.")] = 3,
    mode: Annotated[
        Literal["fed", "original"],
        Option(help="What the model gets, or the clip's own frames with marks."),
    ] = "fed",
    video: Annotated[bool, Option("--video", help="A video instead of a sheet.")] = False,
    config: ConfigFiles = None,
    set_: Overrides = None,
    as_json: Json = False,
) -> None:
    """Show the frames that a model is fed, byte by byte, with their times, clips and labels.

    Draws are those of the training's first epochs: frames, crops and colours. Of a run its own
    training list is shown, with --transform test its validation list.

    Example: dogclips browse split/train.txt --config tiny_cpu --out fed.png
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
