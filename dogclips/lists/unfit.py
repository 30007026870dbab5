"""Which clips a format cannot express, and why."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dogclips.errors import ListError
from dogclips.lists.clip_paths import relative_to

# Of videos that readers of videofolder and WebDataset take.
SUFFIXES = frozenset({".mkv", ".mp4", ".avi", ".mpeg", ".mov"})

UNFIT_REASONS = {
    "no-label": "no label, and the format wants one",
    "several-labels": "several labels, and the format takes one",
    "no-times": "no manifest tells how long it is",
    "blank-in-path": "a blank in the path, which readers take for its end",
    "separator-in-path": "the separator or a line break in the path",
    "no-video-suffix": f"a name that ends in none of {', '.join(sorted(SUFFIXES))}",
}


def unfit_reasons(
    list_format: str, clips: pd.DataFrame, prefix: Path | None = None, separator: str = " "
) -> pd.Series:
    """Return why the format cannot express a clip, a key of `UNFIT_REASONS`; "" where it can.

    Paths will be relative to `prefix`; None leaves them absolute.
    """
    reasons = pd.Series("", index=clips.index, dtype="object")
    for reason, holds in _found(list_format, clips, prefix, separator):
        reasons[holds & (reasons == "")] = reason
    return reasons


def refuse_unfit(list_format: str, clips: pd.DataFrame, reasons: pd.Series) -> None:
    """Refuse clips that a format cannot express: say how many, why, and which is the first."""
    counts = reasons[reasons != ""].value_counts()
    if counts.empty:
        return
    why = "; ".join(f"{UNFIT_REASONS[str(reason)]} ({number})" for reason, number in counts.items())
    raise ListError(
        f"{counts.sum()} of {len(clips)} clips do not fit {list_format}: {why}",
        where=clips.loc[reasons != "", "path"].iloc[0],
        todo="leave them out (`dogclips export --skip-unfit`), or choose another format",
    )


def _found(
    list_format: str, clips: pd.DataFrame, prefix: Path | None, separator: str
) -> Sequence[tuple[str, pd.Series]]:
    """Return what may be wrong for a format, and with which clips it is."""
    paths = pd.Series(relative_to(clips["path"].tolist(), prefix), clips.index, dtype="object")
    labels = clips["labels"].map(len)
    if list_format == "mmaction2":
        return [("blank-in-path", paths.map(lambda path: path.split() != [path]))]
    if list_format == "slowfast":
        broken = paths.map(lambda path: separator in path or path.splitlines() != [path])
        return [
            ("no-label", labels == 0),
            ("several-labels", labels > 1),
            ("separator-in-path", broken),
        ]
    if list_format == "kinetics":
        lengths = clips["end_s"] - clips["start_s"]
        return [("no-label", labels == 0), ("no-times", lengths.isna())]
    if list_format in {"videofolder", "webdataset"}:
        suffixes = clips["path"].map(lambda path: Path(path).suffix.lower())
        return [("no-video-suffix", ~suffixes.isin(SUFFIXES))]
    return []
