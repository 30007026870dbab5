"""Numbers, names and lengths of time in words."""

import os
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "clip"), counted(1200, "clip")
    ('1 clip', '1,200 clips')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, longest: int = 28) -> str:
    """Return a text, shortened to `longest` letters.

    >>> shortened("chews on the sofa", 9)
    'chews on…'
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def clock(seconds: Fraction | float, *, tenths: bool = True) -> str:
    """Return a time as players show it.

    >>> clock(Fraction(599, 10)), clock(Fraction(7325)), clock(1200, tenths=False)
    ('0:00:59.9', '2:02:05.0', '0:20:00')
    """
    whole, tenth = divmod(int(seconds * 10), 10)
    shown = f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{shown}.{tenth}" if tenths else shown


def rate_text(rate: Fraction | float | None, *, variable: bool) -> str:
    """Return frames per second, after a tilde if that is a mean; empty if unknown.

    >>> rate_text(Fraction(30000, 1001), variable=False), rate_text(25.0, variable=True)
    ('29.97', '~25')
    """
    if rate is None:
        return ""
    return "~" * variable + f"{float(rate):.3f}".rstrip("0").rstrip(".")


def late_start(offset_s: Fraction | float, offset_frames: int) -> str:
    """Return how late a stream starts against another.

    >>> late_start(0.7, 7), late_start(-0.1, -1), late_start(0, 0)
    ('starts 0.700 s (7 frames) late', 'starts 0.100 s (1 frame) early', 'starts together')
    """
    if not offset_s:
        return "starts together"
    size = seconds_and_frames(offset_s, offset_frames)
    return f"starts {size} {'late' if offset_s > 0 else 'early'}"


def seconds_and_frames(seconds: Fraction | float, frames: int) -> str:
    """Return how long something lasts, whatever its sign.

    >>> seconds_and_frames(Fraction(-7, 10), -7)
    '0.700 s (7 frames)'
    """
    return f"{abs(float(seconds)):.3f} s ({counted(abs(frames), 'frame')})"


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """Return the last part of each path, or as many parts as it takes to tell them apart.

    >>> distinct_names([Path("/dogs/Feb/rex"), Path("/dogs/Mar/rex")])
    ['Feb/rex', 'Mar/rex']
    """
    parts = [Path(os.path.abspath(folder)).parts for folder in folders]  # noqa: PTH100 (no `..`)
    for depth in range(1, max(map(len, parts))):
        names = ["/".join(own[-depth:]) for own in parts]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]


def one_spelling(text: str) -> str:
    """Return a name as all programs should write it: composed (NFC), with single spaces.

    macOS takes accents apart, and people type two spaces or a tab: readers see neither.

    >>> one_spelling("lie  down "), len(one_spelling("e\u0301"))
    ('lie down', 1)
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
