"""What every importer returns."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Issue:
    """A warning about one place of an annotation file.

    Parameters
    ----------
    code
        For scripts, as listed in the reader of the format (V044).
    place
        The object's path in the file, such as `metadata.1_Qh3fXk2A`.
    text
        What is odd and what was done about it.
    """

    code: str
    place: str
    text: str


@dataclass(frozen=True, eq=False)
class Project:
    """The segments of one annotation file, and the media it names.

    Parameters
    ----------
    segments
        Columns of `segments.SEGMENT_COLUMNS`, in file order.
    media_names
        Every video that the project lists, annotated or not, as its program wrote the name.
    file_attributes
        For each media name, attributes of the whole file: name to value.
    """

    path: Path
    segments: pd.DataFrame
    media_names: tuple[str, ...]
    file_attributes: dict[str, dict[str, str]]
    issues: tuple[Issue, ...]
