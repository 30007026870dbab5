"""What a person sees of an alignment: sentences, the plot in text, pictures."""

import re
from base64 import b64decode
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from dogclips.alignment import StreamChoice, Trust
from dogclips.clips.compared_frames import compared_frames
from dogclips.clips.recordings import Recording, measure_recordings
from dogclips.reports.pages.alignment import alignment_html, alignment_png
from dogclips.reports.pictures.lag_plots import PLOT_WIDTH, plot_lags
from dogclips.reports.tables.align import alignment_report, verdict_of
from dogclips.scores.lags import Dot, Lags, lags_of
from tests.moving import write_moving

ODD_NAME = 'yard <b>&"$^$.mp4'


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return measured(
        write_moving(tmp_path_factory.mktemp("video") / ODD_NAME, range(80), range(7, 80))
    )


def measured(path: Path, trust: Trust = "auto") -> Recording:
    choice = StreamChoice()
    return measure_recordings([path], [choice], trust=trust)[path, choice]


def lines_of(lags: Lags) -> list[str]:
    return plot_lags(lags).plain.splitlines()


def test_the_plot_shows_the_believed_windows_at_the_true_loss(lossy: Recording) -> None:
    lags = lags_of(lossy)
    assert lags is not None

    lines = lines_of(lags)

    assert max(len(line) for line in lines) == PLOT_WIDTH
    assert {line.split("┤")[0].strip() for line in lines[1:-3] if "●" in line} == {"+7"}
    assert "─" in next(line for line in lines if line.strip().startswith("+7"))


def test_refused_windows_far_away_are_counted_and_doubts_are_shaded() -> None:
    dots = (Dot(1.0, 0.0, believed=True), Dot(5.0, 900.0, believed=False))
    lags = Lags((0.0, 10.0), dots, (((0.0, 0.0), (10.0, 0.0)),), doubts=((6.0, 7.0),))

    lines = lines_of(lags)

    assert "(1 refused lie outside)" in lines[-1]
    assert all(line[50:57] == "░" * 7 for line in lines[1:4])
    assert lines[2][8:15] == "───────"


@pytest.mark.parametrize("late", [0.0, 3.0, 250.0, -4000.0])
def test_the_plot_never_grows_beyond_its_width_and_height(late: float) -> None:
    dots = tuple(Dot(float(n), late * n / 9, believed=True) for n in range(10))

    lines = lines_of(Lags((0.0, 10.0), dots, (), ()))

    assert max(len(line) for line in lines) == PLOT_WIDTH
    assert len(lines) <= 16
    assert sum(line.count("●") for line in lines[:-1]) == 10


def test_the_report_fits_a_terminal_of_100_columns(lossy: Recording) -> None:
    console = Console(width=100, file=StringIO())
    with console.capture() as shown:
        console.print(alignment_report(lossy))

    assert max(len(line) for line in shown.get().splitlines()) <= 100


def test_a_user_who_overrules_the_pixels_is_told_so(lossy: Recording) -> None:
    told = measured(lossy.path, "timestamps")

    assert "Trusted only because --trust says so: by timestamps" in verdict_of(told)


def test_timestamps_that_tell_the_truth_are_confirmed(tmp_path: Path) -> None:
    file = measured(write_moving(tmp_path / "late.mp4", range(80), range(7, 80), late=7))

    assert verdict_of(file) == (
        "Trusted: stream 1 starts 0.700 s (7 frames) late; the pixels confirm its timestamps."
    )
    assert all(one.reference.index - one.after.index == 7 for one in compared_frames(file))


def test_at_every_moment_the_correction_brings_the_pictures_together(lossy: Recording) -> None:
    compared = compared_frames(lossy)

    assert len(compared) == 3
    for one in compared:
        assert one.before.index == one.reference.index
        assert one.after.index == one.reference.index - 7
        assert one.after.difference.mean() < 0.5 * one.before.difference.mean()


def test_the_page_holds_the_pictures_and_no_name_acts_as_html(lossy: Recording) -> None:
    page = alignment_html(lossy, compared_frames(lossy)).decode()

    pictures = re.findall(r'<figure class="(\w+)">.*?base64,([^"]+)"', page, re.DOTALL)
    assert [kind for kind, _ in pictures] == 3 * ["reference", *2 * ["before"], *2 * ["after"]]
    brightness = [imread(BytesIO(b64decode(data)))[..., :3].mean() for _, data in pictures]
    for first in (0, 5, 10):
        assert brightness[first + 4] < 0.5 * brightness[first + 2]
    assert page.count("<svg") == 2
    assert "yard &lt;b&gt;&amp;" in page
    assert "<b>" not in page
    assert "default-src 'none'" in page
    assert "http:" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)


def test_the_png_holds_a_row_of_pictures_for_every_moment(lossy: Recording) -> None:
    picture = imread(BytesIO(alignment_png(lossy, compared_frames(lossy))))

    height, width, _ = picture.shape
    assert width == 1650
    assert height > 900
    colourful = np.ptp(picture[..., :3], axis=2) > 0.3  # differences, frames, marks
    assert colourful[: 2 * height // 3].mean() > 0.02
