"""From what a model says of windows to what happens in each step of time.

A window of four seconds that shows one second of walking is labelled like one that shows four, so
the mean over the windows that cover an instant smears a label out by most of a window on either
side. Three ways to tell where in its windows a label lies:

- "counts": how sure a model is grows with how much of a window shows the label. For each label a
  hidden Markov model with the last `steps` steps as its state explains the log odds of all windows
  by the number of steps that carry the label (forward-backward and Baum-Welch: Rabiner 1989, "A
  tutorial on hidden Markov models"). How sure a model is at each number is learned from the
  recording itself, between two anchors: windows without the label lie below the run's threshold,
  windows with one step of it or more above. A model that is as sure of one step as of all then
  means a step only where all windows around it agree.
- "mean": the mean of the windows that cover a step.
- "centre": the window whose middle is nearest to the step's.

Shapes: W windows, one per step; K labels; T = W + steps - 1 steps; S states.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dogclips.scores.bouts import Floats

Locate = Literal["counts", "mean", "centre"]

MOST_STEPS = 6  # 64 states; with more it takes long and tells no more
_CHANGES = 1.2  # of a label within a window, expected before anything is seen
_ROUNDS = 15
_PRIOR_WINDOWS = 2.0  # so many windows speak for how sure the model was taken to be before
_LEAST_SPREAD = 0.3  # of log odds
_FAR = 2.0  # how far from the threshold log odds are taken to be where no window shows it
_LEAST = 1e-7  # of a probability; its log odds are those of single precision
_MOST_CELLS = 2_000_000  # in memory at once


def locate(
    probability_WK: Floats, threshold_K: Floats, steps: int, method: Locate = "counts"
) -> Floats:
    """Return a score for each step and label (T, K), to be compared with the same thresholds.

    NaN stands for windows that the model was not shown, and for steps that no shown one covers. A
    window, which covers `steps` whole steps, shows a label from its threshold on, between 0 and 1.
    """
    mean_TK = covering_mean(probability_WK, steps)
    if method == "mean" or steps == 1:
        return mean_TK
    if method == "centre":
        score_TK = _centred(probability_WK, steps)
    else:
        threshold_K = np.clip(threshold_K, _LEAST, 1 - _LEAST)
        score_TK = _counted(log_odds(probability_WK), log_odds(threshold_K), steps)
        # However far below it all others lie: no window above the threshold, no label.
        shown_TK = _highest(probability_WK, steps) > threshold_K
        score_TK = np.where(shown_TK, score_TK, np.minimum(score_TK, mean_TK))
    score_TK[np.isnan(mean_TK)] = np.nan
    return score_TK


def covering_mean(probability_WK: Floats, steps: int) -> Floats:
    """Return the mean over the windows that cover each step (T, K); NaN where there is none."""
    known_WK = ~np.isnan(probability_WK)
    sums_TK, counts_TK = (
        _sums(values, steps) for values in (np.where(known_WK, probability_WK, 0.0), known_WK)
    )
    return np.where(counts_TK > 0, sums_TK / np.maximum(counts_TK, 1), np.nan)


def log_odds(probability: Floats) -> Floats:
    """Return log(p / (1 - p)), finite for 0 and 1."""
    inner = np.clip(probability, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(inner) - np.log1p(-inner))


def _sums(values_WK: NDArray[np.generic], steps: int) -> Floats:
    """Return the sum over the windows that cover each step (T, K)."""
    padded = np.pad(values_WK.astype(np.float64), ((steps - 1, steps - 1), (0, 0)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, steps, axis=0).sum(-1))


def _highest(probability_WK: Floats, steps: int) -> Floats:
    """Return the highest of the shown windows that cover each step (T, K), 0 without any."""
    padded = np.pad(np.nan_to_num(probability_WK), ((steps - 1, steps - 1), (0, 0)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, steps, axis=0).max(-1))


def _centred(probability_WK: Floats, steps: int) -> Floats:
    """Return the probability of the shown window that is nearest to each step (T, K)."""
    shown = np.flatnonzero(~np.isnan(probability_WK).any(axis=1))
    wanted = np.arange(len(probability_WK) + steps - 1) - (steps - 1) / 2
    if not len(shown):
        return np.full((len(wanted), probability_WK.shape[1]), np.nan)
    right = np.clip(np.searchsorted(shown, wanted), 1, max(len(shown) - 1, 1))
    left, right = shown[right - 1], shown[np.minimum(right, len(shown) - 1)]
    nearest = np.where(wanted - left <= right - wanted, left, right)
    return probability_WK[nearest].copy()


def _counted(odds_WK: Floats, bar_K: Floats, steps: int) -> Floats:
    """Return scores (T, K) by counting, label by label or a few at a time."""
    num_windows, num_labels = odds_WK.shape
    together = max(1, _MOST_CELLS // max(num_windows << steps, 1))
    parts = [
        _Chain(odds_WK[:, first : first + together], bar_K[first : first + together], steps)
        for first in range(0, num_labels, together)
    ]
    carried_TK = np.concatenate([part.carried() for part in parts], axis=1)
    # As far above 0.5 as a step's own odds are, so far above the threshold is its score.
    return np.asarray(1 / (1 + np.exp(-(log_odds(carried_TK) + bar_K))))


class _Chain:
    """The hidden Markov model of a few labels of one recording.

    A state is the last `steps` steps as bits, the newest lowest.
    """

    def __init__(self, odds_WK: Floats, bar_K: Floats, steps: int) -> None:
        self.odds_WK, self.bar_K, self.steps = odds_WK, bar_K, steps
        self.shown_W = np.asarray(~np.isnan(odds_WK).any(axis=1))
        states = np.arange(1 << steps)
        self.bits_Sn = (states[:, None] >> np.arange(steps)) & 1
        self.count_S = self.bits_Sn.sum(axis=1)
        change = min(0.5, _CHANGES / steps)
        top, mask = 1 << (steps - 1), (1 << steps) - 1
        # States before and after each state, and how likely the step from one to the other is.
        self.before_2S = np.stack([states >> 1, (states >> 1) | top])
        self.into_2S = np.where((self.before_2S & 1) == (states & 1), 1 - change, change)
        self.after_2S = np.stack([(states << 1) & mask, ((states << 1) & mask) | 1])
        self.out_2S = np.where((self.after_2S & 1) == (states & 1), 1 - change, change)
        changes_S = np.abs(np.diff(self.bits_Sn, axis=1)).sum(axis=1)
        self.first_S = change**changes_S * (1 - change) ** (steps - 1 - changes_S)
        self._start()

    def carried(self) -> Floats:
        """Return how probable it is that each step carries each label (T, K)."""
        for _ in range(_ROUNDS if self.shown_W.any() else 0):
            self._learn(self._states())
        state_WKS = self._states()
        oldest_WK = state_WKS @ self.bits_Sn[:, -1]
        # The last window tells of its newer steps.
        newer_nK = (state_WKS[-1] @ self.bits_Sn[:, :-1]).T[::-1]
        return np.concatenate([oldest_WK, newer_nK])

    def _start(self) -> None:
        """Take windows above the threshold for such with the label, however much of it."""
        shown_WK = self.odds_WK[self.shown_W]
        above_WK = shown_WK > self.bar_K
        without_K = _means(shown_WK, ~above_WK, self.bar_K - _FAR)
        with_K = _means(shown_WK, above_WK, self.bar_K + _FAR)
        self.level_Kn = np.stack([without_K, *[with_K] * self.steps], axis=1)
        spread_K = shown_WK.std(axis=0) / 2 if len(shown_WK) else np.ones_like(self.bar_K)
        self.spread_K = np.maximum(spread_K, _LEAST_SPREAD)

    def _states(self) -> Floats:
        """Return the probability of each state at each window (W, K, S)."""
        seen_WKS = self._seen()
        state_WKS = np.empty_like(seen_WKS)
        state_KS = np.broadcast_to(self.first_S, seen_WKS.shape[1:])
        for window, seen_KS in enumerate(seen_WKS):
            if window:
                state_KS = (state_KS[:, self.before_2S] * self.into_2S).sum(axis=1)
            state_KS = state_KS * seen_KS
            state_KS = state_KS / state_KS.sum(axis=1, keepdims=True)
            state_WKS[window] = state_KS
        later_KS = np.ones_like(state_KS)
        for window in range(len(seen_WKS) - 1, 0, -1):
            told_KS = later_KS * seen_WKS[window]
            later_KS = (told_KS[:, self.after_2S] * self.out_2S).sum(axis=1)
            later_KS = later_KS / later_KS.sum(axis=1, keepdims=True)
            both_KS = state_WKS[window - 1] * later_KS
            state_WKS[window - 1] = both_KS / both_KS.sum(axis=1, keepdims=True)
        return state_WKS

    def _seen(self) -> Floats:
        """Return how well each state explains each window (W, K, S); all alike if not shown."""
        away_WKn = (self.odds_WK[:, :, None] - self.level_Kn) / self.spread_K[:, None]
        told_WKn = -0.5 * np.where(self.shown_W[:, None, None], away_WKn, 0.0) ** 2
        told_WKn = np.exp(told_WKn - told_WKn.max(axis=2, keepdims=True)) + 1e-12
        return np.asarray(np.take(told_WKn, self.count_S, axis=2))

    def _learn(self, state_WKS: Floats) -> None:
        """Fit how sure the model is at each number of steps; more of them never make it less so."""
        counts_Sn = np.eye(self.steps + 1)[self.count_S]
        share_WKn = (state_WKS @ counts_Sn)[self.shown_W]
        odds_WK1 = self.odds_WK[self.shown_W][:, :, None]
        weight_Kn = share_WKn.sum(axis=0)
        sums_Kn = (share_WKn * odds_WK1).sum(axis=0) + _PRIOR_WINDOWS * self.level_Kn
        level_Kn = np.maximum.accumulate(sums_Kn / (weight_Kn + _PRIOR_WINDOWS), axis=1)
        bar_K1 = self.bar_K[:, None]
        first = np.minimum(level_Kn[:, :1], bar_K1)
        self.level_Kn = np.concatenate([first, np.maximum(level_Kn[:, 1:], bar_K1)], axis=1)
        off_K = (share_WKn * (odds_WK1 - self.level_Kn) ** 2).sum(axis=(0, 2))
        self.spread_K = np.maximum(np.sqrt(off_K / weight_Kn.sum(axis=1)), _LEAST_SPREAD)


def _means(values_WK: Floats, chosen_WK: NDArray[np.bool_], otherwise_K: Floats) -> Floats:
    """Return the mean of the chosen values of each label; `otherwise` where none is."""
    counts_K = chosen_WK.sum(axis=0)
    sums_K = np.where(chosen_WK, values_WK, 0.0).sum(axis=0)
    return np.where(counts_K > 0, sums_K / np.maximum(counts_K, 1), otherwise_K)
