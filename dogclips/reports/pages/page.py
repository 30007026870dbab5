"""Pages that are one file: rendered from a template of this folder, with pictures inside.

Jinja2 is imported where a page is made: no other command pays for it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def rendered(template: str, values: Mapping[str, Any]) -> bytes:
    """Return the page that a template makes of values; all text is escaped.

    Templates extend `page.html.j2`: they share its style, and its policy by which a browser
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
    environment.filters["commas"] = "{:,}".format
    return environment.get_template(template).render(values).encode()
