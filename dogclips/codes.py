"""Every code that a file or a table shows: what it means, and what to do about it.

The program takes levels and meanings from here, the documentation everything. A code never changes
its meaning; a new one gets a new name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# `note` explains an oddity that costs nothing; `both` is a warning or an error, as its text says.
Level = Literal["note", "warning", "error", "both"]


@dataclass(frozen=True)
class Code:
    """A code that scripts can rely on."""

    level: Level
    meaning: str
    todo: str


def _both(meaning: str, todo: str) -> Code:
    return Code("both", meaning, todo)


def _error(meaning: str, todo: str) -> Code:
    return Code("error", meaning, todo)


def _warning(meaning: str, todo: str) -> Code:
    return Code("warning", meaning, todo)


def _note(meaning: str, todo: str = "nothing") -> Code:
    return Code("note", meaning, todo)


_REDO = "redo the segment in the annotation program"
_SAVE = "save the project again in the annotation program"

# What is wrong or odd in an annotation file. An error refuses the file; a warning says what was
# done instead.
ISSUES: Mapping[str, Code] = {
    "V001": _error("the file is empty, cut off, not JSON or XML, or of another shape", _SAVE),
    "V002": _error("a key, column or frame appears twice", "remove one of the two"),
    "V003": _error("an export that lacks what a project has: VIA CSV or WebVTT", _SAVE),
    "V004": _error("annotations of images, which have no time", "annotate the video in VIA 3"),
    "V005": _both("keys or columns are missing (error) or unknown (warning)", _SAVE),
    "V006": _warning("written by a newer version of the format", "check the labels that were read"),
    "V007": _error("the format is not known", "convert the file to a format that is"),
    "V010": _both("a value has the wrong type, or is not one of the allowed ones", "correct it"),
    "V020": _error("a listed view is not defined", _SAVE),
    "V021": _error("a view shows no file", "remove the view, or add its file"),
    "V022": _error("a view or an observation names a file that is not defined, or none", _SAVE),
    "V023": _warning("VIA hides this view; its annotations are read", "remove unwanted segments"),
    "V024": _warning("the id of a file differs from its key; the key is used", _SAVE),
    "V025": _warning("a file has no type; the type is inferred from its name", "nothing"),
    "V026": _warning("two files have the same base name", "rename one of the recordings"),
    "V030": _error("an attribute has an anchor that VIA does not know", _SAVE),
    "V031": _warning("two attributes have the same name; they are read as one", "rename one"),
    "V032": _warning("two options of an attribute have the same name", "rename one"),
    "V033": _error("an IMAGE attribute has a value, which VIA never writes", "remove the value"),
    "V034": _error(
        "no attribute is anchored to temporal segments",
        'add an attribute with the anchor "Temporal Segment in Video or Audio"',
    ),
    "V040": _error("a segment uses an attribute that is not defined", _SAVE),
    "V041": _warning("an answer is null; it is read as no answer", "nothing"),
    "V042": _error("an answer is not text", _REDO),
    "V043": _error("a segment uses an option without a name", "name the option"),
    "V044": _warning("the text of an option stands in place of its id; it is mapped", "nothing"),
    "V045": _both(
        "text that is not an option (warning), or a number that is not an option id (error)",
        "add the option, or set labels.rename, labels.drop or labels.unknown",
    ),
    "V046": _warning(
        "a placeholder of the application in place of a label",
        "set labels.drop or labels.rename",
    ),
    "V047": _warning("the same segment appears twice; it is read once", "remove one of the two"),
    "V048": _warning("a segment has no label; it is skipped", "label or remove the segment"),
    "V050": _error("a segment belongs to a view that does not exist", "remove the segment"),
    "V051": _warning("a time is written as text; it is read as a number", "nothing"),
    "V052": _error("a time is not a number", _REDO),
    "V053": _error("a time is before the start of the video", _REDO),
    "V054": _warning("a region over a range, which VIA ignores; it is skipped", "nothing"),
    "V055": _warning("a single time point, which VIA cannot draw; it is skipped", "nothing"),
    "V056": _error("a segment has more than two times", _REDO),
    "V057": _error("a segment ends before it starts", _REDO),
    "V058": _warning("a segment has no length; it is skipped", "remove or redo the segment"),
    "V059": _error("a segment belongs to several files", "give each recording its own view"),
    "V060": _error("a region has a shape that VIA does not know", "remove the region"),
    "V061": _error("a segment belongs to a sound or a picture", "remove the segment"),
    "V070": _error("a state starts and never stops, or stops and never started", "fix it in BORIS"),
    "V071": _error(
        "one option id has two meanings in the files of one data set",
        "correct the labels, or set labels.option_ids: by-file",
    ),
    "V073": _warning("a gap that only rounding in BORIS made; it is closed", "nothing"),
    "V074": _warning(
        "times rely on what the annotation program assumed or measured",
        "compare one late segment with the recording",
    ),
    "V075": _warning(
        "annotations of something other than the recording shown; they are skipped",
        "align the other recordings with the one shown",
    ),
    "V080": _both(
        "segments run past the end of the recording; an error where frames are counted",
        "make sure that this is the file that was annotated",
    ),
    "V081": _error("no recording has the annotated name", "put the recording into video/"),
    "V082": _error(
        "a name matches several recordings, or several names one recording", "rename one of them"
    ),
    "V083": _warning(
        "segments of exactly 1.000 s: a key press made them, and they were not adjusted",
        "drag their ends to where the behaviour begins and stops",
    ),
    "V084": _both(
        "the annotations were made for more or fewer frames than the recording has",
        "make sure that this is the file that was annotated",
    ),
    "V085": _warning(
        "several annotation files name the same recording; their segments become one set of clips",
        "set projects.NAME.replaces if one is a corrected copy of another",
    ),
    "V086": _error(
        "the recording itself cannot be used", "see what `dogclips probe` says about it"
    ),
    "V090": _warning(
        "segments outside of what was watched; windows there are skipped",
        "correct the interval in the annotation program, or set projects.NAME.watched_seconds",
    ),
    "V091": _error(
        "several observers annotated the same task of a recording",
        "set observers to the name of one, or to union, intersection or majority",
    ),
    "V092": _warning(
        "another annotation file replaces this one, which is left out",
        "nothing",
    ),
    "V093": _warning(
        "annotations without times of their own share those of their parent in equal parts",
        "align them in ELAN if their times matter",
    ),
    "V094": _warning(
        "labels differ by case only, and each becomes a class",
        "correct one of them, or set labels.rename",
    ),
    "V095": _error(
        "the file is of a kind that holds no text: Excel, zip, pickle, HDF5",
        "save or export it as CSV (UTF-8)",
    ),
    "V096": _warning(
        "no clip shows much of what is labelled",
        "set what the message names; `dogclips cut --dry-run` shows the plan",
    ),
    "V110": _both(
        "the setting originals names a file that is not there (error), or no recording (warning)",
        "correct the setting, or put the file into originals/",
    ),
}

# What is odd about a recording. A warning can put a label on a wrong frame or cost one.
MESSAGES: Mapping[str, Code] = {
    "P001": _warning('the file cannot be opened; its status is "error"', "copy it again"),
    "P002": _warning('no video stream with frames; its status is "error"', "copy it again"),
    "P003": _note("an attached picture, such as a cover, not a camera"),
    "P004": _note("every stream of the file starts after 0", "check that annotated_in is right"),
    "P005": _note(
        "the picture starts late by its B-frame delay, which browsers treat differently",
        "check that annotated_in is right",
    ),
    "P006": _note("sound starts up to 50 ms before the picture, a normal delay of encoders"),
    "P007": _note("an edit list hides frames; readers that ignore it count them"),
    "P011": _note("one stream starts later than the other; this is corrected"),
    "P012": _warning(
        "both streams claim the same start, but their lengths differ",
        "look at `dogclips align FILE --output align.html`, then set trust",
    ),
    "P013": _note("the frame rate varies"),
    "P014": _warning(
        "the clocks of the two streams are unrelated and cannot be aligned by timestamps",
        "look at `dogclips align FILE --output align.html`",
    ),
    "P015": _warning("frames are missing; windows that span them are skipped", "nothing"),
    "P016": _warning("the stream has no timestamps; nothing can be aligned to it", "remux it"),
    "P017": _warning("the header claims a wrong number of frames", "copy it again"),
    "P018": _both(
        "no presentation times; frames are counted from the first (in AVI only a note)", "nothing"
    ),
    "P019": _warning("frames do not decode; only `probe --deep` looks", "copy it again"),
    "P020": _warning("timestamps repeat", "look at the clips around them"),
    "P021": _warning(
        "the alignment relies on timestamps; the pixels could not verify it",
        "look at `dogclips align FILE --output align.html`",
    ),
    "P022": _warning("the clock steps back", "look at the clips around that time"),
    "P023": _warning(
        "the clock restarts, so that one time means two moments; cut refuses the recording",
        "see `dogclips repair`",
    ),
    "P024": _warning(
        "the clock jumps ahead by more than any plausible loss of frames",
        "look at the clips around that time",
    ),
    "P025": _warning(
        "some frames have no time of their own; it is filled from their neighbours",
        "look at the clips around them",
    ),
    "P026": _warning(
        "B-frames are stored with the times of other frames; the order of showing decides",
        "see `dogclips repair`, if other programs are to read it",
    ),
    "P027": _note("packets that are not frames: hidden reference pictures, second fields"),
    "P028": _note("frames that are not coded: the frame before is shown again"),
    "P029": _warning(
        "frames after a gap may show what is lost; nothing is cut up to the next keyframe",
        "nothing",
    ),
    "P030": _warning(
        "timestamps and pixels disagree; the pixels are believed",
        "look at `dogclips align FILE --output align.html`",
    ),
    "P031": _warning("a stream lost frames; the shift changes there", "nothing: it is corrected"),
    "P032": _warning("the clock of one stream drifts", "nothing: it is corrected"),
    "P033": _warning(
        "the shift is in doubt for a stretch; no clip is cut from it",
        "set keep_doubtful if a small error does not matter",
    ),
    "P034": _warning(
        "the two streams show different scenes, such as the front and the back of a car",
        "set target to the stream that clips are to show",
    ),
    "P035": _note("a stream that does not run through the recording, such as a still picture"),
    "P036": _both(
        "pictures are held for longer than others because the recorder left out frames; a note "
        "where none is held for longer than max_hold_seconds allows by default",
        "set max_hold_seconds if the picture stood still",
    ),
    "P040": _warning(
        "the file stores no times, so 25 frames per second are assumed",
        "remux it with its real frame rate",
    ),
    "P050": _note(
        "the recording is interlaced: each frame holds two moments, in alternate lines",
        "see the setting deinterlace",
    ),
    "P051": _warning(
        "more than 8 bits of grey: the levels in use are stretched from black to white",
        "nothing; brightness is relative to the recording",
    ),
    "P052": _warning(
        "a high dynamic range (PQ or HLG): clips keep its curve and look pale where it is ignored",
        "convert the recording to BT.709 before you cut, if other recordings are not HDR",
    ),
    "P053": _warning(
        "frames change their size: they are fitted into the picture between black edges",
        "look at the clips after the change",
    ),
    "P060": _warning(
        "the annotated file and the one to cut show different scenes; nothing is cut",
        "correct the setting originals, or rename the file in originals/",
    ),
    "P061": _note("clips are cut from another file, of which the recording is a copy"),
    "P062": _warning(
        "originals/ has no file for a recording, which is cut itself; only cut tells",
        "give the original the same name before the dot, or name it in the setting originals",
    ),
    "P063": _warning(
        "the annotated recording looks like a smaller copy of another one; only cut tells",
        "name the other one in the setting originals",
    ),
}

# Why a window of a plan, or of a prediction, was skipped.
SKIP_REASONS: Mapping[str, Code] = {
    "before-target-start": _note(
        "begins before the target stream's first frame",
        "set a smaller stride_seconds, so that the next window begins sooner",
    ),
    "before-reference-start": _note(
        "begins before the first frame that the annotator saw",
        "check annotated_in, which says what time 0 is",
    ),
    "after-reference-end": _note("ends after the last frame that the annotator saw"),
    "after-end": _note("runs past the end of the recording"),
    "no-label": _note("no label fills enough of it", "see min_overlap_seconds and background"),
    "near-label": _note(
        "no label fills enough of it, and a segment is too near for background",
        "see label_free_margin_seconds",
    ),
    "after-annotations": _note(
        "no label, and does not end before the last segment of its recording",
        "annotate the recording to its end",
    ),
    "not-watched": _warning(
        "was not watched, as the annotation file or the settings say",
        "annotate it, or correct projects.NAME.watched_seconds",
    ),
    "partly-watched": _warning(
        "only a part of it was watched, as the annotation file or the settings say",
        "annotate the rest, or set phase_seconds so that windows begin where watching does",
    ),
    "not-sampled": _note("more background than asked for", "see background"),
    "frames-missing": _warning(
        "spans frames that the recording lacks: one picture is held for longer than "
        "max_hold_seconds",
        "set max_hold_seconds if the picture stood still",
    ),
    "frames-damaged": _warning(
        "shows frames between a loss and the next keyframe, which may be damaged",
        "see keep_doubtful",
    ),
    "in-doubt": _warning(
        "touches a stretch in which the shift between the streams is unknown",
        "see keep_doubtful",
    ),
    "frames-lost": _warning("spans frames that one of the streams has lost", "see keep_doubtful"),
    "contradicted": _warning(
        "the streams do not move alike there: one is frozen, or shows something else",
        "look at it in both streams; see keep_doubtful",
    ),
    "no-timestamps": _warning("the stream has no timestamps", "remux the recording"),
    "does-not-decode": _warning("shows a frame that does not decode", "copy the recording again"),
}

# What became of a window: the column `status` of a manifest.
STATUSES: Mapping[str, str] = {
    "planned": "to be cut; it stays so after `cut --dry-run` and `cut --virtual`",
    "cut": "cut and verified by this run",
    "reused": "cut by an earlier run with the same recipe",
    "stale": "cut by an earlier plan; `cut --prune` removes it",
    "skipped": "not to be cut; the column `reason` holds a reason for skipping",
    "failed": "could not be cut; the column `reason` says why",
}
