"""How all tables look: narrow enough for a terminal of 100 columns."""

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text


def new_table(*, footer: bool = False) -> Table:
    """Return an empty table."""
    return Table(show_footer=footer, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def with_remarks(title: str, table: Table, remarks: str = "") -> Group:
    """Return a table between a title and remarks, which may be wider than the table."""
    parts = [Text(title, style="bold")] if title else []
    return Group(*parts, table, *([Text(f"{remarks}\n")] if remarks else []))
