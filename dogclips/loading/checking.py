"""Look at every clip of a list before a training begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd
from torch.utils.data import DataLoader, Dataset

from dogclips.errors import MediaError
from dogclips.lists import ClipList
from dogclips.loading.decoding import check_frames, check_times
from dogclips.loading.excerpts import Excerpt, Source, Timeline, excerpts

# How closely clips are looked at: the times of their packets, every frame, or not at all.
Level = Literal["fast", "full", "none"]

# `place` in the list, from 0; `reason` and `todo` as an error says them.
BAD_COLUMNS = ("place", "path", "reason", "todo")

_AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class Check:
    """What was found.

    Parameters
    ----------
    bad
        Columns of `BAD_COLUMNS`, one row a clip that does not decode, in the order of the list.
    timelines
        When the frames of all other clips are shown, in the order of the list; of none for "none".
    """

    bad: pd.DataFrame
    timelines: tuple[Timeline, ...] = ()

    def error(self) -> MediaError | None:
        """Return what is wrong with the first bad clip, and how many more there are."""
        if not len(self.bad):
            return None
        first, more = self.bad.iloc[0], len(self.bad) - 1
        also = f" (and {more} more clip{'s' if more > 1 else ''})" if more else ""
        todo = f"{first['todo']}, or set data.on_bad_clip to skip"
        return MediaError(f"{first['reason']}{also}", where=first["path"], todo=todo)

    def kept(self, clips: ClipList) -> ClipList:
        """Return the list without the bad clips.

        Raises
        ------
        MediaError
            None would be left.
        """
        bad = set(self.bad["place"])
        left = [clip for place, clip in enumerate(clips.clips) if place not in bad]
        error = self.error()
        if error is not None and not left:
            raise error
        return replace(clips, clips=tuple(left))


def check_clips(
    clips: ClipList,
    level: Level = "fast",
    *,
    source: Source = "clips",
    workers: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> Check:
    """Look at every clip of a list; the result does not depend on the number of processes.

    Parameters
    ----------
    level
        "fast" opens each clip and reads when its frames are shown; "full" decodes them all.
    source
        Where the frames lie; see `excerpts`.
    workers
        Loading processes; 0 for none.
    progress
        Called with the number of clips that have just been looked at.

    Raises
    ------
    ListError
        A clip is not there, or no manifest knows its recording.
    """
    if level == "none":
        return Check(pd.DataFrame(columns=list(BAD_COLUMNS)))
    looked_at = _LookedAt(excerpts((clip.path for clip in clips.clips), source), level)
    loader = DataLoader(
        looked_at,
        batch_size=_AT_ONCE,
        num_workers=min(workers, len(looked_at)),
        collate_fn=list[Timeline | MediaError],
    )
    found: list[Timeline | MediaError] = []
    for part in loader:
        found.extend(part)
        progress(len(part))
    faults = {place: error for place, error in enumerate(found) if isinstance(error, MediaError)}
    rows = [
        (place, str(clips.clips[place].path), error.what, error.todo)
        for place, error in faults.items()
    ]
    bad = pd.DataFrame(rows, columns=list(BAD_COLUMNS))
    return Check(bad, tuple(own for own in found if isinstance(own, Timeline)))


class _LookedAt(Dataset[Timeline | MediaError]):
    """Clips, each as what is found in it."""

    def __init__(self, clips: Sequence[Excerpt], level: Level) -> None:
        self.clips = clips
        self.look = check_frames if level == "full" else check_times

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, place: int) -> Timeline | MediaError:
        try:
            return self.look(self.clips[place])
        except MediaError as error:
            return error
