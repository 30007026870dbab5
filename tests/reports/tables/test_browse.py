"""Sheets, videos and tables of what a model is fed."""

import re
from io import StringIO
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

from dogclips.errors import UsageError
from dogclips.lists import ClipList, ListedClip
from dogclips.lists.choice import drawn_clips, named_clips
from dogclips.records.fed import FedClip, FedView, Kind, Strip
from dogclips.reports.pictures.fed_pictures import (
    COLOURS,
    Layout,
    clip_block,
    write_clips,
    write_sheet,
)
from dogclips.reports.tables.browse import fed_table

ODD = ("<b>walk</b>", "[red]sit[/red]", "=1+1", "狗 \x1b[2J")


def noise(number: int, size: int, seed: int = 0) -> NDArray[np.uint8]:
    chance = np.random.default_rng(seed)
    return chance.integers(256, size=(number, size, size, 3), dtype=np.uint8)


def made(size: int = 20, times_s: tuple[float, ...] = (0.1, 0.25)) -> tuple[FedClip, list[Strip]]:
    """Return a clip with a view of training and one of testing."""
    kinds: tuple[Kind, Kind] = ("train", "test")
    names = ("epoch 1", "")
    views = tuple(FedView(k, n, k[0], times_s) for k, n in zip(kinds, names, strict=True))
    strips = [
        Strip((kind,), times_s, noise(len(times_s), size, seed)) for seed, kind in enumerate(kinds)
    ]
    return FedClip(Path("a.mp4"), "p/a.mp4", ODD, views, 0.0, 1.0), strips


