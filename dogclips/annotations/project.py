"""What every importer returns."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pandas as pd

from dogclips.annotations.issues import Issue, Issues
from dogclips.errors import AnnotationError
from dogclips.segments import segment_table, watched_table
from dogclips.wording import one_spelling


@dataclass(frozen=True)
class Media:
    """A recording, sound or picture as an annotation file names it."""

    #: As the annotator's program wrote it: a bare name, a path of another machine, a URL.
    name: str
    #: What annotators said about the whole file: question to answer.
    attributes: Mapping[str, str] = field(default_factory=dict)
    #: How many frames the annotation program counted; None where it does not say.
    num_frames: int | None = None


@dataclass(frozen=True, eq=False)
class Project:
    """Everything that one annotation file says, and everything that is wrong with it."""

    path: Path
    format: str  #: As in the column `source_format`
    segments: pd.DataFrame  #: Columns of `segments.SEGMENT_COLUMNS`, in file order
    media: tuple[Media, ...]  #: Every recording that the file lists, annotated or not
    issues: tuple[Issue, ...] = ()
    #: For each task its option ids and what they mean; empty where labels are written out.
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: How many entries of each kind the file holds: segments, points, regions ...
    counts: Mapping[str, int] = field(default_factory=dict)
    #: The player that the annotation program has built in, or None where it is any browser's or
    #: unknown; "frames" where the program counts frames of the first video stream instead.
    player: Literal["mpv", "frames"] | None = None
    #: Columns of `segments.WATCHED_COLUMNS`: what was watched, as far as the file says so.
    watched: pd.DataFrame = field(default_factory=watched_table)
    #: Labels that the file offers, whether a segment has them or not, beside those of `options`.
    vocabulary: tuple[str, ...] = ()

    @property
    def media_names(self) -> tuple[str, ...]:
        """Return every recording that the file lists, each once."""
        return tuple(dict.fromkeys(media.name for media in self.media))

    @property
    def errors(self) -> tuple[Issue, ...]:
        """Return the issues that refuse the file."""
        return tuple(issue for issue in self.issues if issue.level == "error")

    def checked(self) -> "Project":
        """Return the project, or raise its first error, with how many more there are."""
        if self.errors:
            raise refusal(self.path, self.errors)
        return self


@dataclass
class Importer(Issues):
    """What all importers share: collects what is odd, and returns a project in the end."""

    format: ClassVar[str]
    player: ClassVar[Literal["mpv", "frames"] | None] = None
    watched: list[dict[str, Any]] = field(default_factory=list)  # see `segments.WATCHED_COLUMNS`
    vocabulary: tuple[str, ...] = ()  # labels that the file offers

    def project(
        self,
        path: Path,
        rows: Iterable[Mapping[str, Any]],
        media: Iterable[Media],
        *,
        options: Mapping[str, Mapping[str, str]] | None = None,
        counts: Mapping[str, int] | None = None,
        **common: object,
    ) -> Project:
        """Return what a file says; `common` is what all its rows share."""
        own = {"source_format": self.format, "source_file": path.stem}
        segments = segment_table(rows, **own, **common)
        if counts is None:
            kinds = Counter(segments["kind"])
            counts = {"segments": kinds["state"], "points": kinds["point"]}
        spelt = {
            one_spelling(task): {key: one_spelling(label) for key, label in own.items()}
            for task, own in (options or {}).items()
        }
        facts = tuple(media), tuple(self.found), spelt, counts, self.player
        spans = watched_table(self.watched, time_base=common.get("time_base", "player"))
        return Project(
            path, self.format, segments, *facts, spans, tuple(map(one_spelling, self.vocabulary))
        )


def refusal(path: Path, errors: tuple[Issue, ...]) -> AnnotationError:
    """Return the one line with which a file is refused."""
    first, more = errors[0], len(errors) - 1
    place = f"{path}: {first.place}" if first.place else path
    todo = first.todo or "fix it in the program that made it and save again"
    if more:
        todo += f" ({more} more error{'s' if more > 1 else ''}: `dogclips check` shows all)"
    return AnnotationError(f"{first.code} {first.text}", where=place, todo=todo)
