"""`split.json`: how a split came about, and what lies in which part; see `lists.kept`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from dogclips.errors import ListError
from dogclips.records.documents import read_document

SPLIT_JSON = "split.json"
SPLITS = ("train", "val", "test")
TODO = "give the split.json that `dogclips split` wrote"

SplitName = Annotated[str, Field(pattern=f"^({'|'.join(SPLITS)})$")]


@dataclass(frozen=True, kw_only=True)
class SplitRecord:
    """The file. Paths are relative to its folder; version 1 had neither `groups` nor `files`."""

    version: Literal[1, 2] = 2  #: Of the file
    seed: Annotated[int, Field(ge=0)] = 0  #: Seed that ordered equal groups
    group_by: str = "recording"  #: What was kept together
    #: Wanted share of each split, or fold.
    shares: Mapping[SplitName, Annotated[float, Field(ge=0, le=1)]] = field(default_factory=dict)
    folds: int | None = None  #: Number of folds; absent without folds
    fold: int | None = None  #: Which fold is val, from 1; absent without folds
    #: Verdicts of the clips that were wanted; absent in what earlier versions wrote.
    verdicts: tuple[str, ...] | None = None
    #: Clips of each verdict in each split.
    verdict_counts: Mapping[SplitName, Mapping[str, int]] | None = None
    left_out: Mapping[str, str] | None = None  #: Why clips are in no list
    labels: tuple[str, ...]  #: Class names in order
    clips: Mapping[SplitName, int]  #: How many there are in each split
    recordings: Mapping[str, tuple[SplitName, ...]]  #: The splits in which each has clips
    #: The split of each group, by kind (subject, recording) and name.
    groups: Mapping[str, Mapping[str, SplitName]] | None = None
    files: Mapping[SplitName, tuple[str, ...]] | None = None  #: The clips of each split

    def as_plain(self) -> dict[str, Any]:
        """Return what the file says."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def read_split_record(path: Path) -> SplitRecord:
    """Read a `split.json`."""
    record = read_document(SplitRecord, path, todo=TODO, error=ListError)
    if record.version > 1 and (record.groups is None or record.files is None):
        raise ListError("damaged: `groups` or `files` is missing", where=path, todo=TODO)
    return record
