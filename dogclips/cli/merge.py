"""`dogclips merge`: merge the shards of a cut."""

from pathlib import Path
from typing import Annotated

from typer import Argument

import dogclips
from dogclips.cli.cut import show_cut
from dogclips.cli.options import Json

EXAMPLES = """
  Cut in two parts, here one after the other, then merge them:
  $ dogclips cut Feb/2_2_kt --shard 1/2
  $ dogclips cut Feb/2_2_kt --shard 2/2
  $ dogclips merge Feb/2_2_kt

  Cut everything as one shard, and print the result as JSON:
  $ dogclips cut Feb/2_2_kt --shard 1/1
  $ dogclips merge Feb/2_2_kt --json
"""


def merge(
    base_dirs: Annotated[
        list[Path],
        Argument(metavar="SESSION", help="Sessions in which every shard was cut."),
    ],
    as_json: Json = False,
) -> None:
    """Merge the shards of `dogclips cut --shard` into one data set.

    Writes one manifest and the lists of each session.
    """
    show_cut("merge", lambda show: dogclips.merge(base_dirs, progress=show), as_json=as_json)
