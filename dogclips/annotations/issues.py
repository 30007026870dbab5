"""What is wrong or odd in an annotation file: a code for scripts, a place, a line for people.

An error refuses the file; a warning says what was done instead.

========= ======= =========================================================================
code      level   meaning
========= ======= =========================================================================
V001      error   cut off, not JSON (XML, text), or of the wrong shape altogether
V002      error   a key stands twice in one object
V003      error   an export that lacks what a project has: VIA CSV, WebVTT
V004      error   a VIA 1 or VIA 2 project, a COCO or CVAT file of images: no time
V005      both    keys or columns that every file of its kind has are missing; unknown ones
V006      warning a newer version of the format
V007      error   no format that we know
V010      both    a value of the wrong type, or none of the allowed ones
V020-V022 error   a view, or the file of a view or observation, that is not defined; none at all
V023      warning a view that the application hides
V024      warning a file whose id is not its key
V025      warning a file without type; inferred from its name
V026      warning two files of the same base name
V030 V034 error   an anchor that does not exist; no attribute for temporal segments
V031 V032 warning two attributes of one name; two options of one name
V033      error   values of an attribute that cannot have any (IMAGE)
V040      error   an answer to a question that is not defined
V041      warning an answer that is null
V042 V043 error   an answer that is no text; an option without a name
V044      warning a label where its option id is expected; mapped
V045      both    text that is no option: a warning; a number that is none: an error
V046      warning a placeholder of the application instead of a label
V047      warning the same segment twice; read once
V048      warning a segment without a label; skipped
V050      error   an annotation of a view that does not exist
V051      warning a time written as text
V052 V053 error   a time that is no number; one before the video's start
V054 V055 warning a region over a range, a point in time: skipped, or read as a point
V056 V057 error   more than two times; an end before its start
V058      warning a segment of no length; skipped
V059 V061 error   segments of a view with several files; of a sound or a picture
V060      error   a shape that does not exist
V070      error   a state that starts and never stops
V071      error   one option id with two meanings in the files of one dataset
V073      warning a gap that only the program's rounding made; closed
V074      warning a time that rests on a guess of the program, or on its own measuring
V075      warning annotations of something else than the recording shown; skipped
V080      both    segments run past the end of the recording; an error for frames
V081 V082 error   no recording, or more than one, of that name
V083      warning segments of exactly 1.000 s: made by a key press and never adjusted
V084      both    made for more or fewer frames than the recording has
V085      warning a recording that several annotation files name
V086      error   the recording itself cannot be used
========= ======= =========================================================================
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Issue:
    """What is wrong with one place of an annotation file."""

    code: str  #: For scripts, from the table above
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
        """Note something odd that was read all the same."""
        self.found.append(Issue(code, place, text, "warning", todo))

    def refuse(self, code: str, place: str, text: str, todo: str = "") -> None:
        """Note something that cannot mean anything; the file will be refused."""
        self.found.append(Issue(code, place, text, "error", todo))

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
