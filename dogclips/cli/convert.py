"""`dogclips convert`: turn an annotation file into a VIA project or a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_line
from dogclips.cli.options import OUTPUT, Json

if TYPE_CHECKING:
    from dogclips.steps.convert import ConvertResult

EXAMPLES = """
  Open a BORIS project in VIA 3:
  $ dogclips convert walk.boris walk.json --to via

  Write a VIA project as a table with one row per segment:
  $ dogclips convert Feb/2_2_kt/via/0205.json segments.csv --to csv
"""


def convert(
    source: Annotated[
        Path, Argument(metavar="IN", help="Annotation file in any format that dogclips reads.")
    ],
    out: Annotated[Path, Argument(metavar="OUT", help="File to write.")],
    to: Annotated[
        Literal["via", "csv", "boris-csv"],
        Option(
            "--to",
            help="Format of OUT: a VIA 3 project, a plain table, or a table as BORIS exports it.",
            rich_help_panel=OUTPUT,
        ),
    ],
    videos: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Folder of the recordings. Needed for formats that count frames.",
            show_default="none",
            rich_help_panel="Recordings",
        ),
    ] = None,
    force: Annotated[
        bool, Option("--force", help="Replace OUT if it exists.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Json = False,
) -> None:
    """Convert an annotation file to VIA 3, CSV or BORIS.

    Lists what the new format cannot hold.
    """
    result = dogclips.convert(source, out, to=to, videos=videos, force=force, progress=Show())
    if as_json:
        print_document("convert", _document(result), result)
    elif result.ok:
        labels = "label" if result.written == 1 else "labels"
        lost = ", ".join(f"{name} ({number})" for name, number in result.left_out.items())
        no_place = f"; skipped, because {to} cannot hold them: {lost}" if lost else ""
        print_line(f"{result.output}: {result.written} {labels} written{no_place}")
    leave(result)


def _document(result: "ConvertResult") -> dict[str, Any]:
    from dogclips.annotations import grouped

    return {
        "input": str(result.project.path),
        "format": result.project.format,
        "output": str(result.output),
        "to": result.to,
        "written": result.written,
        "left_out": dict(result.left_out),
        "warnings": [
            {"code": issue.code, "place": issue.place, "text": issue.text, "times": number}
            for issue, number in grouped(result.project.issues)
            if issue.level == "warning"
        ],
    }
