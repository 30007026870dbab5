"""The look of all plots, and pictures as files and as parts of pages.

Letters stay letters in an SVG: a label in any script is drawn with the fonts of whoever looks at
it. matplotlib is imported where something is drawn: no other command pays for it.
"""

import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREEN, ORANGE, BLUE, YELLOW = "#1a7f4b", "#c4570a", "#2456a6", "#f3c94b"
INK, GRAY, LIGHT = "#1c1f24", "#8a8f98", "#d9dce1"

_SETTINGS: dict[Any, Any] = {  # a Literal of 300 names in matplotlib's types
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titley": 1.0,  # where it comes to lie anyway, after ticks that no plot of ours has on top
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GRAY,
    "text.parse_math": False,  # a label may hold dollars
    "svg.fonttype": "none",
    "svg.hashsalt": "dogclips",  # the same plot is the same file
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the one look of all plots."""
    import matplotlib as mpl  # noqa: PLC0415 (as said above)

    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # What matplotlib's own font lacks comes from the viewer's; in a PNG a box stands for it.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield


def svg_of(figure: "Figure") -> bytes:
    """Return a figure as an SVG that says nothing of when and by what it was made."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415

    buffer = BytesIO()
    canvas: Any = FigureCanvasSVG(figure)  # has no types; `savefig` would draw everything twice
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    canvas.print_svg(buffer, metadata=metadata)
    return buffer.getvalue()


def picture_url(pixels: NDArray[np.uint8], kind: Literal["jpeg", "png"] = "jpeg") -> str:
    """Return a picture of (rows, columns, 3) as a data URL."""
    from matplotlib.image import imsave  # noqa: PLC0415

    buffer = BytesIO()
    compact = {"quality": 72, "optimize": True} if kind == "jpeg" else {}
    imsave(buffer, pixels, format=kind, pil_kwargs=compact)
    return data_url(buffer.getvalue(), kind)


def data_url(content: bytes, kind: str) -> str:
    """Return an image file as a URL that holds it."""
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
