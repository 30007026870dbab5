"""Frames of both streams side by side, by which a person sees whether they are aligned."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment import Alignment, Content, PictureView
from dogclips.alignment.content import MIN_FIT
from dogclips.alignment.view import Sampler, averaging
from dogclips.clips.recordings import Recording
from dogclips.media.footage import FileFootage
from dogclips.streams import Stream
from dogclips.timebase import Span, frame_at

_WIDTH = 480  # pixels; enough to read a page by
_MOST = 3  # stretches of a recording, each with one frame to compare
_STRETCH_S = 2.5  # searched for its most telling frame
_MOST_AGE = Fraction(3, 5)  # of a frame
_FARTHEST_S = 2.0  # how far off two frames are compared to find that one


@dataclass(frozen=True, eq=False)
class StreamFrame:
    """One frame of one stream: its index in `Stream.pts`, container time, (H, W, 3) pixels."""

    stream: int
    index: int
    time_s: Fraction
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class PartnerFrame(StreamFrame):
    """The target frame that one rule names for a frame of the reference.

    `difference` is (rows, columns), 0 to 255: how far the part that both streams see differs.
    """

    difference: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ComparedFrames:
    """A frame of the reference, and the target's frame for it before and after the correction.

    Before it, that is the frame with the same timestamp; where the timestamps are right, the one
    as long after its stream's own start. Where the alignment is not trusted, `before` is what the
    timestamps say and `after` what the frame counts say: a person may see which is right.
    """

    reference: StreamFrame
    before: PartnerFrame
    after: PartnerFrame


def compared_frames(file: Recording) -> list[ComparedFrames]:
    """Return a first, a middle and a last frame at which something moves, and their partners."""
    _, alignment = file.measured
    reference, target = file.streams
    if reference is target:
        return []
    return list(_Search(reference, target, alignment, file.footage()).found())


class _Search:
    def __init__(
        self, reference: Stream, target: Stream, alignment: Alignment, footage: FileFootage
    ) -> None:
        self.reference, self.target = reference, target
        self.alignment, self.footage = alignment, footage
        content = alignment.content
        self.view = content.view if content and content.view.fit >= MIN_FIT else PictureView()

    def found(self) -> Iterator[ComparedFrames]:
        for stretches in self.stretches():
            indices = (self.telling_index(stretch) for stretch in stretches)
            index = next((index for index in indices if index is not None), None)
            if index is not None:
                time_s = _time(self.reference, index)
                pixels = self.footage.picture(self.reference, index, _WIDTH)
                own = StreamFrame(self.reference.index, index, time_s, pixels)
                yield ComparedFrames(own, *(self.partner(own, n) for n in self.partners(time_s)))

    def partner(self, own: StreamFrame, index: int) -> PartnerFrame:
        pixels = self.footage.picture(self.target, index, _WIDTH)
        off = difference(own.pixels, pixels, self.view)
        return PartnerFrame(self.target.index, index, _time(self.target, index), pixels, off)

    # Where to look.

    def stretches(self) -> list[list[Span]]:
        """Return in each part where something moves, best first: by pixels, else by packets."""
        content = self.alignment.content
        spans = _believed(content, self.alignment) if content and content.confident else []
        if len(spans) >= _MOST:
            return spans
        start, end = (self.reference.start_s or Fraction(0), self.reference.end_s or Fraction(0))
        if spans:
            start, end = spans[0][0].start, max(span.end for [span] in spans)
        third = (end - start) / _MOST
        parts = (Span(start + n * third, start + (n + 1) * third) for n in range(_MOST))
        return [[self.most_active(part)] for part in parts]

    def most_active(self, span: Span) -> Span:
        """Return the stretch with the largest packets."""
        first, stop = self.indices(span)
        length = round(_STRETCH_S * float(self.reference.frame_rate or 25))
        if stop - first <= length:
            return span
        activity = self.footage.activity(self.reference)[first:stop]
        sums = np.convolve(activity, np.ones(length), mode="valid")
        begin = _time(self.reference, first + int(np.argmax(sums)))
        return Span(begin, begin + Fraction(_STRETCH_S))

    def telling_index(self, span: Span) -> int | None:
        """Return the frame of a stretch at which a wrong offset shows most."""
        first, stop = self.indices(span)
        usable = [index for index in range(first, stop) if self.is_usable(index)]
        if not usable:
            return None
        usable = [index for index in usable if self.is_exact(index)] or usable
        steps = self.steps_off(_time(self.reference, usable[len(usable) // 2]))
        seen = self.footage.look(self.reference, first + min(steps, 0), stop + max(steps, 0))
        rows = {index: row for row, index in enumerate(seen.indices.tolist())}
        pictures = seen.pictures.astype(np.float64)
        changes = {
            index: np.abs(pictures[rows[index]] - pictures[rows[index + steps]]).mean()
            for index in usable
            if index in rows and index + steps in rows
        }
        return max(changes, key=lambda index: changes[index]) if changes else usable[0]

    def indices(self, span: Span) -> tuple[int, int]:
        times = self.reference.pts * float(self.reference.time_base)
        first, stop = np.searchsorted(times, (float(span.start), float(span.end)))
        return int(first), int(stop)

    def steps_off(self, time_s: Fraction) -> int:
        """Return how many frames the two rules lie apart; half a second where they agree."""
        rate = float(self.reference.frame_rate or 25)
        before, after = self.partner_times(time_s)
        off_s = max(min(float(before - after), _FARTHEST_S), -_FARTHEST_S)
        return round(off_s * rate) or max(round(rate / 2), 1)

    # Which frame of the target.

    def is_usable(self, index: int) -> bool:
        """Return whether the shift is known at a frame and the target has frames for it."""
        time_s = _time(self.reference, index)
        doubtful = self.alignment.time_map.is_doubtful(Span(time_s, time_s + Fraction(1, 1000)))
        return not doubtful and all(partner >= 0 for partner in self.partners(time_s))

    def is_exact(self, index: int) -> bool:
        """Return whether the target has a frame of that very time, not of a while ago."""
        time_s = _time(self.reference, index)
        _, found_s = self.partner_times(time_s)
        age_s = found_s - _time(self.target, self.frame_at(found_s))
        return age_s * (self.reference.frame_rate or 25) <= _MOST_AGE

    def partners(self, time_s: Fraction) -> tuple[int, int]:
        """Return the target's frames before and after the correction; -1 where it has none."""
        before, after = self.partner_times(time_s)
        return self.frame_at(before), self.frame_at(after)

    def partner_times(self, time_s: Fraction) -> tuple[Fraction, Fraction]:
        """Return the container times on the target that the two rules name."""
        begin, own = self.target.start_s or Fraction(0), self.reference.start_s or Fraction(0)
        if not self.alignment.trusted:
            return time_s, begin + time_s - own - self.alignment.estimates.frame_count_s
        found = begin + self.alignment.time_map.to_target(time_s)
        if self.alignment.method == "timestamps":  # right, unless somebody counts from the start
            return begin + time_s - own, found
        return time_s, found

    def frame_at(self, time_s: Fraction) -> int:
        if time_s >= (self.target.end_s or 0):
            return -1
        return frame_at(self.target.pts, self.target.time_base, time_s)


