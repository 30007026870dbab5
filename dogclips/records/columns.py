"""Columns of the tables that we write: name, type and meaning, declared once."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a table that is kept."""

    name: str
    dtype: str  #: As pandas calls it; `object` holds lists
    meaning: str
    unit: str = ""  #: Such as "s" or "px"; empty where there is none


def dtypes(columns: Iterable[Column]) -> dict[str, str]:
    """Return the type of each column by its name, in their order."""
    return {column.name: column.dtype for column in columns}
