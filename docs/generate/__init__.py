"""The reference, written from the code: a Sphinx extension that fills `docs/reference/`.

Git ignores that folder. A page is written again only if its text changed, so that Sphinx reads only
what is new.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "reference"


def pages() -> dict[str, str]:
    """Return the text of every page of the reference by its path below `docs/reference/`."""
    from docs.generate import codes, commands, files, front, python, settings

    parts = (commands.pages(), settings.pages(), codes.pages(), files.pages(), python.pages())
    found = {name: text for part in parts for name, text in part.items()}
    return front.pages(found) | found


def write_pages(folder: Path) -> None:
    """Write every page of the reference, and remove those that are no longer there."""
    found = pages()
    for old in folder.rglob("*.md"):
        if old.relative_to(folder).as_posix() not in found:
            old.unlink()
    for name, text in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: "Sphinx") -> dict[str, Any]:
    """Write the reference before Sphinx looks for pages."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir) / FOLDER))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
