"""What annotators said of a recording, in the classes of a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from dogclips.clips.labelled import apply_labels
from dogclips.clips.viewing import Viewing
from dogclips.labels import LabelConfig
from dogclips.prediction.inputs import InputRecording
from dogclips.segments import last_end_s
from dogclips.timebase import Span, exact


@dataclass(frozen=True)
class ClassNames:
    """How annotated labels become the classes of a model."""

    #: Class names of the model, and whether they are `task:label`.
    labels: tuple[str, ...]
    with_task: bool = False
    #: As they were when its clips were cut.
    config: LabelConfig = field(default_factory=LabelConfig)
    tasks: str | tuple[str, ...] = "all"


@dataclass(frozen=True)
class AnnotatedBouts:
    """What was annotated of a recording, in the model's classes."""

    spans: Mapping[str, tuple[Span, ...]]  #: Of each class, in annotation time
    until_s: Fraction  #: When the last segment ends, of whichever label
    unknown: tuple[str, ...] = ()  #: Labels that are no class of the model


def annotated_bouts(
    recording: InputRecording, viewing: Viewing, names: ClassNames
) -> AnnotatedBouts | None:
    """Return what an annotation file says of a recording; None if there is none."""
    if recording.project is None:
        return None
    segments = recording.project.segments
    own = segments[segments["media_name"] == recording.media_name]
    timed = viewing.in_seconds(own)
    labelled = apply_labels(timed, names.config, names.tasks, with_task=names.with_task)
    lasting = labelled[labelled["kind"] == "state"]
    spans: dict[str, list[Span]] = {label: [] for label in names.labels}
    for row in lasting.to_dict("records"):
        span = Span(exact(row["t_start"]), exact(row["t_end"]))
        spans.setdefault(row["label"], []).append(span)
    return AnnotatedBouts(
        {label: tuple(spans[label]) for label in names.labels},
        last_end_s(timed),
        tuple(label for label in spans if label not in names.labels),
    )
