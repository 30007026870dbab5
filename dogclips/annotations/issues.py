"""What is wrong or odd in an annotation file: a code for scripts, a place, a line for people.

An error refuses the file; a warning says what was done instead. `codes.ISSUES` lists all codes.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from dogclips.codes import ISSUES

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Issue:
    """What is wrong with one place of an annotation file."""

    code: str  #: For scripts, a key of `codes.ISSUES`
    #: The object's path in the file, such as `metadata.1_Qh3fXk2A`; empty for the whole file.
    place: str
    text: str  #: What is odd and, for a warning, what was done about it
    level: Severity = "warning"
    todo: str = ""  #: What the user can do


@dataclass
class Issues:
    """Collects all issues of one file, so that they are said at once."""

    found: list[Issue] = field(default_factory=list)

    def warn(self, code: str, place: str, text: str, todo: str = "") -> None:
        """Note something odd that was read anyway."""
        self.found.append(Issue(code, place, text, "warning", todo or _usual_todo(code)))

    def refuse(self, code: str, place: str, text: str, todo: str = "") -> None:
        """Note something that cannot mean anything; the file will be refused."""
        self.found.append(Issue(code, place, text, "error", todo or _usual_todo(code)))

    def has_length(
        self,
        place: str,
        start: float | Fraction,
        end: float | Fraction,
        *,
        empty: str = "zero length",
        digits: str = "",
    ) -> bool:
        """Tell whether a segment in seconds lasts; note what is wrong with it if it does not."""
        if end < start:
            begun, ended = f"{float(start):{digits}} s", f"{float(end):{digits}} s"
            self.refuse("V057", place, f"ends ({ended}) before it starts ({begun})")
        elif end == start:
            self.warn("V058", place, f"{empty}; skipped")
        return end > start


def _usual_todo(code: str) -> str:
    """Return what helps against a code where the place of the issue tells nothing better."""
    todo = ISSUES[code].todo
    return "" if todo == "nothing" else todo


def grouped(issues: Iterable[Issue]) -> list[tuple[Issue, int]]:
    """Return issues that say the same of several places once, with their number, errors first.

    >>> grouped([Issue("V048", "metadata.a", "no label"), Issue("V048", "metadata.b", "no label")])
    [(Issue(code='V048', place='metadata.a', text='no label', level='warning', todo=''), 2)]
    """
    issues = list(issues)
    counts = Counter((issue.level, issue.code, issue.text) for issue in issues)
    first = {(issue.level, issue.code, issue.text): issue for issue in reversed(issues)}
    ranked = sorted(counts, key=lambda key: key[:2])  # "error" < "warning"
    return [(first[key], counts[key]) for key in ranked]
