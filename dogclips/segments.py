"""Annotated segments: the one table between the importers and everything after them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from dogclips.timebase import exact
from dogclips.wording import one_spelling

# One row per label. Texts are "" where a format says nothing. `t_start` and `t_end` count in
# `time_base`: "player" is seconds as the annotator's player showed them, "frame_index" is frames
# of the stream from 0; end exclusive, NaN for a point. `timebase.exact` gives the decimals back.
# `known` is False where a label is text that is no option of its attribute.
SEGMENT_COLUMNS: dict[str, Any] = {
    "ann_id": "str",  # digest of all that identifies the row: stable from run to run
    "source_format": "str",  # via3, boris, cvat, elan, deepethogram, csv
    "source_file": "str",  # stem of the annotation file
    "source_id": "str",  # what the format calls the entry, such as VIA's metadata id
    "media_name": "str",  # file name as the annotator's program wrote it
    "stream": "Int64",  # as ffprobe counts; missing: the one that the player shows
    "time_base": "str",  # player, frame_index
    "t_start": "float64",
    "t_end": "float64",
    "kind": "str",  # state, point
    "task": "str",  # the question that the label answers, such as VIA's attribute
    "label": "str",
    "known": "bool",
    "subject": "str",  # the animal
    "observer": "str",
    "confidence": "Float64",
    "comment": "str",
    "flags": "str",  # what was done to the row, separated by blanks: unadjusted_1s, snapped
}
_DEFAULTS: dict[str, Any] = {
    "ann_id": "",
    "stream": pd.NA,
    "time_base": "player",
    "t_end": float("nan"),
    "kind": "state",
    "known": True,
    "confidence": pd.NA,
}
# What an annotator looked at, one row per span; a recording without rows may have been watched from
# its start to its end, or only in part: nobody says. A span without length means that nothing was.
WATCHED_COLUMNS: dict[str, Any] = {
    "media_name": "str",
    "label": "str",  # the label that was looked for; empty for all of the file
    "observer": "str",  # who watched; empty for all observers of the file
    "time_base": "str",  # as in `SEGMENT_COLUMNS`
    "t_start": "float64",
    "t_end": "float64",  # end exclusive; NaN for the end of the recording
}
_NAMES = ("task", "label", "subject", "observer")  # what is the same for a reader is the same here
_IDENTITY = (
    "source_format",
    "source_file",
    "source_id",
    "media_name",
    "task",
    "label",
    "subject",
    "t_start",
    "t_end",
)


def segment_table(rows: Iterable[Mapping[str, Any]], **common: object) -> pd.DataFrame:
    """Return segments as a DataFrame with exactly the columns and dtypes of `SEGMENT_COLUMNS`.

    What a row leaves out is what is `common` to all rows, or else the column's default; `ann_id`
    is computed. Names that a reader cannot tell apart are spelt in one way: see `one_spelling`.
    """
    found = list(rows)
    usual = dict.fromkeys(SEGMENT_COLUMNS, "") | _DEFAULTS | common
    columns = {name: [row.get(name, usual[name]) for row in found] for name in SEGMENT_COLUMNS}
    for name in _NAMES:
        columns[name] = [one_spelling(text) for text in columns[name]]
    identity = zip(*(columns[name] for name in _IDENTITY), strict=True)
    texts = ("\x1f".join(map(str, parts)) for parts in identity)
    columns["ann_id"] = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
    # Column by column: `astype` of a whole table takes three times as long.
    return pd.DataFrame(
        {name: pd.array(columns[name], dtype=dtype) for name, dtype in SEGMENT_COLUMNS.items()}
    )


def watched_table(rows: Sequence[Mapping[str, Any]] = (), **common: object) -> pd.DataFrame:
    """Return watched spans as a DataFrame with exactly the columns of `WATCHED_COLUMNS`.

    What a row leaves out is what is `common` to all rows, or else all labels, in seconds.
    """
    usual = {"label": "", "observer": "", "time_base": "player", "t_end": float("nan")} | common
    same = ({key: one_spelling(row[key]) for key in _NAMES if key in row} for row in rows)
    spans = [{**usual, **row, **own} for row, own in zip(rows, same, strict=True)]
    found = pd.DataFrame(spans, columns=list(WATCHED_COLUMNS))
    return found.astype(WATCHED_COLUMNS)


def last_end_s(segments: pd.DataFrame) -> Fraction:
    """Return when the last of segments and points in seconds ends; 0 without any."""
    ends = segments["t_end"].fillna(segments["t_start"])
    return exact(float(ends.max())) if len(ends) else Fraction(0)
