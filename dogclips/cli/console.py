"""Where output goes: results to stdout, everything else to stderr."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from dogclips.errors import DogclipsError
from dogclips.events import Advanced, Began, Ended, Event, Failed, Result, Warned
from dogclips.files import json_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress

EventT = TypeVar("EventT", bound=Event)


def print_result(*results: "RenderableType") -> None:
    """Print tables to stdout; plain text, unwrapped, when it is not a terminal."""
    console = _console(stderr=False)
    for result in results:
        console.print(result)


def print_document(
    command: str,
    document: Mapping[str, Any],
    result: Result | None = None,
    error: DogclipsError | None = None,
) -> None:
    """Print exactly one JSON document to stdout: what a command found, in its envelope.

    The envelope adds `version`, `command`, `warnings` and, where something failed, `error` (the
    first fault) and `errors`; a key that the document has itself stays.
    """
    failures = [error] if error else list(result.failures if result else ())
    warnings = [vars(warned) for warned in result.warnings] if result else []
    faults = [
        {"code": one.code, "message": one.what, "place": one.where, "todo": one.todo}
        for one in failures
    ]
    head = {"version": 1, "command": command}
    tail = {"error": faults[0], "errors": faults} if faults else {}
    sys.stdout.write(json_text(head | dict(document) | {"warnings": warnings, **document} | tail))


def leave(result: Result) -> None:
    """End with exit code 1 if not everything that was asked for was done."""
    if not result.ok:
        raise typer.Exit(1)


def print_line(text: str) -> None:
    """Print one line of a result as it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_error(text: str, kind: str = "error") -> None:
    """Print one line of an error, or of a warning, to stderr."""
    sys.stderr.write(f"{kind}: {' '.join(text.split())}\n")


class Show:
    """Shows the events of a step: progress bars, warnings and faults on stderr.

    Bars show themselves on a terminal only. A command adds what it shows of events of its own.
    """

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._own: list[tuple[type[Event], Callable[[Any], None]]] = []

    def on(self, kind: type[EventT], show: Callable[[EventT], None]) -> "Show":
        """Call `show` with every event of a kind."""
        self._own.append((kind, show))
        return self

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Warned):
            print_error(str(event), "warning")
        elif isinstance(event, Failed):
            print_error(str(event.error))
        elif isinstance(event, Began) and sys.stderr.isatty():  # else rich would load for nothing
            self._end()
            self._bar = progress_bar(event.unit)
            self._bar.add_task(event.task, total=event.total)
            self._bar.start()
        elif isinstance(event, Advanced) and self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], event.count)
        elif isinstance(event, Ended):
            self._end()
        for kind, show in self._own:
            if isinstance(event, kind):
                show(event)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def progress_bar(unit: str) -> "Progress":
    """Return a progress bar; with a unit it also says how many of them are done in a second."""
    from rich import progress
    from rich.text import Text

    class Speed(progress.ProgressColumn):
        def render(self, task: progress.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f} {unit}/s" if speed else "")

    console = _console(stderr=True)
    return progress.Progress(
        "{task.description}",
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        *([Speed()] if unit else []),
        progress.TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # Off a terminal nobody folds lines for us: a table is as wide as it needs to be.
    width = None if stream.isatty() else 160
    return Console(stderr=stderr, width=width, highlight=False)
