"""What the pixels say about the time between two streams of one sensor.

Where animals move, each frame of one stream has exactly one partner in the other. Looks at a few
stretches find it, windows decide which looks are worth believing, and a path over time finds lost
frames and drifting clocks. Nothing is believed without a peak that stands out, a correlation that
unrelated scenes do not reach, and pictures that agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.lags import (
    LagGrid,
    Likeness,
    WindowLag,
    compare,
    is_all_intra,
    measure_windows,
    motion_of,
    pooled,
)
from dogclips.alignment.pieces import (
    CHANGE_COST,
    DriftLine,
    LagPath,
    Piece,
    best_path,
    certain_runs,
    doubts_of,
    drift_of,
    exact_shift,
)
from dogclips.alignment.stretches import Stretch, StretchChooser
from dogclips.alignment.verification import Evidence, SeenStretch, evidence_of, seen_stretch
from dogclips.alignment.view import PictureView, fit_view
from dogclips.processes import in_threads_of
from dogclips.streams import (
    STANDARD_RATES,
    THUMBNAIL_COLUMNS,
    THUMBNAIL_ROWS,
    Stream,
    Thumbnails,
)
from dogclips.timebase import Span

MIN_FIT = 0.85  # correlation of the fitted pictures; below it a lag can be wrong with confidence

# Of 153 pairs of 18 real scenes, those of different places fit by 0.84 at most, and the same scene
# behind a sensor's noise by 0.985 at least, where its levels differ by more than this.
_LEAST_DETAIL = 15.0

_MOST_LOOKS = 8  # without a single believable window
# Looks in a row into a doubt, at what moves most in it, that tell nothing: motion that repeats does
# not tell more the longer it is looked at.
_MOST_BARREN = 5
_MOST_SECONDS = 1200.0  # looked at in all
_DRIFT_SECONDS = 240.0  # looked at for the line of a drifting clock
_REACH_S = 8.0  # shifts that are tried beyond what lengths and timestamps suggest
_MOST_REACH_S = 60.0
_WIDE_REACH_S = 30.0  # the same where nothing is found nearer
_NEAR_S = 2.0  # the same once a shift is known
_EVIDENCE = 3.0  # log-likelihood of one frame that moves exactly alike
_NUM_PAIRS = 24  # pairs of pictures that the view is fitted to
_LEAST_STEP_S = 1 / 240  # where timestamps repeat, most steps are 0
_MOST_KEYFRAMES = 0.15  # of the looked-at frames; a second between keyframes has fewer
# Of a frame: a clock that drifts is never further from its line where every change of the shift was
# seen. What is further are frames lost one by one.
_MOST_OFF_SEEN = 0.65
_LEAST_BELIEVED_S = 4.0  # one short window may be wrong, and nothing would contradict it
_LEAST_CERTAIN = 0.2  # of the looked-at frames
# Of 2710 verified answers for 5000 made pairs (seed 50000000), by the least mean margin, 386 of
# 387, 917 of 917 and 1406 of 1406 were exact; here as (exact + 1) / (all + 2).
_EXACT_SHARES = ((0.0, 0.995), (0.2, 0.9989), (0.4, 0.9993))


class Footage(Protocol):
    """A recording that can be looked at; `media.footage.FileFootage` reads files."""

    def look(self, stream: Stream, first: int, stop: int) -> Thumbnails:
        """Return the thumbnails of the frames at indices `first` to `stop`."""

    def activity(self, stream: Stream) -> NDArray[np.float64]:
        """Return (num_frames,): how much each frame has to say."""


@dataclass(frozen=True, eq=False)
class Content:
    """What was seen, and what follows from it."""

    reason: str  #: Why the pixels cannot tell; empty if they can
    view: PictureView  #: How the target's picture lies over the reference's
    #: Everything that was measured, believed or not, in time order.
    windows: tuple[WindowLag, ...] = ()
    #: The shifts that were tried, and the correlation of all that was looked at for each of them;
    #: NaN where nothing overlaps.
    grid: LagGrid = field(default_factory=lambda: LagGrid(0.0, 1.0, 0, 0))
    curve: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    pieces: tuple[Piece, ...] = ()  #: In time order; between two of them the shift changes
    #: Container time on the reference at which the shift is unknown.
    doubts: tuple[Span, ...] = ()
    #: Seconds of the reference that were looked at, and the longest stretch that was not. Losses of
    #: equally many frames in both streams within one such stretch cancel out behind it and stay
    #: unseen.
    looked_s: float = 0.0
    longest_unseen_s: float = 0.0
    #: Whether both pictures have something to see, and it is not the same.
    other_scene: bool = False
    #: Outside of the doubts, no piece is further than this from the truth.
    error_s: Fraction = Fraction(0)
    #: What any window shows; None unless all of the recording was looked at.
    evidence: Evidence | None = None

    @property
    def confident(self) -> bool:
        """Return whether the pixels say how the streams align."""
        return not self.reason

    @property
    def confidence(self) -> float:
        """Return the share of such answers that were exact on made pairs; 0 without an answer.

        By the mean margin of the believed windows, see `make fuzz`.
        """
        if not self.confident:
            return 0.0
        margins = [window.margin for window in self.windows if window.accepted]
        margin = sum(margins) / max(len(margins), 1)
        return max(share for least, share in _EXACT_SHARES if margin >= least)

    @property
    def drift_ppm(self) -> float:
        """Return by how many millionths the target's timestamps run faster."""
        return float(self.pieces[0].drift * 1_000_000) if self.pieces else 0.0


