"""Events of a running step, for programs that show its progress.

Every function of the public API takes `progress`, which is called with one of these records after
the other; the functions themselves print nothing. At the end they return a `Result`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias, TypedDict

from dogclips.errors import DogclipsError


class Event:
    """Something that happened; steps have events of their own besides those below."""


@dataclass(frozen=True)
class Began(Event):
    """A task began."""

    task: str  #: What is done, in words
    total: int | None = None  #: How many units there are; None if unknown yet
    unit: str = ""  #: What is counted, such as "clips"; empty if its speed tells nothing


@dataclass(frozen=True)
class Advanced(Event):
    """More units of the task are done."""

    count: int


@dataclass(frozen=True)
class Ended(Event):
    """The task ended, whether or not all of it was done."""


@dataclass(frozen=True)
class Warned(Event):
    """Something is odd, and the step went on."""

    text: str  #: What is odd, on one line
    code: str = ""  #: Of a message with a code, such as P021; else empty
    place: str = ""  #: The file, stream, annotation id or setting; empty where the text names it

    def __str__(self) -> str:
        line = f"{self.code} {self.text}" if self.code else self.text
        return f"{line} ({self.place})" if self.place else line


@dataclass(frozen=True)
class Failed(Event):
    """One of several inputs could not be used; the others go on."""

    error: DogclipsError


Progress: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(Event):
    """What every step returns."""

    warnings: tuple[Warned, ...] = ()  #: Everything odd that was found
    failures: tuple[DogclipsError, ...] = ()  #: Inputs that could not be used

    @property
    def ok(self) -> bool:
        """Return whether everything that was asked for was done."""
        return not self.failures


class _Kept(TypedDict):
    warnings: tuple[Warned, ...]
    failures: tuple[DogclipsError, ...]


class Feed:
    """Passes events on, and keeps the warnings and failures for the result of the step."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self.warnings: list[Warned] = []
        self.failures: list[DogclipsError] = []

    def tell(self, event: Event) -> None:
        """Pass on an event."""
        if self._progress is not None:
            self._progress(event)

    def warn(self, text: str, code: str = "", place: object = "") -> None:
        """Warn of something odd."""
        self.warnings.append(Warned(" ".join(text.split()), code, str(place)))
        self.tell(self.warnings[-1])

    def fail(self, error: DogclipsError) -> None:
        """Report an input that cannot be used."""
        self.failures.append(error)
        self.tell(Failed(error))

    @contextmanager
    def task(
        self, name: str, total: int | None = None, unit: str = ""
    ) -> Iterator[Callable[[int], None]]:
        """Report a task while the block runs; call what is yielded for finished units."""
        self.tell(Began(name, total, unit))
        try:
            yield lambda count: self.tell(Advanced(count))
        finally:
            self.tell(Ended())

    @property
    def kept(self) -> _Kept:
        """Return what the `Result` of the step keeps of them."""
        return {"warnings": tuple(self.warnings), "failures": tuple(self.failures)}
