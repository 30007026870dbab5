"""`dogclips probe`: measure every stream and say how the streams align."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import Json, Player, Reference, Target


def probe(
    paths: Annotated[list[Path], Argument(metavar="PATH...", help="Videos or base dirs.")],
    reference: Reference = "auto",
    target: Target = "best",
    annotated_in: Player = "chrome",
    content: Annotated[
        bool | None,
        Option(
            "--content/--no-content",
            help="Compare the pixels of the streams; default: where timestamps may lie.",
            show_default=False,
        ),
    ] = None,
    deep: Annotated[bool, Option("--deep", help="Decode every frame too.")] = False,
    as_json: Json = False,
    output: Annotated[
        Path | None, Option(metavar="FILE", help="Write the JSON document there as well.")
    ] = None,
) -> None:
    """Measure every stream of recordings: frames, times, rates, gaps, and the offsets between them.

    Example: dogclips probe dog_video/Feb/2_2_kt
    """
    result = dogclips.probe(
        paths,
        reference=reference,
        target=target,
        annotated_in=annotated_in,
        content=content,
        deep=deep,
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
