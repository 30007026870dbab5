"""From annotation time to the frame of the target stream that the annotator meant."""

from dogclips.alignment.players import AnnotatedIn, read_by, shown_in, zero_of
from dogclips.alignment.timemap import MapPiece, TimeMap
from dogclips.alignment.verdict import Alignment, Trust, align, choose_streams

__all__ = [
    "Alignment",
    "AnnotatedIn",
    "MapPiece",
    "TimeMap",
    "Trust",
    "align",
    "choose_streams",
    "read_by",
    "shown_in",
    "zero_of",
]
