"""Which clips are wanted, by what the pixels say of each."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import get_args

import pandas as pd

from dogclips.alignment import Verdict
from dogclips.errors import ListError, UsageError
from dogclips.lists.listfile import ClipList
from dogclips.records.manifest import ManifestIndex

ALL_VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
WANTED: tuple[Verdict, ...] = ("confirmed", "still", "not-compared")

# One row a clip that is left out.
LEFT_OUT_COLUMNS = ("path", "verdict", "reason")


def verdict_of(stored: str) -> str:
    """Return the verdict of a clip; where a manifest is missing or old, it was not compared."""
    return stored or "not-compared"


def reason_of(verdict: str) -> str:
    """Return why a clip is left out.

    >>> reason_of("contradicted")
    'its verdict is contradicted'
    """
    return f"its verdict is {verdict}"


def checked_verdicts(given: Iterable[str], option: str) -> tuple[Verdict, ...]:
    """Return verdicts in their usual order; refuse words that are none."""
    words = list(given)
    for word in words:
        if word not in ALL_VERDICTS:
            todo = f"use {', '.join(ALL_VERDICTS)}"
            raise UsageError(f"{word!r} is not a verdict", where=option, todo=todo)
    if not words:
        raise UsageError("no verdict is named", where=option, todo="name at least one")
    return tuple(verdict for verdict in ALL_VERDICTS if verdict in words)


def by_verdict(
    clips: pd.DataFrame, wanted: Collection[str], option: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part clips of `sessions.CLIP_COLUMNS` into those that are wanted and the others.

    The others have `LEFT_OUT_COLUMNS`. Where no clip is wanted, that is a ListError.
    """
    keep = clips["verdict"].isin(list(wanted))
    kept, others = clips[keep].reset_index(drop=True), clips.loc[~keep, ["path", "verdict"]]
    if len(clips) and not len(kept):
        counts = others["verdict"].value_counts()
        found = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
        raise ListError(f"no clip is left: {found}", where=option, todo="ask for other verdicts")
    reasons = others["verdict"].map(reason_of).astype("str")
    return kept, others.assign(reason=reasons).reset_index(drop=True)


def listed_by_verdict(
    clips: ClipList, wanted: Collection[str], option: str
) -> tuple[ClipList, dict[str, str]]:
    """Return a list without the clips of other verdicts, and why each of these is left out.

    Manifests tell the verdicts. Where no clip is left, that is a ListError.
    """
    index, left_out = ManifestIndex(), dict[str, str]()
    for clip in clips.clips:
        row = index.find(clip.path)
        verdict = verdict_of("" if row is None else row["verdict"])
        if verdict not in wanted:
            left_out[str(clip.path)] = reason_of(verdict)
    kept = tuple(clip for clip in clips.clips if str(clip.path) not in left_out)
    if not kept:
        [reason, *_] = left_out.values()
        what = f"no clip is left: of the first one {reason}"
        raise ListError(what, where=clips.path, todo=f"change {option}")
    return replace(clips, clips=kept) if left_out else clips, left_out
