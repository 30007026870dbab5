"""What a model is fed as a contact sheet, pixel by pixel, and as a video of all views side by side.

On a sheet small frames are enlarged by a whole factor, so that each of their pixels becomes a
square of one colour. Marks and words lie beside frames, never on them. In a video a view shows a
frame from the time at which the clip presents it until its next one; before its first frame it is
empty. Videos are compressed: whoever counts pixels takes the sheet.

Shapes: T frames, H x W pixels.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dogclips.errors import UsageError
from dogclips.files import whole_file
from dogclips.media.writing import Pixels, TimedFrame, VideoTrack, write_video
from dogclips.records.fed import FedClip, FedView, Strip
from dogclips.reports.pictures.lettering import drawable, fitting, font

Colour = tuple[int, int, int]

GROUND, INK, QUIET, RULE = (255, 255, 255), (28, 30, 34), (104, 110, 120), (214, 217, 222)
FAULT = (176, 32, 38)
COLOURS: dict[str, Colour] = {"train": (196, 92, 0), "test": (24, 96, 190)}
MARGIN, GAP, EDGE = 20, 8, 3  # pixels; an edge marks a frame and lies in the gap
LINE = 20
_TEXT, _SMALL, _HEAD = 14, 12, 17  # sizes of letters
_HEADING = 190  # columns beside the frames
_MOST_WIDTH = 2080  # of the frames of a line: 16 small ones, 8 of 224
_LEAST_TILE = 96  # columns that a time needs
_MOST_HEIGHT = 32767  # more is not opened by some browsers


def write_words(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    width: float,
    colour: Colour = INK,
    *,
    bold: bool = False,
) -> None:
    """Write as much of a text as fits into so many columns."""
    letters = font(_TEXT, bold=bold)
    draw.text(corner, fitting(drawable(text), width, letters), fill=colour, font=letters)


def squares(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return frames (..., H, W, 3) in which each pixel is a square of one colour."""
    return pixels.repeat(factor, axis=-3).repeat(factor, axis=-2)


def write_sheet(path: Path, blocks: Iterable[Image.Image], title: Sequence[str]) -> None:
    """Write the pictures of clips one below the other, under lines of a title, as PNG.

    Raises
    ------
    UsageError
        The sheet would be higher than what can be opened everywhere.
    """
    drawn, height = list[Image.Image](), MARGIN
    for block in chain([title_block(title)], blocks):
        drawn.append(block)
        height += block.height + MARGIN
        if height > _MOST_HEIGHT:
            raise UsageError(
                f"more than {len(drawn) - 2} clips do not fit on one sheet",
                where=path,
                todo="name a folder to get one sheet per clip, or lower --clips",
            )
    sheet = Image.new("RGB", (max(one.width for one in drawn) + 2 * MARGIN, height), GROUND)
    top, draw = MARGIN, ImageDraw.Draw(sheet)
    for one in drawn:
        sheet.paste(one, (MARGIN, top))
        if top > MARGIN:
            draw.line((MARGIN, top, sheet.width - MARGIN, top), fill=RULE)
        top += one.height + MARGIN
    with whole_file(path) as part:
        sheet.save(part, format="PNG")


def title_block(lines: Sequence[str]) -> Image.Image:
    """Return lines of text, the first one large."""
    texts = [drawable(line) for line in lines]
    letters = [font(_TEXT if row else _HEAD, bold=not row) for row in range(len(lines))]
    width = max(own.getlength(text) for own, text in zip(letters, texts, strict=True))
    block = Image.new("RGB", (round(width) + 1, len(lines) * LINE + 8), GROUND)
    draw = ImageDraw.Draw(block)
    for row, (text, own) in enumerate(zip(texts, letters, strict=True)):
        draw.text((0, row * (LINE + 4)), text, fill=QUIET if row else INK, font=own)
    return block


def clip_block(clip: FedClip, strips: Sequence[Strip], *, marked: bool = False) -> Image.Image:
    """Draw a clip: name, labels, and a row of frames for each strip.

    Strips come in the order of the views, or as a single one of all frames; if `marked`, the frames
    that the views show get their marks.
    """
    rows = [_strip_block(strip, clip.views if marked else ()) for strip in strips]
    width = max([_HEADING + _LEAST_TILE * 6, *(row.width for row in rows)])
    heads = [(text, INK) for text in heading_texts(clip)]
    heads += [(clip.remark, QUIET)] if clip.remark else []
    if clip.fault:
        heads += [(line, FAULT) for line in _wrapped(f"unreadable: {clip.fault}", width)]
    head_height = len(heads) * LINE + GAP
    height = 1 + GAP + head_height + sum(row.height + GAP for row in rows)
    block = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(block)
    for line, (text, colour) in enumerate(heads):
        write_words(draw, (0, 1 + GAP + line * LINE), text, width, colour, bold=not line)
    top = 1 + GAP + head_height
    for row in rows:
        block.paste(row, (0, top))
        top += row.height + GAP
    return block


