"""Where output goes: results to stdout, everything else to stderr."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress, ProgressColumn


def print_result(*results: "RenderableType") -> None:
    """Print tables to stdout; plain text, unwrapped, when it is not a terminal."""
    console = _console(stderr=False)
    for result in results:
        console.print(result)


def print_json(document: Any) -> None:
    """Print exactly one JSON document to stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_line(text: str) -> None:
    """Print one line of a result as it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_warning(text: str) -> None:
    """Print one warning line to stderr."""
    sys.stderr.write(f"warning: {' '.join(text.split())}\n")


def print_error(text: str) -> None:
    """Print one error line to stderr."""
    sys.stderr.write(f"error: {' '.join(text.split())}\n")


def is_helper() -> bool:
    """Return whether this is not the first process of a training on several devices."""
    names = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
    return any(os.environ.get(name, "0") != "0" for name in names)


def silence_helpers() -> None:
    """Drop the output of all but the first process of a training on several devices.

    Lightning starts the same command once for each further device, as torchrun and SLURM do.
    """
    if is_helper():
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (until the end)


def progress_bar(unit: str = "") -> "Progress":
    """Return a progress bar on stderr, which shows itself on a terminal only.

    With a unit it also says how many of them are done in a second.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = _console(stderr=True)
    return Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        *([_speed_column(unit)] if unit else []),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _speed_column(unit: str) -> "ProgressColumn":
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f} {unit}/s" if speed else "")

    return Speed()


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # Off a terminal nobody folds lines for us: a table is as wide as it needs to be.
    width = None if stream.isatty() else 160
    return Console(stderr=stderr, width=width, highlight=False)