@dataclass(eq=False)
class _Look:
    """One stretch of both streams, and what was measured in it under the view so far."""

    stretch: Stretch
    reference: Thumbnails
    target: Thumbnails
    likeness: Likeness | None = None
    windows: tuple[WindowLag, ...] = ()
    seen: SeenStretch | None = None

    def forget_pictures(self) -> None:
        """Keep what was measured: the pictures of hours would fill the memory."""
        none = np.empty((0, THUMBNAIL_ROWS, THUMBNAIL_COLUMNS), dtype=np.uint8)
        self.reference = replace(self.reference, pictures=none)
        self.target = replace(self.target, pictures=none)
        if self.likeness is not None:
            self.likeness.forget_sums()

    @property
    def believed(self) -> list[WindowLag]:
        return [window for window in self.windows if window.accepted]


def compare_content(
    reference: Stream, target: Stream, footage: Footage, *, whole: bool = False
) -> Content:
    """Find the shifts between two streams of one sensor from their pictures.

    Looks at three stretches of a long recording, and at more only where that leaves doubt; at the
    `whole` of it to verify each clip.
    """
    return _Comparison(reference, target, footage, whole=whole).run()


def _step_s(stream: Stream) -> float:
    """Return the usual distance of frames, without the rounding of their timestamps.

    A shift is counted in these steps: a third of a millisecond too little in each is half a frame
    after fifty.
    """
    if stream.frame_rate and not stream.variable_frame_rate:
        return float(1 / stream.frame_rate)
    usual = max(float(np.median(np.diff(stream.pts)) * stream.time_base), _LEAST_STEP_S)
    nearest = min((float(1 / rate) for rate in STANDARD_RATES), key=lambda step: abs(step - usual))
    return nearest if abs(nearest - usual) < float(stream.time_base) else usual