def heading_texts(clip: FedClip) -> tuple[str, str]:
    """Return what stands above a clip: its name, its labels with its time."""
    labels = ", ".join(clip.labels) or "no label"
    if clip.fault:
        return clip.name, labels
    return clip.name, f"{labels}   ·   {clip.start_s:.3f} to {clip.end_s:.3f} s"


def _wrapped(text: str, width: int) -> list[str]:
    """Break a text between words so that each line fits."""
    letters, lines = font(_TEXT), [""]
    for word in drawable(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and letters.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _strip_block(strip: Strip, views: Sequence[FedView]) -> Image.Image:
    """Draw the frames of a strip in lines of equal length, its heading on the left."""
    tiles = squares(strip.pixels, max(-(-_LEAST_TILE // strip.pixels.shape[2]), 1))
    num_frames, height, width = tiles.shape[:3]
    num_lines = -(-num_frames // max((_MOST_WIDTH + GAP) // (width + GAP), 1))
    per_line = -(-num_frames // num_lines)
    below = LINE * (2 if views else 1)
    step = EDGE + height + below + GAP
    block = Image.new(
        "RGB", (_HEADING + per_line * (width + GAP) - GAP + EDGE, num_lines * step), GROUND
    )
    draw = ImageDraw.Draw(block)
    _draw_heading(draw, strip, views, num_lines * step)
    for number, (tile, time_s) in enumerate(zip(tiles, strip.times_s, strict=True)):
        left = _HEADING + number % per_line * (width + GAP)
        top = number // per_line * step + EDGE
        takers = [view for view in views if time_s in view.times_s]
        _mark(draw, takers, (left, top, width, height))
        block.paste(Image.fromarray(tile), (left, top))
        colour = INK if takers or not views else QUIET
        draw.text((left, top + height + 3), f"{time_s:.3f} s", fill=colour, font=font(_SMALL))
    return block


def _draw_heading(
    draw: ImageDraw.ImageDraw, strip: Strip, views: Sequence[FedView], height: int
) -> None:
    """Write what a strip is, and what the marks in it mean, as far as there is room."""
    for line, text in enumerate(strip.heading):
        colour = INK if line else COLOURS.get(strip.heading[0], INK)
        write_words(draw, (0, EDGE + line * LINE), text, _HEADING - GAP, colour, bold=not line)
    top = EDGE + len(strip.heading) * LINE + GAP
    for view, at in zip(views, range(top, height - LINE, LINE), strict=False):
        right = _draw_chip(draw, view, 0, at)
        words = fitting(view.heading, _HEADING - right - 2 * GAP, font(_SMALL))
        draw.text((right + 4, at), words, fill=INK, font=font(_SMALL))


def _mark(
    draw: ImageDraw.ImageDraw, takers: Sequence[FedView], tile: tuple[int, int, int, int]
) -> None:
    """Draw an edge around a frame that views show, and a chip for each of them below it."""
    if not takers:
        return
    left, top, width, height = tile
    box = (left - EDGE, top - EDGE, left + width + EDGE - 1, top + height + EDGE - 1)
    draw.rectangle(box, fill=COLOURS[takers[0].kind])
    right, chip_top = left + width, top + height + LINE
    for number, view in enumerate(takers):
        if left + _chip_width(view) > right:
            rest = f"+{len(takers) - number}"
            draw.text((left, chip_top), rest, fill=INK, font=font(_SMALL))
            return
        left = _draw_chip(draw, view, left, chip_top) + 3


def _draw_chip(draw: ImageDraw.ImageDraw, view: FedView, left: int, top: int) -> int:
    """Draw the mark of a view, and return where it ends."""
    right = left + _chip_width(view)
    draw.rectangle((left, top, right - 1, top + 15), fill=COLOURS[view.kind])
    draw.text((left + 4, top), view.mark, fill=GROUND, font=font(_SMALL))
    return right


def _chip_width(view: FedView) -> int:
    return round(font(_SMALL).getlength(view.mark)) + 8


# Videos.

_TICKS = 1000  # of a second
_PAUSE_TICKS = 700  # ticks between two clips
_FAULT_TICKS = 2500  # ticks for which a reason is shown
_LEAST_CELL = 160  # columns that the heading of a view needs
_MOST_PAGE = 1280  # columns of the cells of a page
_LEAST_PAGE = 480  # names of clips are long
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
        most = max(_MOST_PAGE // self.step[0], 1)
        self.columns = -(-num_cells // -(-num_cells // most))
        rows = -(-num_cells // self.columns)
        self.tracks_top = self.corner(0)[1] + rows * self.step[1]
        width = max(self.columns * self.step[0] - GAP, _LEAST_PAGE) + 2 * MARGIN
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
        begin += (
            _FAULT_TICKS
            if clip.fault
            else round((clip.end_s - clip.start_s) * _TICKS) + _PAUSE_TICKS
        )
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