def places_of(tile: NDArray[np.uint8], sheet: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return every top and left at which a picture stands in a larger one, pixel by pixel."""
    first, (height, width) = tile[0].tobytes(), tile.shape[:2]
    found = []
    for top, row in enumerate(sheet):
        at = row.tobytes().find(first)
        part = sheet[top : top + height, at // 3 : at // 3 + width]
        if at >= 0 and np.array_equal(part, tile):
            found.append((top, at // 3))
    return found


@pytest.mark.parametrize("size", [20, 96, 224])
def test_every_pixel_is_on_the_sheet_as_it_is_or_as_a_square(size: int, tmp_path: Path) -> None:
    clip, strips = made(size, tuple(number / 20 for number in range(11)))

    write_sheet(tmp_path / "a.png", [clip_block(clip, strips)], ["title"])

    with Image.open(tmp_path / "a.png") as image:
        sheet = np.asarray(image)
    factor = -(-96 // size)
    places = []
    for tile in (tile for strip in strips for tile in strip.pixels):
        [place] = places_of(tile.repeat(factor, 0).repeat(factor, 1), sheet)
        places.append(place)
    assert places == sorted(places)  # line by line, in the order of time
    assert list(tmp_path.iterdir()) == [tmp_path / "a.png"]


def test_marks_lie_around_the_frames_that_views_show() -> None:
    clip, _ = made(times_s=(0.05, 0.1))
    strip = Strip(("all frames",), (0.0, 0.05, 0.1, 0.15), noise(4, 96))

    block = np.asarray(clip_block(clip, [strip], marked=True))

    for tile, marked in zip(strip.pixels, (False, True, True, False), strict=True):
        [(top, left)] = places_of(tile, block)
        assert (tuple(block[top - 1, left]) == COLOURS["train"]) == marked
        below = block[top + 96 + 3 : top + 96 + 40, left : left + 96].reshape(-1, 3)
        assert (COLOURS["test"] in set(map(tuple, below.tolist()))) == marked


def test_a_sheet_that_no_browser_opens_is_refused_and_not_written(tmp_path: Path) -> None:
    block = Image.new("RGB", (10, 20_000))

    with pytest.raises(UsageError, match=r"more than 1 clips do not fit.*name a folder"):
        write_sheet(tmp_path / "a.png", [block] * 3, ["title"])

    assert list(tmp_path.iterdir()) == []


def pages(path: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        return [
            (frame.time or 0.0, frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def test_a_video_shows_each_view_at_its_own_times(tmp_path: Path) -> None:
    times = (0.1, 0.5, 0.75), (0.3, 0.35, 0.9)
    greys = [np.full((3, 32, 32, 3), 0, np.uint8) for _ in times]
    for view, frames in enumerate(greys):
        frames[:] = np.array([40, 80, 120]).reshape(3, 1, 1, 1) + 100 * view
    clip, _ = made()
    strips = [Strip(("test",), times[view], greys[view]) for view in (0, 1)]
    layout = Layout((32, 32), 2)
    broken = FedClip(Path("b.mp4"), "b.mp4", ("sit",), fault="cut short: cut it again")

    write_clips(tmp_path / "a.mp4", [(clip, strips), (broken, []), (clip, strips)], layout)

    seen = pages(tmp_path / "a.mp4")
    assert {page.shape for _, page in seen} == {(*layout.size[::-1], 3)}
    for begin in (0.0, 1.7 + 2.5):
        own = [(at - begin, page) for at, page in seen if begin - 1e-6 <= at < begin + 1]
        moments = sorted({0.0, *times[0], *times[1]})
        assert [at for at, _ in own] == pytest.approx(moments, abs=2e-3)
        for (_, page), at in zip(own, moments, strict=True):
            for view in (0, 1):
                left, top = layout.corner(view)
                number = sum(time_s <= at for time_s in times[view])
                expected = greys[view][number - 1, 0, 0, 0] if number else 215
                assert abs(int(page[top + 50, left + 50, 0]) - int(expected)) < 8
    assert seen[-1][0] == pytest.approx(2 * 1.7 + 2.5, abs=2e-3)


def test_own_frames_fill_their_cell_and_the_times_of_views_lie_below(tmp_path: Path) -> None:
    clip, _ = made()
    upright = Strip(("all frames",), (0.0, 0.5), np.full((2, 100, 50, 3), 60, np.uint8))
    layout = Layout((640, 360), 1, 2)

    write_clips(tmp_path / "a.mp4", [(clip, [upright])], layout)

    (_, page), *_ = pages(tmp_path / "a.mp4")
    left, top = layout.corner(0)
    assert abs(int(page[top + 298, left + 148, 0]) - 60) < 4
    assert page[top + 298, left + 152, 0] > 240
    below = page[layout.tracks_top :].astype(int)
    assert (below[..., 0] - below[..., 2]).max() > 60  # the training's ticks
    assert (below[..., 2] - below[..., 0]).max() > 60  # those of testing


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_tears_no_time_and_takes_no_label_for_markup(width: int) -> None:
    clip, _ = made(times_s=tuple(100 + number / 7 for number in range(32)))
    broken = FedClip(Path("b.mp4"), "b" * 60, (), fault="the frame at 0.350 s is missing")
    console = Console(file=StringIO(), width=width, highlight=False)

    console.print(fed_table([clip, broken], "title"))

    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    assert len(re.findall(r"\b1\d\d\.\d{3}\b", text)) == 64
    joined = "".join(text.split())
    for label in ("<b>walk</b>", "=1+1", "unreadable"):
        assert label in joined
    assert "\x1b" not in text


@pytest.fixture
def clips() -> ClipList:
    listed = [
        ListedClip(Path(f"/data/out/p{n % 2}/clip_{n}.mp4"), (0,) if n % 5 else (0, 1))
        for n in range(40)
    ]
    return ClipList(Path("/data/out/dataset.txt"), tuple(listed), ("sit", "walk", "never"))


def test_drawn_clips_lie_evenly_and_a_seed_draws_them_again(clips: ClipList) -> None:
    drawn = drawn_clips(clips, 8, None, 3)

    assert set(np.diff(drawn)) == {5}
    assert drawn == drawn_clips(clips, 8, None, 3)
    assert len({tuple(drawn_clips(clips, 8, None, seed)) for seed in range(20)}) > 1
    assert drawn_clips(clips, 99, "walk", 0) == list(range(0, 40, 5))
    with pytest.raises(UsageError, match=r"no label 'wlak' .*did you mean 'walk'"):
        drawn_clips(clips, 8, "wlak", 0)
    with pytest.raises(UsageError, match="no clip has label 'never'"):
        drawn_clips(clips, 8, "never", 0)


def test_clips_are_found_by_any_of_their_names(clips: ClipList) -> None:
    names = ["clip_3", "p0/clip_4.mp4", "clip_3.mp4", "/data/out/p1/clip_5.mp4"]

    assert named_clips(clips, names) == [3, 4, 5]
    with pytest.raises(UsageError, match=r"no clip 'clip_333' .*did you mean 'clip_33'"):
        named_clips(clips, ["clip_333"])
