"""`dogclips repair`: copy a recording with a time for each frame."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_line
from dogclips.cli.options import OUTPUT, Json

if TYPE_CHECKING:
    from dogclips.steps.repair import RepairResult

EXAMPLES = """
  Give each frame of an AVI a time of its own:
  $ dogclips repair camera.avi --out camera.mp4

  See what was repaired as JSON:
  $ dogclips repair camera.avi --out camera.mkv --json
"""


def repair(
    source: Annotated[Path, Argument(metavar="FILE", help="Recording; it is never changed.")],
    out: Annotated[
        Path,
        Option(
            "--out",
            metavar="FILE",
            help="Copy to write; its name ends in .mp4, .m4v, .mov or .mkv.",
            rich_help_panel=OUTPUT,
        ),
    ],
    force: Annotated[
        bool, Option("--force", help="Replace the copy if it exists.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Json = False,
) -> None:
    """Repair the times of a recording in a copy of it.

    Nothing is encoded again. Says what was changed, and whether annotation times still hold.
    """
    result = dogclips.repair(source, out, force=force, progress=Show())
    if as_json:
        print_document("repair", _document(result), result)
    else:
        for line in _lines(result):
            print_line(line)
    leave(result)


def _lines(result: "RepairResult") -> list[str]:
    from dogclips.timebase import shown

    if not result.written:
        return [f"{result.source}: nothing to repair, so nothing is written"]
    lines = [f"{change.code} stream {change.stream}: {change.text}" for change in result.changes]
    if result.restarts:
        at_s = shown(result.restarts[0].at_s)
        lines.append(f"annotation times hold up to {at_s} s; annotate what comes after it again")
    moved = {player: own for player, own in result.add_s.items() if own}
    if moved:
        those = ", ".join(f"{float(own):+.3f} s in {player}" for player, own in moved.items())
        lines.append(f"annotation times move with the player's zero: add {those}")
    if result.times_hold:
        lines.append("annotation times hold")
    return [*lines, f"{result.output}: written and verified"]


def _document(result: "RepairResult") -> dict[str, Any]:
    first_s = float(result.restarts[0].at_s) if result.restarts else None
    return {
        "input": str(result.source),
        "output": str(result.output),
        "written": result.written,
        "changes": [vars(change) for change in result.changes],
        "annotation_times": {
            "hold": result.times_hold,
            "until_s": first_s,
            "add_s": {player: float(own) for player, own in result.add_s.items()},
        },
    }
