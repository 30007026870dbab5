"""Recordings, measured and aligned: what every plan starts from."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dogclips.alignment import (
    Alignment,
    Content,
    PictureView,
    StreamChoice,
    Trust,
    align_streams,
    can_be_compared,
    compare_content,
    may_lie,
)
from dogclips.errors import AlignmentError, DogclipsError, MediaError
from dogclips.media.probe import probe_many
from dogclips.processes import in_threads_of
from dogclips.streams import Message, Stream, StreamTable

# When the pixels of two streams are compared: always, only where timestamps may lie, or never.
ContentCheck = Literal["always", "when-needed", "never"]


@dataclass(frozen=True, eq=False)
class Recording:
    """One file: what was measured and how its streams align, or why that was not possible."""

    path: Path
    table: StreamTable | None
    alignment: Alignment | None
    error: DogclipsError | None = None

    @property
    def measured(self) -> tuple[StreamTable, Alignment]:
        """Return what was measured, or raise why the file cannot be used."""
        if self.table is None or self.alignment is None:
            raise self.error or AlignmentError(
                "not measured", where=self.path, todo="see what `dogclips probe` says of it"
            )
        return self.table, self.alignment

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return everything that a user should know, in words."""
        found = [*(self.table.messages if self.table else ())]
        found.extend(self.alignment.messages if self.alignment else ())
        if self.error is not None:
            found.append(Message("P001", self.error.what))
        return tuple(found)

    @property
    def status(self) -> str:
        """Return "error" if the file cannot be used, "warning" if it has warnings, else "ok"."""
        if self.error is not None or self.table is None or not self.table.cameras:
            return "error"
        warned = any(message.level == "warning" for message in self.messages)
        return "warning" if warned else "ok"


# By path and by what its annotator saw.
Recordings = Mapping[tuple[Path, StreamChoice], Recording]


def measure_recordings(
    paths: Sequence[Path],
    choices: Iterable[StreamChoice],
    *,
    trust: Trust = "auto",
    content: ContentCheck = "always",
    whole: bool = False,
    deep: bool = False,
) -> dict[tuple[Path, StreamChoice], Recording]:
    """Measure and align recordings under every choice of streams.

    Where pixels are compared, a few looks do, unless the `whole` recording is wanted.

    A file that cannot be used is an entry with its error; it stops no other. Choices that mean the
    same streams of a file share their entry.
    """
    tables = dict(zip(paths, probe_many(paths, deep=deep), strict=True))
    meant = {
        (path, choice): (path, _indices(tables[path], choice))
        for choice in choices
        for path in paths
    }
    cases = {streams: key for key, streams in meant.items()}

    def aligned(case: tuple[Path, StreamChoice]) -> Recording:
        path, choice = case
        table = tables[path]
        if isinstance(table, MediaError):
            return Recording(path, None, None, table)
        return align_recording(table, choice, trust=trust, content=content, whole=whole)

    # Each look decodes two streams side by side. Products of matrices this small gain nothing from
    # further threads, which burn the cores that decoders and workers want.
    with _one_thread_of_numpy(content), in_threads_of(2) as pool:
        found = dict(zip(cases, pool.map(aligned, cases.values()), strict=True))
    return {key: found[streams] for key, streams in meant.items()}


def _one_thread_of_numpy(content: ContentCheck) -> AbstractContextManager[object]:
    if content == "never":
        return nullcontext()
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 (not needed by most probes)

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def _indices(
    table: StreamTable | MediaError, choice: StreamChoice
) -> tuple[int, int] | StreamChoice | None:
    """Return the streams that a choice means in a file; the choice itself if that is an error."""
    if isinstance(table, MediaError):
        return None
    try:
        reference, target = choice.of(table)
    except AlignmentError:
        return choice
    return reference.index, target.index


def align_recording(
    table: StreamTable,
    choice: StreamChoice,
    *,
    trust: Trust,
    content: ContentCheck,
    whole: bool = False,
) -> Recording:
    """Align the streams of a measured file, looking at their pixels if `content` wants it."""
    try:
        reference, target = choice.of(table)
        worth_it = content == "always" or (content == "when-needed" and may_lie(reference, target))
        look = worth_it and can_be_compared(reference, target)
        seen = _look(table, reference, target, whole=whole) if look else None
        named = isinstance(choice.target, int)
        alignment = align_streams(reference, target, trust=trust, content=seen, named=named)
        return Recording(table.path, table, alignment)
    except AlignmentError as error:
        return Recording(table.path, table, None, error)


def _look(table: StreamTable, reference: Stream, target: Stream, *, whole: bool) -> Content:
    from dogclips.media.footage import FileFootage  # noqa: PLC0415 (loads av, slower than a probe)

    try:
        footage = FileFootage(table.path, whole=whole)
        return compare_content(reference, target, footage, whole=whole)
    except MediaError as error:
        return Content(error.what, PictureView())
