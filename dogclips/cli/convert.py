"""`dogclips convert`: annotations of any format that we read become a VIA project or a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_line
from dogclips.cli.options import Json

if TYPE_CHECKING:
    from dogclips.steps.convert import ConvertResult


def convert(
    source: Annotated[Path, Argument(metavar="IN", help="Annotations of any known format.")],
    out: Annotated[Path, Argument(metavar="OUT", help="File to write.")],
    to: Annotated[Literal["via", "csv", "boris-csv"], Option("--to", help="What to write.")],
    videos: Annotated[
        Path | None, Option(metavar="DIR", help="Recordings, where annotations count frames.")
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace OUT.")] = False,
    as_json: Json = False,
) -> None:
    """Write annotations in another format, and say what that format has no place for.

    Example: dogclips convert walk.boris walk.json --to via
    """
    result = dogclips.convert(source, out, to=to, videos=videos, force=force, progress=Show())
    if as_json:
        print_document("convert", _document(result), result)
    elif result.ok:
        labels = "label" if result.written == 1 else "labels"
        lost = ", ".join(f"{name} ({number})" for name, number in result.left_out.items())
        no_place = f"; left out, as {to} has no place for them: {lost}" if lost else ""
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
