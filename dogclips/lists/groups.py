"""Which clips belong together and must not part: those of a recording, a session, a subject."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from dogclips.errors import UsageError
from dogclips.lists.sessions import CLIP_COLUMNS

PLACES = ("recording", "project", "session")  # columns that hold paths
SUBJECT = "subject"
NONE = "none"


@dataclass(frozen=True)
class Grouping:
    """Clips in groups.

    `names` is the group of each clip; `strays` counts clips without a value of their own, which
    stay with their recording. `ties` says what holds clips together, one row a reason: the index
    of the `clip`, the `kind` (`recording`, `subject`, a column), the `name` of that kind, and the
    `group`. A group of subjects that were seen together has ties for each of them.
    """

    by: str
    names: pd.Series
    ties: pd.DataFrame
    strays: int


def grouping_names(clips: pd.DataFrame) -> list[str]:
    """Return all that clips can be grouped by, attributes such as `file:camera` included."""
    return [*PLACES, SUBJECT, NONE, *(str(name) for name in clips if name not in CLIP_COLUMNS)]


def group_clips(clips: pd.DataFrame, by: str = "recording") -> Grouping:
    """Group clips by recording, project, session, subject, none, or a column of their table.

    A clip may show several subjects: clips that share any of them are one group, and so are those
    that share one with those. A clip without a subject, or with an empty cell in the column, stays
    with its recording: in the group of the recording's other clips where they are all in one, else
    in one of its own.
    """
    if by not in grouping_names(clips):
        raise UsageError(
            f"no {by!r} to group by", where="--group-by", todo=", ".join(grouping_names(clips))
        )
    if by == NONE:
        nothing = pd.DataFrame(columns=["clip", "kind", "name", "group"])
        return Grouping(by, clips["path"].astype("object"), nothing, 0)
    if by in PLACES:
        return _grouping(by, clips[by].astype("object"), _ties(clips.index, by, clips[by]), 0)
    if by == SUBJECT:
        own = clips["subjects"].explode().dropna()
        first = _first_of_connected(clips["subjects"])
        found = [first[names[0]] if names else "" for names in clips["subjects"]]
        values = pd.Series(found, clips.index, dtype="object")
    else:
        values = clips[by].fillna("").astype(str)
        own = values[values != ""]
    strays = clips.loc[values == "", "recording"]
    ties = [_ties(own.index, by, own), _ties(strays.index, "recording", strays)]
    names = values.mask(values == "", _group_of_recording(clips["recording"], values))
    return _grouping(by, names, pd.concat(ties, ignore_index=True), len(strays))


def _grouping(by: str, names: pd.Series, ties: pd.DataFrame, strays: int) -> Grouping:
    ties["group"] = names.loc[ties["clip"]].to_numpy()
    return Grouping(by, names.rename("group"), ties, strays)


def _ties(clips: pd.Index, kind: str, names: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"clip": clips, "kind": kind, "name": names.to_numpy()})


def _group_of_recording(recordings: pd.Series, values: pd.Series) -> pd.Series:
    """Return for each clip the only value of its recording's clips, else the recording."""
    found: dict[str, set[str]] = {}
    for recording, value in zip(recordings, values, strict=True):
        found.setdefault(recording, set()).update([value] if value else [])
    only = {name: next(iter(own)) if len(own) == 1 else name for name, own in found.items()}
    return pd.Series([only[name] for name in recordings], recordings.index, dtype="object")


def _first_of_connected(subjects: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return for each subject the first, by name, of all that share clips, directly or not."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for names in dict.fromkeys(tuple(names) for names in subjects):
        for name in names:
            first, other = sorted((root(names[0]), root(name)))
            parent[other] = first
    return {name: root(name) for name in parent}
