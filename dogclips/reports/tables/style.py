"""How all tables look: narrow enough for a terminal of 100 columns."""

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def new_table(*columns: str, footer: bool = False) -> Table:
    """Return a table without rows.

    Parameters
    ----------
    columns
        Their names; `>` behind one sets its cells to the right, and `|` keeps them on one line,
        where others are folded if they are too long.
    """
    table = Table(show_footer=footer, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in columns:
        head = name.rstrip(">|")
        mark = name[len(head) :]
        table.add_column(
            head,
            justify="right" if ">" in mark else "left",
            no_wrap="|" in mark,
            overflow="fold",
        )
    return table


def marked(names: Iterable[str], mark: str = ">|") -> list[str]:
    """Return columns for `new_table`: without more, of numbers that are never torn."""
    return [f"{name}{mark}" for name in names]


def with_remarks(title: str, table: RenderableType, remarks: str = "") -> Group:
    """Return a table between a title and remarks, which may be wider than the table."""
    parts: list[RenderableType] = [Text(title, style="bold")] if title else []
    return Group(*parts, table, *([Text(f"{remarks}\n")] if remarks else []))
