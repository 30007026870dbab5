"""`dogclips merge`: what the shards of a cut have made becomes one result."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import print_error, print_json, print_result
from dogclips.cli.options import Json
from dogclips.errors import DogclipsError

if TYPE_CHECKING:
    import pandas as pd

    from dogclips.clips.shards import Merged


def merge(
    base_dirs: Annotated[list[Path], typer.Argument(metavar="BASE_DIR...", help="Sessions.")],
    as_json: Json = False,
) -> None:
    """Put the shards of `dogclips cut --shard I/N` together: one manifest, and the lists.

    Example: dogclips merge dog_video/Feb/2_2_kt
    """
    from dogclips.clips.session import OUTPUT_DIR
    from dogclips.clips.shards import merging
    from dogclips.reports.tables.cut import cut_document

    manifests = []
    for base_dir in base_dirs:
        output = base_dir / OUTPUT_DIR
        try:
            with merging(output) as merged:
                manifest = write_merged(merged, output)
        except DogclipsError as error:
            print_error(str(error))
            continue
        if not as_json:
            _print_tables(manifest, merged, base_dir)
        manifests.append(manifest)
    if as_json:
        from pandas import concat

        print_json(cut_document(concat(manifests), [d / OUTPUT_DIR for d in base_dirs], 0))
    failed = any((manifest["status"] == "failed").any() for manifest in manifests)
    if failed or len(manifests) < len(base_dirs):
        raise typer.Exit(1)


def write_merged(merged: "Merged", output: Path) -> "pd.DataFrame":
    """Write the files of a whole cut and return its manifest."""
    from dogclips.files import write_whole
    from dogclips.lists.sessions import write_session_lists
    from dogclips.records.manifest import write_manifest

    write_manifest(merged.table, output)
    write_session_lists(output, merged.table, merged.classes)
    for name, text in merged.documents.items():
        write_whole(output / name, text)
    return merged.table


def _print_tables(manifest: "pd.DataFrame", merged: "Merged", base_dir: Path) -> None:
    from dogclips.reports.tables.cut import label_table, window_table

    print_result(
        label_table(manifest, merged.classes, f"{base_dir}: labels"),
        window_table(manifest, f"{base_dir}: windows"),
    )
