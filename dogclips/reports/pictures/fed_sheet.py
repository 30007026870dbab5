"""A contact sheet of what a model is fed: every pixel as it is, its time below each frame.

Small frames are enlarged by a whole factor, so that each of their pixels becomes a square of one
colour. Marks and words lie beside frames, never on them.

Shapes: T frames, H x W pixels.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dogclips.errors import UsageError
from dogclips.files import whole_file
from dogclips.media.lettering import drawable, fitting, font
from dogclips.records.fed import FedClip, FedView, Strip

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
                todo="name a folder, for a sheet a clip, or lower --clips",
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
