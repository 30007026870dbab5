"""Recordings, measured and aligned: what every plan starts from."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
    on_clock_of,
)
from dogclips.errors import AlignmentError, DogclipsError, MediaError
from dogclips.media.probe import probe_many
from dogclips.processes import in_threads_of
from dogclips.streams import Message, Stream, StreamTable

if TYPE_CHECKING:
    from dogclips.media.footage import FileFootage

# When the pixels of two streams are compared: always, only where timestamps may lie, or never.
ContentCheck = Literal["always", "when-needed", "never"]


@dataclass(frozen=True, eq=False)
class Recording:
    """One file: what was measured and how its streams align, or why that was not possible.

    Where a copy was annotated, such as a small proxy, its `original` is the file to cut.
    """

    path: Path  #: What was annotated
    table: StreamTable | None
    alignment: Alignment | None
    error: DogclipsError | None = None
    original: StreamTable | None = None  #: What clips are cut from, if that is another file
    choice: StreamChoice = field(default_factory=StreamChoice)

    @property
    def cut_path(self) -> Path:
        """Return the file that clips are cut from."""
        return self.path if self.original is None else self.original.path

    @cached_property
    def streams(self) -> tuple[Stream, Stream]:
        """Return what the annotator saw and what is cut, on one clock: that of the first.

        A stream of another file is as if it started when the first one does; its frames are those
        of the file.
        """
        if self.table is None:
            raise self._unmeasured
        reference, target = self.choice.of(self.table, self.original)
        return reference, target if self.original is None else on_clock_of(reference, target)

    @property
    def stream_names(self) -> tuple[str, str]:
        """Return what to call both streams; the files are named where there are two."""
        names = [f"stream {stream.index}" for stream in self.streams]
        if self.original is not None:
            files = self.path.name, self.original.path.name
            names = [f"{name} of {file}" for name, file in zip(names, files, strict=True)]
        reference, target = names
        return reference, target

    def footage(self, *, whole: bool = False) -> "FileFootage":
        """Return the pictures of both streams, as `streams` has them, to look at a few or all."""
        from dogclips.media.footage import (  # noqa: PLC0415 (loads av, slower than a probe)
            FileFootage,
            PairFootage,
        )

        if self.original is None:
            return FileFootage(self.path, whole=whole)
        own = self.choice.cut_from(self.original)
        other = self.original.path
        return PairFootage(self.path, other, own, self.streams[1], whole=whole)

    @property
    def measured(self) -> tuple[StreamTable, Alignment]:
        """Return what was measured, or raise why the file cannot be used."""
        if self.table is None or self.alignment is None:
            raise self._unmeasured
        return self.table, self.alignment

    @property
    def _unmeasured(self) -> DogclipsError:
        return self.error or AlignmentError(
            "not measured", where=self.path, todo="see what `dogclips probe` says of it"
        )

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return everything that a user should know, in words."""
        found = [*(self.table.messages if self.table else ())]
        if self.original is not None:
            name = self.original.path.name
            found.append(Message("P061", f"clips are cut from its original, {name}", "note"))
            own = self.original.messages
            found.extend(replace(message, text=f"{name}: {message.text}") for message in own)
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
    paths: Sequence[Path] | Mapping[Path, Path],
    choices: Iterable[StreamChoice],
    *,
    trust: Trust = "auto",
    content: ContentCheck = "always",
    whole: bool = False,
    deep: bool = False,
) -> dict[tuple[Path, StreamChoice], Recording]:
    """Measure and align recordings under every choice of streams.

    A mapping of paths says for each recording which file clips are cut from: itself, or another one
    of which it is a copy; then these two are aligned.

    Where pixels are compared, a few looks do, unless the `whole` recording is wanted.

    A file that cannot be used is an entry with its error; it stops no other. Choices that mean the
    same streams of a file share their entry.
    """
    cut_from = paths if isinstance(paths, Mapping) else {path: path for path in paths}
    wanted = list(dict.fromkeys([*cut_from, *cut_from.values()]))
    tables = dict(zip(wanted, probe_many(wanted, deep=deep), strict=True))
    pairs = {path: (tables[path], tables[own]) for path, own in cut_from.items()}
    meant = {
        (path, choice): (path, _indices(*pairs[path], choice))
        for choice in choices
        for path in cut_from
    }
    cases = {streams: key for key, streams in meant.items()}

    def aligned(case: tuple[Path, StreamChoice]) -> Recording:
        path, choice = case
        table, original = pairs[path]
        if isinstance(table, MediaError):
            return Recording(path, None, None, table)
        if isinstance(original, MediaError):
            return Recording(path, table, None, original)
        own = None if original is table else original
        return align_recording(
            table, choice, trust=trust, content=content, whole=whole, original=own
        )

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
    table: StreamTable | MediaError, original: StreamTable | MediaError, choice: StreamChoice
) -> tuple[int, int] | StreamChoice | None:
    """Return the streams that a choice means in a file; the choice itself if that is an error."""
    if isinstance(table, MediaError) or isinstance(original, MediaError):
        return None
    try:
        reference, target = choice.of(table, original)
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
    original: StreamTable | None = None,
) -> Recording:
    """Align the streams of a measured file, looking at their pixels if `content` wants it.

    With an `original` the target is a stream of that file. Its clock says nothing about this one's,
    so that pixels are needed.
    """
    file = Recording(table.path, table, None, original=original, choice=choice)
    try:
        reference, target = file.streams
        needed = may_lie(reference, target) or original is not None
        worth_it = content == "always" or (content == "when-needed" and needed)
        look = worth_it and can_be_compared(reference, target)
        seen = _look(file, whole=whole) if look else None
        named = isinstance(choice.target, int)
        files = None if original is None else (table.path.name, original.path.name)
        alignment = align_streams(
            reference, target, trust=trust, content=seen, named=named and not files, files=files
        )
        return replace(file, alignment=alignment)
    except AlignmentError as error:
        return replace(file, error=error)


def _look(file: Recording, *, whole: bool) -> Content:
    try:
        return compare_content(*file.streams, file.footage(whole=whole), whole=whole)
    except MediaError as error:
        return Content(error.what, PictureView())
