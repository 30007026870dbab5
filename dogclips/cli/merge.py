"""`dogclips merge`: what the shards of a cut have made becomes one result."""

from pathlib import Path
from typing import Annotated

from typer import Argument

import dogclips
from dogclips.cli.cut import show_cut
from dogclips.cli.options import Json


def merge(
    base_dirs: Annotated[list[Path], Argument(metavar="BASE_DIR...", help="Sessions.")],
    as_json: Json = False,
) -> None:
    """Put the shards of `dogclips cut --shard I/N` together: one manifest, and the lists.

    Example: dogclips merge dog_video/Feb/2_2_kt
    """
    show_cut("merge", lambda show: dogclips.merge(base_dirs, progress=show), as_json=as_json)
