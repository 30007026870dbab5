"""`dogclips align`: show how two streams of a recording align, and why to believe it."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import Json, Player, Reference, Target


def align(
    path: Annotated[Path, Argument(metavar="FILE", help="A recording.")],
    reference: Reference = "auto",
    target: Target = "best",
    annotated_in: Player = "chrome",
    trust: Annotated[
        Literal["auto", "timestamps", "frame-count"], Option(help="What to believe.")
    ] = "auto",
    as_json: Json = False,
    output: Annotated[
        Path | None,
        Option(metavar="FILE", help="Write a page (.html) or picture (.png) to look at as well."),
    ] = None,
) -> None:
    """Show how late one stream runs against another, by timestamps, frame counts and pixels.

    Example: dogclips align video/020500.mp4 --output align.html
    """
    result = dogclips.align(
        path,
        reference=reference,
        target=target,
        annotated_in=annotated_in,
        trust=trust,
        output=output,
        progress=Show(),
    )
    if as_json:
        from dogclips.clips.probed import probe_document

        print_document("align", probe_document([result.recording]), result)
    elif result.recording.alignment is not None:
        from dogclips.reports.tables.align import alignment_report

        print_result(alignment_report(result.recording))
    leave(result)
