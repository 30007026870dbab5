"""Ratios against what a user would use otherwise, measured side by side in one run.

    make bench

Each pair runs in turn, several times; the median ratio is printed, below 1 where dogclips is
faster. Absolute times would say more about the machine than about the code.
"""

from rich import print as show
from rich.table import Table

from tests.benchmarks import (
    annotations,
    content,
    cutting,
    loading,
    models,
    probing,
    splitting,
    training,
    windows,
)


def main() -> None:
    """Measure everything and print a table of median ratios."""
    table = Table(title="medians over several rounds")
    for column in ("task", "against", "ratio"):
        table.add_column(column)
    tables = (annotations, windows, splitting, cutting, probing, content, loading, models, training)
    for subject in tables:
        for row in subject.rows():
            table.add_row(*row)
    show(table)


if __name__ == "__main__":
    main()
