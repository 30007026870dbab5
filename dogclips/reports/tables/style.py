"""How all tables look: narrow enough for a terminal of 100 columns."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def filled_table(
    title: str,
    columns: Iterable[str],
    rows: Iterable[Sequence[object] | None],
    remarks: str = "",
    footer: Sequence[str] = (),
) -> Group:
    """Return a table between a title and remarks, which may be wider than the table.

    Parameters
    ----------
    columns
        Their names; `>` behind one sets its cells to the right, and `|` keeps them on one line,
        where others are folded if they are too long.
    rows
        Their cells, shown as they are and never read as markup; None draws a line.
    footer
        What stands below the columns.
    """
    padding = (0, 1, 0, 0)
    table = Table(show_footer=bool(footer), box=box.SIMPLE_HEAD, padding=padding, pad_edge=False)
    for name, below in zip_longest(columns, footer, fillvalue=""):
        head = name.rstrip(">|")
        mark = name[len(head) :]
        table.add_column(
            head,
            below,
            justify="right" if ">" in mark else "left",
            no_wrap="|" in mark,
            overflow="fold",
        )
    for row in rows:
        if row is None:
            table.add_section()
        else:
            table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    parts: list[RenderableType] = [Text(title, style="bold")] if title else []
    return Group(*parts, table, *([Text(f"{remarks}\n")] if remarks else []))


def marked(names: Iterable[str], mark: str = ">|") -> list[str]:
    """Return columns of a table: without more, of numbers that are never torn."""
    return [f"{name}{mark}" for name in names]


def plain(text: str) -> str:
    """Return text of a file from elsewhere without anything that moves the cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
