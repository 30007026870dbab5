"""`dogclips align`: show how two streams of a recording align, and why to believe it."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import OUTPUT, STREAMS, Json, Original, Player, Reference, Target

EXAMPLES = """
  Show how late the second stream starts, and how sure that is:
  $ dogclips align Feb/2_2_kt/video/020500.mp4

  Show how a small copy and the file that it was made from align:
  $ dogclips align yard_proxy.mp4 --original yard.mp4

  Put frames of both streams side by side, before and after the correction:
  $ dogclips align Feb/2_2_kt/video/020500.mp4 --output align.html
"""


def align(
    path: Annotated[Path, Argument(metavar="RECORDING", help="Recording with two video streams.")],
    reference: Reference = "auto",
    target: Target = "best",
    annotated_in: Player = "chrome",
    trust: Annotated[
        Literal["auto", "timestamps", "frame-count"],
        Option(
            help="What to believe: auto weighs timestamps, frame counts and pixels.",
            rich_help_panel=STREAMS,
        ),
    ] = "auto",
    original: Original = None,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write a page (.html) or a picture (.png) of both streams.",
            show_default="not written",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Show how late one stream of a recording starts, with the evidence.

    Compares timestamps, frame counts and pixels. Exits with 1 if the streams cannot be aligned.
    """
    result = dogclips.align(
        path,
        reference=reference,
        target=target,
        annotated_in=annotated_in,
        trust=trust,
        original=original,
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
