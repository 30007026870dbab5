"""Annotated segments: the one table between the importers and everything after them."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

# Times are seconds as the annotator's player counted them, end exclusive; `timebase.exact` gives
# the decimals back. `known` is False where a label is text that is no option of its attribute.
SEGMENT_COLUMNS = {
    "source_format": "str",  # via3
    "source_file": "str",  # stem of the project file
    "source_id": "str",  # VIA metadata id
    "media_name": "str",  # file name as the annotator's program wrote it
    "task": "str",  # attribute name
    "label": "str",
    "known": "bool",
    "t_start": "float64",
    "t_end": "float64",
}


def segment_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return segments as a DataFrame with exactly the columns and dtypes of `SEGMENT_COLUMNS`."""
    table = pd.DataFrame(list(rows), columns=list(SEGMENT_COLUMNS))
    return table.astype(SEGMENT_COLUMNS)
