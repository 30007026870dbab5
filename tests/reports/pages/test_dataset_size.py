"""A data set of a hundred thousand windows still makes a page that opens at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dogclips.lists.session_records import RecordingRecords, SessionRecords
from dogclips.records.manifest import manifest_table
from dogclips.reports.pages.dataset import dataset_page
from dogclips.reports.pictures.clip_cards import ClipCard, LabelCards, StillsPicture
from dogclips.reports.pictures.figures import picture_url
from dogclips.reports.tables.cut import SKIP_REASONS
from dogclips.scores.concerns import concerns_of
from dogclips.scores.dataset import Dataset
from tests.reports.reader import DESKTOP, has_chromium, read_page

# Both tests are run where time is measured, for the page takes seconds to make.
pytestmark = pytest.mark.timing

NUM_RECORDINGS, NUM_WINDOWS, NUM_SEGMENTS = 100, 1000, 500
CLASSES = [f"behaviour {number}" for number in range(12)]
MOST_BYTES, MOST_MS = 30_000_000, 3000


@pytest.fixture(scope="module")
def page() -> bytes:
    """Return the page; every other window or so is dropped, for all the reasons there are."""
    random = np.random.default_rng(0)
    reasons = list(SKIP_REASONS)
    rows = []
    for recording in range(NUM_RECORDINGS):
        kept, why = random.random(NUM_WINDOWS) < 0.6, random.integers(0, len(reasons), NUM_WINDOWS)
        first = random.integers(0, len(CLASSES) - 1, NUM_WINDOWS)
        for window in range(NUM_WINDOWS):
            label = int(first[window])
            rows.append(
                {
                    "source": f"video/{recording:06}.mp4",
                    "clip": f"p/{recording}_{window}.mp4" if kept[window] else "",
                    "status": "cut" if kept[window] else "skipped",
                    "reason": "" if kept[window] else reasons[why[window]],
                    "start_s": 4.0 * window,
                    "end_s": 4.0 * window + 4,
                    "labels": [CLASSES[label], CLASSES[label + 1]] if kept[window] else [],
                    "target_stream": 1,
                    "verified": True,
                }
            )
    manifest = manifest_table(rows)
    recordings = tuple(
        RecordingRecords(str(source), (), own, segments(random), 4.0 * NUM_WINDOWS)
        for source, own in manifest.groupby("source")
    )
    dataset = Dataset.of([SessionRecords(Path("2_2_kt"), manifest, recordings, tuple(CLASSES))])
    return dataset_page(dataset, concerns_of(dataset), cards(random))


def segments(random: np.random.Generator) -> pd.DataFrame:
    starts = np.sort(random.uniform(0, 4.0 * NUM_WINDOWS, NUM_SEGMENTS))
    labels = random.choice(CLASSES, NUM_SEGMENTS)
    ends = starts + random.uniform(0.2, 9, NUM_SEGMENTS)
    return pd.DataFrame({"source": "", "label": labels, "start_s": starts, "end_s": ends})


def cards(random: np.random.Generator) -> list[LabelCards]:
    """Return two cards a label, with pictures of noise, which compresses worst."""
    url = picture_url(random.integers(0, 256, (90, 484, 3)).astype(np.uint8))
    picture = StillsPicture(url, width=484, height=90)
    card = ClipCard("clip.mp4", "a.mp4", "0 to 4 s", (CLASSES[0],), picture)
    return [LabelCards(name, "2 of 5,000 clips", {"": (card, card)}) for name in CLASSES]


def test_a_hundred_thousand_windows_stay_small(page: bytes) -> None:
    assert len(page) < MOST_BYTES


@pytest.mark.players
@pytest.mark.skipif(not has_chromium, reason="Chromium is not installed")
def test_a_hundred_thousand_windows_open_within_three_seconds(page: bytes, tmp_path: Path) -> None:
    seen = read_page(page, tmp_path, [DESKTOP])[DESKTOP]

    assert sum(int(text.replace(",", "")) for *_, text in seen["statuses"]) == 100_000
    assert sum(bar["number"] for bar in seen["bars"] if bar["kind"] != "label") == 100_000
    assert seen["took_ms"] < MOST_MS
