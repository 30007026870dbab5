"""Make a pair, align it as `dogclips cut` would, and compare every instant with the truth."""

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

from dogclips.alignment import Alignment, StreamChoice
from dogclips.clips.recordings import align_recording
from dogclips.media.probe import probe_file
from dogclips.timebase import Span
from tests.pairs.cases import SUFFIXES, PairCase, make_pair
from tests.pairs.checks import unanswered, wrong_instants

Answer = Literal["verified", "unverified", "refused"]

_INSTANT_S = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Parameters
    ----------
    answer
        verified: the pixels confirm the map. unverified: timestamps are used, with a warning.
        refused: nothing is cut.
    codes
        Of all messages.
    wrong
        A line for each stretch of instants outside of doubts that is mapped wrongly.
    unanswered
        The share of instants that the target holds and that are in doubt.
    margin
        The mean margin of the believed windows; 0 without any.
    """

    case: PairCase
    answer: Answer
    codes: frozenset[str]
    wrong: tuple[str, ...]
    unanswered: float
    margin: float
    reason: str

    @property
    def is_silent_error(self) -> bool:
        """Return whether a label would land on a wrong frame without a warning."""
        warned = self.answer == "refused" or "P021" in self.codes
        return bool(self.wrong) and not warned


def outcome_of(case: PairCase) -> Outcome:
    """Make a case and align it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"pair{SUFFIXES[case.container]}"
        truth = make_pair(case, path)
        recording = align_recording(
            probe_file(path), StreamChoice(reference=0, target=1), trust="auto", content="always"
        )
    table, alignment = recording.measured
    time_map = alignment.time_map

    @cache
    def to_target(time_s: Fraction) -> Fraction | None:
        if time_map.is_doubtful(Span(time_s, time_s + _INSTANT_S)):
            return None
        return time_map.to_target(time_s)

    reference, target = table.cameras
    content = alignment.content
    margins = [window.margin for window in content.windows if window.accepted] if content else []
    return Outcome(
        case=case,
        answer=_answer(alignment),
        codes=frozenset(message.code for message in recording.messages),
        wrong=tuple(wrong_instants(reference, target, truth, to_target, case)),
        unanswered=unanswered(reference, truth, to_target, case),
        margin=sum(margins) / len(margins) if margins else 0.0,
        reason=content.reason if content else "not looked at",
    )


def _answer(alignment: Alignment) -> Answer:
    if not alignment.trusted:
        return "refused"
    return "verified" if alignment.verified else "unverified"
