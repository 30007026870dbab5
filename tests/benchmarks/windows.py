"""A million windows planned, labelled and split: seconds, and how they grow with the number."""

import time
from fractions import Fraction

import numpy as np
import pandas as pd

from dogclips.clips.windows import BOUT_COLUMNS, WindowRules, plan_windows
from dogclips.lists.splits import assign_splits

MILLION = 1_000_000
PER_RECORDING = 5000  # almost an hour and a half
CLASSES = tuple(f"behaviour {number}" for number in range(10))
RULES = WindowRules(
    Fraction(4), Fraction(1), min_overlap_s=Fraction(1), min_overlap_fraction=Fraction(1, 2)
)
SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}


def rows() -> list[tuple[str, str, str]]:
    """Return the rows of the benchmark's table."""
    quarter, whole = (_seconds(number) for number in (MILLION // 4, MILLION))
    task = f"plan, label and split {MILLION:,} windows"
    return [(task, "a quarter of them", f"{whole / quarter:.1f} ({whole:.1f} s)")]


def _seconds(number: int) -> float:
    recordings = {f"{n:04d}.mp4": _bouts(n) for n in range(number // PER_RECORDING)}
    until_s = Fraction(PER_RECORDING)
    began = time.monotonic()
    tables = [
        plan_windows(bouts, CLASSES, RULES, until_s=until_s, annotated_s=until_s).assign(
            recording=name
        )
        for name, bouts in recordings.items()
    ]
    windows = pd.concat(tables, ignore_index=True)
    index = {name: place for place, name in enumerate(CLASSES)}
    clips = pd.DataFrame(
        {
            "path": windows["recording"] + windows.index.astype(str),
            "labels": [tuple(index[name] for name in own) for own in windows["labels"]],
            "recording": windows["recording"],
        }
    )
    splits = assign_splits(clips, len(CLASSES), SHARES)
    took = time.monotonic() - began
    assert (len(splits), set(splits)) == (number, set(SHARES))
    return took


def _bouts(seed: int) -> pd.DataFrame:
    """Return one segment every ten seconds on average, in milliseconds as players write them."""
    random = np.random.default_rng(seed)
    count = PER_RECORDING // 10
    begins = np.sort(random.integers(0, PER_RECORDING * 1000, count))
    lengths = random.integers(500, 20_000, count)
    spans = zip(begins.tolist(), lengths.tolist(), strict=True)
    rows = [
        (Fraction(begin, 1000), Fraction(begin + length, 1000), CLASSES[label], "behaviour", "")
        for (begin, length), label in zip(
            spans, random.integers(0, len(CLASSES), count), strict=True
        )
    ]
    return pd.DataFrame(rows, columns=list(BOUT_COLUMNS))


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
