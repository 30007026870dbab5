"""Small pieces of MyST Markdown."""

import re
from collections.abc import Iterable


def code(text: str) -> str:
    """Return text as code.

    >>> code("a|b"), code("`x`")
    ('`a|b`', '`` `x` ``')
    """
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def entry(anchor: str, term: str, *texts: str) -> str:
    """Return one entry of a list of definitions; other pages can point to its anchor.

    >>> print(entry("cut-out", "--out DIR", "Folder to write."))
    [`--out DIR`]{#cut-out}
    : Folder to write.
    """
    paragraphs = [" ".join(text.split()) for text in texts if text]
    return f"[{code(term)}]{{#{anchor}}}\n: " + "\n\n  ".join(paragraphs)


def anchor(*parts: str) -> str:
    """Return a name for an anchor.

    >>> anchor("lr-find", "--from"), anchor("file", "BASE_DIR/output/*.csv")
    ('lr-find-from', 'file-base_dir-output-csv')
    """
    return "-".join(re.sub(r"[^a-z0-9_]+", "-", part.lower()).strip("-") for part in parts)


def page(title: str, *parts: str) -> str:
    """Return a page: its title and its parts, in paragraphs."""
    return "\n\n".join([f"# {title}", *filter(None, parts)]) + "\n"


def toctree(names: Iterable[str], caption: str = "", *, depth: int = 1) -> str:
    """Return a list of pages below this one."""
    head = [f":maxdepth: {depth}", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *head, "", *names, "```"])


def listed(names: Iterable[str]) -> str:
    """Return names as code in a sentence.

    >>> listed(["cut"]), listed(["cut", "check", "test"])
    ('`cut`', '`cut`, `check` and `test`')
    """
    *first, last = map(code, names)
    return f"{', '.join(first)} and {last}" if first else last
