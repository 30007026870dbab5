"""Repair: copy a recording so that every reader sees the frames that `cut` takes from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from dogclips.alignment import AnnotatedIn, shown_in, zero_of
from dogclips.errors import MediaError
from dogclips.events import Feed, Progress, Result
from dogclips.media.repairing import SUFFIXES, Change, Restart, plan_repair, write_repaired
from dogclips.steps.arguments import check_replaced, suffix_of
from dogclips.streams import StreamTable

_PLAYERS: tuple[AnnotatedIn, ...] = ("chrome", "firefox", "mpv")
_LEAST_S = Fraction(1, 2000)  # half of what annotation programs round to


@dataclass(frozen=True, eq=False)
class RepairResult(Result):
    """What was repaired, and what that means for annotations of the original."""

    source: Path
    output: Path
    changes: tuple[Change, ...]  #: Empty where there is nothing to repair; then nothing is written
    #: Where clocks restarted: annotation times after the first one mean another moment in the copy.
    restarts: tuple[Restart, ...] = ()
    #: What has to be added to annotation times in the copy, in seconds, by player; 0 for most.
    add_s: Mapping[AnnotatedIn, Fraction] = field(default_factory=dict)

    @property
    def written(self) -> bool:
        """Return whether a copy was written."""
        return bool(self.changes)

    @property
    def times_hold(self) -> bool:
        """Return whether all annotation times hold in every player."""
        return not self.restarts and not any(self.add_s.values())


def repair(
    source: str | Path,
    out: str | Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> RepairResult:
    """Copy a recording with a time for each frame, without encoding anything again.

    Times that are missing or belong to other frames, fields in packets of their own, and clocks
    that restart are repaired. The copy is verified: it has the frames of the original, each at its
    time. The original is never touched.

    Parameters
    ----------
    source
        A recording.
    out
        The copy; its name ends in .mp4, .m4v, .mov or .mkv. Matroska rounds times to milliseconds.
    force
        Replace `out`.
    progress
        Called with each event.

    Returns
    -------
    result
        What was changed, and whether annotation times still hold. What the copy still has that is
        odd is a warning.

    Raises
    ------
    UsageError, OutputError
        `out` has another suffix, exists, is the input, or cannot be written or hold the streams.
    MediaError
        The recording cannot be read, or a copy would show other frames.
    """
    feed, source, out = Feed(progress), Path(source), Path(out)
    suffix_of(out, SUFFIXES, option="--out")
    check_replaced(source, out, force=force)
    plan = plan_repair(source)
    if not plan.table.cameras:
        raise MediaError("no video stream with frames", where=source, todo="name a recording")
    if not plan.changes:
        return RepairResult(source, out, (), **feed.kept)
    made = write_repaired(plan, out)
    for message in made.messages:
        if message.level == "warning":
            feed.warn(message.text, message.code, out)
    add_s = {player: _add_s(player, plan.table, made) for player in _PLAYERS}
    return RepairResult(source, out, plan.changes, plan.restarts, add_s, **feed.kept)


def _add_s(player: AnnotatedIn, old: StreamTable, new: StreamTable) -> Fraction:
    """Return what has to be added to annotation times because a player's zero is another one."""
    zeros_s = []
    for table in (old, new):
        shown = next(own for own in table.cameras if own.index == shown_in(table)[player])
        zeros_s.append(zero_of(player, shown, table))
    moved_s = zeros_s[0] - zeros_s[1]
    return moved_s if abs(moved_s) >= _LEAST_S else Fraction(0)
