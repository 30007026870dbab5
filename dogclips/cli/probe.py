"""`dogclips probe`: measure every stream and show how the streams align."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import OUTPUT, Json, Original, Player, Reference, Target

EXAMPLES = """
  Measure all recordings of a session:
  $ dogclips probe Feb/2_2_kt

  Compare the pixels of both streams too, and keep the result:
  $ dogclips probe Feb/2_2_kt/video/020500.mp4 --content --output probe.json
"""


def probe(
    paths: Annotated[
        list[Path], Argument(metavar="PATH", help="Recordings, or sessions with all of theirs.")
    ],
    reference: Reference = "auto",
    target: Target = "best",
    annotated_in: Player = "chrome",
    content: Annotated[
        bool | None,
        Option(
            "--content/--no-content",
            help="Compare the pixels of the streams.",
            show_default="only where timestamps may be wrong",
            rich_help_panel="Measuring",
        ),
    ] = None,
    deep: Annotated[
        bool,
        Option("--deep", help="Count the frames that decode.", rich_help_panel="Measuring"),
    ] = False,
    original: Original = None,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write the JSON document to FILE too.",
            show_default="not written",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Measure the streams of recordings and how they align.

    Shows the frames, times and rate of every stream, gaps in it, and how late one stream starts
    against another.
    """
    result = dogclips.probe(
        paths,
        reference=reference,
        target=target,
        annotated_in=annotated_in,
        content=content,
        deep=deep,
        original=original,
        output=output,
        progress=Show(),
    )
    if as_json:
        from dogclips.clips.probed import probe_document

        print_document("probe", probe_document(result.recordings), result)
    else:
        from dogclips.reports.tables.probe import probe_table

        print_result(*(probe_table(own) for own in result.recordings if own.table is not None))
    leave(result)
