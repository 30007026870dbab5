"""Pages that are one file: rendered from a template, with pictures inside.

Jinja2 and matplotlib are imported where something is drawn: no other command pays for them.
"""

from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_JPEG = {"quality": 72, "optimize": True}


def rendered(template: str, values: Mapping[str, Any]) -> bytes:
    """Return the page that a template of this folder makes of values; all text is escaped.

    A template that extends `page.html.j2` shares its style, and its policy by which a browser
    neither loads anything from outside nor runs any script.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(template).render(values).encode()


def picture_url(pixels: NDArray[np.uint8]) -> str:
    """Return a picture of (rows, columns, 3) as a JPEG in a data URL."""
    from matplotlib.image import imsave  # noqa: PLC0415

    buffer = BytesIO()
    imsave(buffer, pixels, format="jpg", pil_kwargs=_JPEG)
    return f"data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode()}"
