"""A video of what a model is fed: all views of a clip side by side, each at its own pace.

A view shows a frame from the time at which the clip presents it until its next one; before its
first frame it is empty. Videos are compressed: whoever counts pixels takes the sheet.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dogclips.media.writing import Pixels, TimedFrame, VideoTrack, write_video
from dogclips.records.fed import FedClip, Strip
from dogclips.reports.pictures.fed_sheet import (
    COLOURS,
    FAULT,
    GAP,
    GROUND,
    INK,
    LINE,
    MARGIN,
    QUIET,
    RULE,
    heading_texts,
    squares,
    write_words,
)

_TICKS = 1000  # of a second
_PAUSE = 700  # ticks between two clips
_FAULT = 2500  # ticks for which a reason is shown
_LEAST_CELL = 160  # columns that the heading of a view needs
_MOST_WIDTH = 1280
_LEAST_WIDTH = 480  # of a page: names of clips are long
_NAME = 170  # columns of a view's name beside its times
_OPTIONS = {"preset": "veryfast", "crf": "12"}

ClipStrips = tuple[FedClip, Sequence[Strip]]


class Layout:
    """Pages of one size for all clips, with a cell for each strip.

    `cell` are width and height of the largest frame as it is made, `num_cells` the strips of a clip
    at most, `num_tracks` the views whose times are drawn below the frames.
    """

    def __init__(self, cell: tuple[int, int], num_cells: int, num_tracks: int = 0) -> None:
        factor = max(-(-_LEAST_CELL // cell[0]), 1)  # each pixel becomes a square
        self.num_tracks, self.box = num_tracks, (cell[0] * factor, cell[1] * factor)
        self.step = self.box[0] + GAP, self.box[1] + 2 * LINE + GAP  # from one cell to the next
        most = max(_MOST_WIDTH // self.step[0], 1)
        self.columns = -(-num_cells // -(-num_cells // most))
        rows = -(-num_cells // self.columns)
        self.tracks_top = self.corner(0)[1] + rows * self.step[1]
        width = max(self.columns * self.step[0] - GAP, _LEAST_WIDTH) + 2 * MARGIN
        height = self.tracks_top + num_tracks * LINE + MARGIN
        self.size = width + width % 2, height + height % 2  # of a page

    def corner(self, number: int) -> tuple[int, int]:
        """Return left and top of a cell."""
        row, column = divmod(number, self.columns)
        top = MARGIN + 2 * LINE + GAP
        return MARGIN + column * self.step[0], top + row * self.step[1]


def write_clips(path: Path, clips: Iterable[ClipStrips], layout: Layout) -> None:
    """Write clips one after the other; a clip without strips is a page with the reason."""
    width, height = layout.size
    track = VideoTrack(
        width, height, Fraction(25), options=_OPTIONS, time_base=Fraction(1, _TICKS), default=True
    )
    write_video(path, [track], _frames(clips, layout))


def _frames(clips: Iterable[ClipStrips], layout: Layout) -> Iterator[TimedFrame]:
    begin, last = 0, np.zeros(0, dtype=np.uint8)
    for clip, strips in clips:
        ground = _ground(clip, layout)
        changes = {clip.start_s, *(time_s for strip in strips for time_s in strip.times_s)}
        # Of those that a video cannot tell apart the last one counts.
        pages = {round((time_s - clip.start_s) * _TICKS): time_s for time_s in sorted(changes)}
        for tick, time_s in pages.items():
            last = _page(ground, clip, strips, layout, time_s)
            yield 0, begin + tick, last
        begin += _FAULT if clip.fault else round((clip.end_s - clip.start_s) * _TICKS) + _PAUSE
    if begin:
        yield 0, begin, last  # without it the last page would be gone at once


def _ground(clip: FedClip, layout: Layout) -> Image.Image:
    """Return the page without frames."""
    page = Image.new("RGB", layout.size, GROUND)
    draw, width = ImageDraw.Draw(page), layout.size[0] - 2 * MARGIN
    for row, text in enumerate(heading_texts(clip)):
        write_words(draw, (MARGIN, MARGIN + row * LINE), text, width, bold=not row)
    below, colour = (clip.fault, FAULT) if clip.fault else (clip.remark, QUIET)
    write_words(draw, (MARGIN, MARGIN + 3 * LINE), below, width, colour)
    for row, view in enumerate(clip.views[: layout.num_tracks]):
        top, colour = layout.tracks_top + row * LINE, COLOURS[view.kind]
        write_words(draw, (MARGIN, top), view.heading, _NAME - GAP, colour)
        draw.rectangle((MARGIN + _NAME, top + 8, MARGIN + width, top + 9), fill=RULE)
        for time_s in view.times_s:
            at = _column(clip, layout, time_s)
            draw.rectangle((at - 1, top + 3, at + 1, top + 14), fill=colour)
    return page


def _page(
    ground: Image.Image, clip: FedClip, strips: Sequence[Strip], layout: Layout, time_s: float
) -> Pixels:
    """Return the page at a time: of each strip the frame that is on."""
    page = ground.copy()
    draw = ImageDraw.Draw(page)
    for number, strip in enumerate(strips):
        left, top = layout.corner(number)
        width, height = layout.box
        index = bisect_right(strip.times_s, time_s) - 1
        if index < 0:
            draw.rectangle((left, top, left + width - 1, top + height - 1), fill=RULE)
        else:
            rows, columns = strip.pixels.shape[1:3]
            factor = max(min(width // columns, height // rows), 1)
            page.paste(Image.fromarray(squares(strip.pixels[index], factor)), (left, top))
            height = rows * factor
            clock = f"{strip.times_s[index]:.3f} s"
            write_words(draw, (left, top + height + 2 + LINE), clock, page.width)
        heading, colour = ", ".join(strip.heading), COLOURS.get(strip.heading[0], INK)
        write_words(draw, (left, top + height + 2), heading, page.width, colour)
    if layout.num_tracks and clip.views:
        at = _column(clip, layout, time_s)
        bottom = layout.tracks_top + len(clip.views) * LINE
        draw.line((at, layout.tracks_top, at, bottom), fill=INK)
    return np.asarray(page, dtype=np.uint8)


def _column(clip: FedClip, layout: Layout, time_s: float) -> int:
    """Return where a time of a clip lies below its frames."""
    left, right = MARGIN + _NAME, layout.size[0] - MARGIN
    share = (time_s - clip.start_s) / max(clip.end_s - clip.start_s, 1e-9)
    return left + round((right - left) * share)