def _believed(content: Content, alignment: Alignment) -> list[list[Span]]:
    """Return the believed windows in three groups by time, or one to a group if they are few.

    In each group the clearest window comes first.
    """
    believed = [window for window in content.windows if window.accepted]
    shortest = min((window.span.duration for window in believed), default=Fraction(0))
    clear = [
        window
        for window in believed
        if window.span.duration <= 2 * max(shortest, Fraction(1))
        and not alignment.time_map.is_broken(window.span)
    ]
    if len(clear) < _MOST:
        return [[window.span] for window in clear]
    begin, end = clear[0].span.start, max(window.span.end for window in clear)
    thirds = [int(_MOST * (window.span.start - begin) / (end - begin)) for window in clear]
    if len(set(thirds)) < _MOST:  # all in one index: equally many to a group
        thirds = [_MOST * number // len(clear) for number in range(len(clear))]
    ordered = sorted(zip(thirds, clear, strict=True), key=lambda pair: -pair[1].correlation)
    return [[window.span for third, window in ordered if third == n] for n in range(_MOST)]


def difference(
    reference: NDArray[np.uint8], target: NDArray[np.uint8], view: PictureView
) -> NDArray[np.float64]:
    """Return how far two pictures differ where both see the scene, (rows, columns), 0 to 255.

    Both are brought to the smaller of their sizes first: detail that only one stream has is not a
    difference.
    """
    parts = (reference, view.reference_sampler()), (target, view.target_sampler())
    rows = min(_pixels(sampler.y, picture.shape[0]) for picture, sampler in parts)
    columns = min(_pixels(sampler.x, picture.shape[1]) for picture, sampler in parts)
    own, other = (_resized(picture, sampler, rows, columns) for picture, sampler in parts)
    return np.asarray(np.abs(own - other).mean(axis=2))


def _pixels(part: tuple[float, float], count: int) -> int:
    return max(round((part[1] - part[0]) / 2 * count), 1)


def _resized(
    picture: NDArray[np.uint8], sampler: Sampler, rows: int, columns: int
) -> NDArray[np.float64]:
    """Return a part of a picture as (rows, columns, 3), each cell the mean of its pixels."""
    down = averaging(sampler.y, rows, picture.shape[0])
    across = averaging(sampler.x, columns, picture.shape[1])
    return np.asarray(np.einsum("rh,hwc,kw->rkc", down, picture, across, optimize=True))


def _time(stream: Stream, index: int) -> Fraction:
    return int(stream.pts[index]) * stream.time_base
