"""What `dogclips export` shows: what each split became, and how its tool loads it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group

from dogclips.lists.exporting import FOLDER_OF, Export
from dogclips.lists.formats import UNFIT_REASONS
from dogclips.reports.tables.style import filled_table, marked


def export_table(export: Export) -> Group:
    """Return clips, labels, files and skipped clips of each split."""
    found = {name for own in export.splits.values() for name in own.skipped}
    reasons = [name for name in UNFIT_REASONS if name in found]
    counts = {
        split: [own.clips, own.labels, own.files, *(own.skipped.get(name, 0) for name in reasons)]
        for split, own in export.splits.items()
    }
    rows: list[Sequence[object] | None] = [(split, *own) for split, own in counts.items()]
    if len(rows) > 1:
        rows += [None, ("", *map(sum, zip(*counts.values(), strict=True)))]
    title = f"{export.out}: {export.settings.format}, {len(export.names)} classes"
    heads = ("clips", "labels", "files", *(f"skipped: {name}" for name in reasons))
    remarks = "\n".join(f"{name}: {UNFIT_REASONS[name]}" for name in reasons)
    return filled_table(title, ("split", *marked(heads, ">")), rows, remarks)


def export_document(export: Export) -> dict[str, Any]:
    """Return the JSON document of `export --json`."""
    return {
        "format": export.settings.format,
        "out": str(export.out),
        "prefix": str(export.settings.prefix),
        "labels": list(export.names),
        "splits": {split: asdict(own) for split, own in export.splits.items()},
        "load": loading_lines(export),
    }


def loading_lines(export: Export) -> list[str]:
    """Return the lines of a configuration, or of Python, with which the tool loads the export."""
    splits = [split for split, own in export.splits.items() if own.files]
    out, prefix, classes = export.out.absolute(), export.settings.prefix, len(export.names)
    if export.settings.format == "mmaction2":
        return [
            f"{split}: dict(type='VideoDataset', ann_file={str(out / split) + '.txt'!r}, "
            f"data_prefix=dict(video={str(prefix)!r}), multi_class=True, num_classes={classes})"
            for split in splits
        ]
    if export.settings.format == "slowfast":
        return [
            f"DATA.PATH_TO_DATA_DIR {out}",
            f"DATA.PATH_PREFIX {prefix}",
            f'DATA.PATH_LABEL_SEPARATOR "{export.settings.separator}"',
            f"MODEL.NUM_CLASSES {classes}",
        ]
    if export.settings.format == "videofolder":
        folders = ", ".join(FOLDER_OF[split] for split in splits)
        return [f"load_dataset('videofolder', data_dir={str(out)!r})  # {folders}"]
    if export.settings.format == "webdataset":
        last = {split: export.splits[split].files - 1 for split in splits}
        numbers = {
            split: f"{{000000..{last[split]:06d}}}" if last[split] else "000000" for split in splits
        }
        return [
            f"webdataset.WebDataset({str(out / f'{split}-{numbers[split]}.tar')!r}, "
            f"shardshuffle={split == 'train'})"
            for split in splits
        ]
    return [f"paths are relative to {prefix}"]
