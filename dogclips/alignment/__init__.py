"""From annotation time to the frame of the target stream that the annotator meant."""

from dogclips.alignment.content import Content, compare_content
from dogclips.alignment.players import AnnotatedIn, fault_of, read_by, shown_in, zero_of
from dogclips.alignment.verdict import (
    OTHER_FILE,
    OTHER_SCENE,
    Alignment,
    Estimates,
    MapPiece,
    StreamChoice,
    TimeMap,
    Trust,
    align_streams,
    can_be_compared,
    estimate,
    may_lie,
    on_clock_of,
)
from dogclips.alignment.verification import Verdict
from dogclips.alignment.view import PictureView

__all__ = [
    "OTHER_FILE",
    "OTHER_SCENE",
    "Alignment",
    "AnnotatedIn",
    "Content",
    "Estimates",
    "MapPiece",
    "PictureView",
    "StreamChoice",
    "TimeMap",
    "Trust",
    "Verdict",
    "align_streams",
    "can_be_compared",
    "compare_content",
    "estimate",
    "fault_of",
    "may_lie",
    "on_clock_of",
    "read_by",
    "shown_in",
    "zero_of",
]
