"""Words in pictures."""

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont


@lru_cache
def font(size: int, *, bold: bool = False) -> Font:
    """Return matplotlib's own font, which knows more scripts than Pillow's."""
    return ImageFont.truetype(_file(bold=bold), size)


def drawable(text: str) -> str:
    r"""Return a text as the font can draw it: what it has no sign for becomes a code.

    >>> drawable("<b>шаг</b> é"), drawable("狗\n")
    ('<b>шаг</b> é', '\\u72d7\\n')
    """
    known = _known()
    return "".join(
        letter
        if letter.isprintable() and ord(letter) in known
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def fitting(text: str, width: float, letters: Font) -> str:
    """Return as much of a drawable text as fits into so many pixels."""
    kept = text
    while kept and letters.getlength(kept if kept == text else f"{kept}…") > width:
        kept = kept[:-1]
    return kept if kept == text else f"{kept}…"


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 (only for what the font knows)

    return frozenset(FT2Font(_file()).get_charmap())


def _file(*, bold: bool = False) -> str:
    import matplotlib as mpl  # noqa: PLC0415 (only for its folder)

    name = "DejaVuSans-Bold" if bold else "DejaVuSans"
    return str(Path(mpl.get_data_path(), f"fonts/ttf/{name}.ttf"))
