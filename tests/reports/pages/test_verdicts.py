"""The page of a data set shows what the pixels say of each clip."""

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import dogclips
from dogclips.demo.numbers import read_number
from tests.moving import RATE, write_moving
from tests.sessions import write_project

NUM_FRAMES = 300
FROZEN = range(100, 200)
_GAP = 2  # columns between two frames of a strip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of a session whose larger stream is frozen for ten seconds."""
    base_dir = tmp_path_factory.mktemp("judged") / "2_2_kt"
    shown = [FROZEN.start if number in FROZEN else number for number in range(NUM_FRAMES)]
    write_moving(base_dir / "video" / "020500.mp4", range(NUM_FRAMES), shown)
    write_project(base_dir, "0205", {"020500.mp4": [(0, NUM_FRAMES / RATE, "1")]})
    settings = {"clip_seconds": 2, "stride_seconds": 2, "keep_doubtful": True}
    assert dogclips.cut(base_dir, settings, workers=1).ok
    dogclips.report(base_dir, base_dir / "page.html", clips_per_label=1)
    return (base_dir / "page.html").read_text()


def frames(url: str, count: int = 5) -> list[NDArray[np.uint8]]:
    """Return the frames of a strip."""
    pixels = np.asarray(Image.open(BytesIO(base64.b64decode(url))).convert("L"))
    width = (pixels.shape[1] + _GAP) // count
    return [pixels[:, place * width : (place + 1) * width - _GAP] for place in range(count)]


def test_clips_have_a_row_for_each_verdict_with_its_name_and_colour(page: str) -> None:
    rows = re.findall(r'data-verdict="([\w-]+)" data-number="(\d+)"', page)
    assert [verdict for verdict, _ in rows] == ["confirmed", "contradicted"]
    assert sum(int(number) for _, number in rows) == 15
    for verdict in ("confirmed", "contradicted"):
        assert f'<div class="name">clips: {verdict} ' in page
        assert f".v-{verdict} {{ color:" in page
        assert f'<i class="v-{verdict}"></i><strong>{verdict}</strong>' in page


def test_a_contradicted_clip_is_two_strips_the_annotated_one_above(page: str) -> None:
    figures = re.findall(r'<figure class="strips">.*?</figure>', page, re.DOTALL)
    assert len(figures) == 3
    for figure in figures:
        start, end = map(float, re.findall(r"<figcaption>([\d.]+) to ([\d.]+) s", figure)[0])
        assert "cut anyway: stream 0 above stream 1" in figure
        upper, lower = re.findall(r'src="data:image/\w+;base64,([^"]+)"', figure)
        seen = [read_number(frame) for frame in frames(upper)]
        wanted = np.arange(start * RATE, end * RATE)
        assert seen == [wanted[int(len(wanted) * (2 * n + 1) / 10)] for n in range(5)]
        stands = frames(lower)
        inside = [n for n, number in enumerate(seen) if number in FROZEN]
        assert len(inside) >= 3
        moved = [stands[n] - stands[inside[0]].astype(float) for n in inside]
        assert max(float(np.abs(own).mean()) for own in moved) < 2  # what the coding leaves
