"""Look at every clip of a list before a training begins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from dogclips.errors import MediaError
from dogclips.lists import ClipList
from dogclips.loading.excerpts import FramesFrom, excerpts
from dogclips.media.decoding import check_frames, check_times
from dogclips.media.excerpt import FrameTimes
from dogclips.processes import of_each

# How closely clips are looked at: the times of their packets, every frame, or not at all.
CheckLevel = Literal["fast", "full", "none"]

# `index` in the list, from 0; `reason` and `todo` as an error says them.
BAD_COLUMNS = ("index", "path", "reason", "todo")


@dataclass(frozen=True, eq=False)
class ClipCheck:
    """What was found."""

    #: Columns of `BAD_COLUMNS`, one row per clip that does not decode, in the order of the list.
    bad: pd.DataFrame
    #: When the frames of all other clips are shown, in the order of the list; of none for "none".
    timelines: tuple[FrameTimes, ...] = ()

    def error(self) -> MediaError | None:
        """Return what is wrong with the first bad clip, and how many more there are."""
        if not len(self.bad):
            return None
        first, more = self.bad.iloc[0], len(self.bad) - 1
        also = f" (and {more} more clip{'s' if more > 1 else ''})" if more else ""
        todo = f"{first['todo']}, or set data.on_bad_clip to skip"
        return MediaError(f"{first['reason']}{also}", where=first["path"], todo=todo)

    def kept(self, clips: ClipList) -> ClipList:
        """Return the list without the bad clips, or raise their error if none would be left."""
        bad = set(self.bad["index"])
        left = [clip for index, clip in enumerate(clips.clips) if index not in bad]
        error = self.error()
        if error is not None and not left:
            raise error
        return replace(clips, clips=tuple(left))


def check_clips(
    clips: ClipList,
    level: CheckLevel = "fast",
    *,
    source: FramesFrom = "clips",
    workers: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> ClipCheck:
    """Look at every clip of a list; the result does not depend on the number of processes.

    "fast" opens each clip and reads when its frames are shown; "full" decodes them all. No
    `workers` means no further processes; they start if there are clips enough for them.
    """
    if level == "none":
        return ClipCheck(pd.DataFrame(columns=list(BAD_COLUMNS)))
    look = check_frames if level == "full" else check_times
    own = excerpts((clip.path for clip in clips.clips), source)
    found = of_each(look, own, progress, workers=workers)
    rows = [
        (index, str(clips.clips[index].path), one.what, one.todo)
        for index, one in enumerate(found)
        if isinstance(one, MediaError)
    ]
    bad = pd.DataFrame(rows, columns=list(BAD_COLUMNS))
    return ClipCheck(bad, tuple(one for one in found if isinstance(one, FrameTimes)))