class _Comparison:
    def __init__(self, reference: Stream, target: Stream, footage: Footage, *, whole: bool) -> None:
        self.reference, self.target, self.footage, self.whole = reference, target, footage, whole
        steps = [_step_s(stream) for stream in (reference, target)]
        self.base_s = max(steps)
        late_s = float(target.times_s[0] - reference.times_s[0])
        self.end_shift_s = float((target.end_s or 0) - (reference.end_s or 0))
        self.reach_s = _REACH_S + min(abs(self.end_shift_s), _MOST_REACH_S)
        same_rate = steps[0] < 1.02 * steps[1] and steps[1] < 1.02 * steps[0]
        constant = [s for s in (reference, target) if not s.variable_frame_rate]
        step_s = _step_s(constant[0]) if same_rate and constant else min(steps)
        zero_s = late_s - round(late_s / step_s) * step_s if same_rate else 0.0
        self.grid = LagGrid(zero_s, step_s, 0, 0, same_rate)
        self.reach(self.reach_s)
        end_s, activity = float(reference.end_s or 0), footage.activity(reference)
        self.chooser = StretchChooser(reference.times_s, end_s, activity)
        self.view = PictureView()
        self.looks: list[_Look] = []

    @property
    def seen(self) -> list[Stretch]:
        return [look.stretch for look in self.looks]

    @property
    def believed_s(self) -> float:
        """Return how much of what was looked at lies in believed windows."""
        rows = [{row for w in look.believed for row in range(*w.rows)} for look in self.looks]
        return sum(map(len, rows)) * _step_s(self.reference)

    @property
    def looked_s(self) -> float:
        return sum(end - start for start, end in self.seen)

    def reach(self, reach_s: float) -> None:
        """Try shifts of up to so many seconds."""
        self.reach_s, most = reach_s, int(reach_s / self.grid.step_s)
        self.grid = replace(self.grid, low=-most, high=most)

    def run(self) -> Content:
        found = self.found()
        if found.confident or found.other_scene or self.believed_s:
            return found
        if self.reach_s >= _WIDE_REACH_S:
            return found
        self.looks, self.view = [], PictureView()
        self.reach(_WIDE_REACH_S)
        wider = self.found()
        return wider if wider.confident else found

    def found(self) -> Content:
        for stretch in self.chooser.first():
            self.look(stretch)
        # Keyframes of both streams may lock onto each other and pull the lag along.
        first = self.looks[0].reference, self.looks[0].target
        if any(
            not is_all_intra(seen) and seen.keyframes.sum() > _MOST_KEYFRAMES * len(seen.keyframes)
            for seen in first
        ):
            self.view = self.still_view() or self.view
            return self.content("keyframes are so frequent that coding looks like motion")
        self.fit()
        while self.believed_s < _LEAST_BELIEVED_S:
            more = self.chooser.elsewhere(self.seen) if len(self.looks) < _MOST_LOOKS else None
            if more is None:
                return self.content("no motion that matches at one lag only")
            self.look(more)
            self.fit()
        if self.view.fit < MIN_FIT:
            return self.content("the two pictures do not show the same scene")
        return self.conclude()

    def conclude(self) -> Content:
        """Look again wherever that can settle a doubt, then say what was found."""
        if self.whole:
            self.look_everywhere()
        barren = 0
        while True:
            path, spans = self.path()
            runs, doubts = certain_runs(path, spans, self.grid), doubts_of(path, spans)
            drift = drift_of(runs)
            if self.looked_s > (_MOST_SECONDS if drift is None else _DRIFT_SECONDS):
                break
            # Into the longest doubt, or all along a drifting clock.
            between, within = self.chooser.between, self.chooser.within
            more = within(doubts, self.seen) if drift is None else between(self.seen)
            if more is None or barren == _MOST_BARREN:
                break
            self.look(more)
            self.measure(self.looks[-1])
            barren = 0 if self.looks[-1].believed else barren + 1
        if path.certain.mean() < _LEAST_CERTAIN:
            return self.content("different moments suggest different lags")
        if drift is not None and not (self.whole and drift.off > _MOST_OFF_SEEN):
            return self.content("", [self.drifting(drift)], error=drift.off)
        pair = self.reference, self.target
        pieces = [Piece(run.span, exact_shift(*pair, run, self.grid)) for run in runs]
        return self.content("", pieces, doubts)

    def look_everywhere(self) -> None:
        """Look at all that was not looked at, near the shifts that are known."""
        numbers = [window.number for look in self.looks for window in look.believed]
        near = int(_NEAR_S / self.grid.step_s)
        self.grid = replace(self.grid, low=min(numbers) - near, high=max(numbers) + near)
        for look in self.looks:
            self.measure(look)
            look.forget_pictures()
        for stretch in list(self.chooser.rest(self.seen)):
            self.look(stretch)
            self.measure(self.looks[-1])
            self.looks[-1].forget_pictures()

    def look(self, stretch: Stretch) -> None:
        """Look at a stretch of the reference, and where its partners may lie in the target."""
        start, end = stretch
        low, high = -self.reach_s, self.reach_s
        known = [window.number for look in self.looks for window in look.believed]
        if known:
            shifts = [0.0, self.end_shift_s, *(self.grid.shift_s(number) for number in known)]
            low, high = min(shifts) - _NEAR_S, max(shifts) + _NEAR_S
        first, stop = np.searchsorted(self.reference.times_s, (start - 1e-6, end - 1e-6))
        first_t, stop_t = np.searchsorted(self.target.times_s, (start + low, end + high))
        with in_threads_of(2) as pool:
            own = pool.submit(self.footage.look, self.reference, int(first), int(stop))
            other = pool.submit(self.footage.look, self.target, int(first_t), int(stop_t))
            self.looks.append(_Look(stretch, own.result(), other.result()))

    def fit(self) -> None:
        """Fit the view to the still scene, then to the pictures that the windows pair up."""
        view = self.still_view()
        if view is None:
            return
        self.view = view
        for _ in range(2):
            for look in self.looks:
                self.measure(look)
            pairs = self.paired_pictures()
            if pairs is None:
                return
            old = self.view
            views = [fit_view(*pairs, start=start) for start in (old, PictureView())]
            self.view = max(views, key=lambda view: view.fit)
            if self.view.is_near(old):
                return
        for look in self.looks:
            self.measure(look)

    def still_scenes(self) -> list[NDArray[np.float64]]:
        """Return the mean picture of each stream, (1, rows, columns); none where none decodes."""
        seen = (
            np.concatenate([look.reference.pictures for look in self.looks]),
            np.concatenate([look.target.pictures for look in self.looks]),
        )
        if not all(map(len, seen)):
            return []
        return [pictures.mean(axis=0, keepdims=True) for pictures in seen]

    def still_view(self) -> PictureView | None:
        """Return how the still scenes fit; None where there are no pictures."""
        scenes = self.still_scenes()
        return fit_view(scenes[0], scenes[1]) if scenes else None

    def shows_other_scene(self) -> bool:
        """Return whether the pictures do not fit although there is something to see in both."""
        if self.view.fit >= MIN_FIT:
            return False
        scenes = self.still_scenes()
        return bool(scenes) and all(scene.std() > _LEAST_DETAIL for scene in scenes)

    def measure(self, look: _Look) -> None:
        if len(look.reference.indices) < 2 or len(look.target.indices) < 2:
            return
        own = motion_of(self.reference, look.reference, self.view.reference_sampler(), self.base_s)
        other = motion_of(self.target, look.target, self.view.target_sampler(), self.base_s)
        look.likeness = compare(own, other, self.grid)
        # As far as two shifts that are tried lie apart.
        far = max(self.grid.high - self.grid.low, 2) // 2
        itself = compare(own, own, replace(self.grid, zero_s=0.0, low=-far, high=far))
        look.windows = tuple(measure_windows(look.likeness, itself, self.grid))
        look.seen = seen_stretch(own, other, look.likeness) if self.whole else None

    def paired_pictures(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return pictures of the same instants in both streams, by the believed windows."""
        own: list[NDArray[np.uint8]] = []
        other: list[NDArray[np.uint8]] = []
        for look in self.looks:
            times = self.target.times_s[look.target.indices]
            for window in sorted(look.believed, key=lambda w: -w.correlation)[:_NUM_PAIRS]:
                rows = np.linspace(*window.rows, 5)[1:-1].astype(int)
                shift_s = self.grid.shift_s(window.number)
                at = self.reference.times_s[look.reference.indices[rows]] + shift_s
                partners = np.searchsorted(times, at - self.grid.step_s / 2)
                partners = np.minimum(partners, len(times) - 1)
                near = np.abs(times[partners] - at) <= 0.6 * self.grid.step_s
                own.extend(look.reference.pictures[rows[near]])
                other.extend(look.target.pictures[partners[near]])
        if not own:
            return None
        chosen = np.unique(np.linspace(0, len(own) - 1, _NUM_PAIRS).astype(int))
        return np.stack(own)[chosen].astype(float), np.stack(other)[chosen].astype(float)

    def path(self) -> tuple[LagPath, list[Span]]:
        """Return the best path over all looks, and the times of its rows.

        A stretch that was not looked at is one row without evidence.
        """
        rows: list[NDArray[np.float32]] = []
        spans: list[Span] = []
        nothing = np.zeros(len(self.grid.numbers), dtype=np.float32)
        last = self.frame_span(0).start
        for index, evidence in self.evidence():
            span = self.frame_span(index)
            if float(span.start - last) > self.grid.step_s / 2:
                rows.append(nothing)
                spans.append(Span(last, span.start))
            rows.append(evidence)
            spans.append(span)
            last = span.end
        end = self.reference.end_s or last
        if float(end - last) > self.grid.step_s / 2:
            rows.append(nothing)
            spans.append(Span(last, end))
        return best_path(np.stack(rows), *self.end_costs()), spans

    def evidence(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield (frame, evidence for each shift) of each frame looked at.

        A frame has a say if a believed window finds its partner; what it resembles otherwise is
        chance.
        """
        for look in sorted(self.looks, key=lambda look: look.stretch):
            if look.likeness is None:
                continue
            paired = look.likeness.energies[1] > 0
            heard = np.zeros(len(paired), dtype=bool)
            for window in look.believed:
                rows = slice(*window.rows)
                heard[rows] |= paired[rows, window.number - self.grid.low]
            evidence = _EVIDENCE * look.likeness.products * heard[:, None]
            yield from zip(look.likeness.indices.tolist(), evidence, strict=True)

    def frame_span(self, index: int) -> Span:
        """Return the time of a frame of the reference, until the next one."""
        start = self.reference.frame_time(index)
        if index + 1 < len(self.reference.pts):
            return Span(start, self.reference.frame_time(index + 1))
        return Span(start, self.reference.end_s or start)

    def end_costs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what it costs a path to start and to end at each shift.

        Timestamps that tell the truth start it at 0; streams that end together end it at the
        difference of their ends.
        """
        shifts, step = self.grid.shifts_s, self.grid.step_s
        truthful = np.abs(shifts) <= 0.51 * step
        together = np.abs(shifts - self.end_shift_s) <= 0.6 * step
        if abs(self.end_shift_s) <= 2.5 * step:
            together |= truthful
        return np.where(truthful, 0, CHANGE_COST), np.where(together, 0, CHANGE_COST)

    def drifting(self, line: DriftLine) -> Piece:
        """Return one piece along the line; half a frame makes the frame on screen the nearest."""
        start = self.reference.start_s or Fraction(0)
        end = self.reference.end_s or start
        number = line.at_zero + line.slope * float(start) + 0.5
        shift_s = Fraction(self.grid.shift_s(number)).limit_denominator(1_000_000)
        drift = Fraction(line.slope * self.grid.step_s).limit_denominator(10**9)
        return Piece(Span(start, end), shift_s, drift)

    def content(
        self,
        reason: str,
        pieces: Sequence[Piece] = (),
        doubts: Sequence[Span] = (),
        *,
        error: float = 0.0,
    ) -> Content:
        """Return what was found; `error` is that of the pieces, in steps of the grid."""
        windows = [window for look in self.looks for window in look.windows]
        measured = [look.likeness for look in self.looks if look.likeness is not None]
        seen = [look.seen for look in self.looks if look.seen is not None]
        other_scene = bool(reason) and self.shows_other_scene()
        return Content(
            reason="the two pictures do not show the same scene" if other_scene else reason,
            other_scene=other_scene,
            view=self.view,
            windows=tuple(sorted(windows, key=lambda window: window.span.start)),
            grid=self.grid,
            curve=pooled(measured) if measured else np.full(len(self.grid.numbers), np.nan),
            pieces=tuple(pieces),
            doubts=tuple(doubts),
            looked_s=self.looked_s,
            longest_unseen_s=self.chooser.longest_unseen_s(self.seen),
            error_s=Fraction(error * self.grid.step_s).limit_denominator(1_000_000),
            evidence=evidence_of(self.grid, seen) if self.whole and not reason else None,
        )
