"""How all tables look: narrow enough for a terminal of 100 columns."""

from rich import box
from rich.table import Table


def new_table(title: str = "", caption: str = "", *, footer: bool = False) -> Table:
    """Return an empty table; the caption stands below it, one line a remark."""
    return Table(
        title=title or None,
        title_justify="left",
        caption=caption or None,
        caption_justify="left",
        show_footer=footer,
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
