"""What `dogclips export` shows: what each split became, and how its tool loads it."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Group

from dogclips.lists.exporting import FOLDER_OF, Export
from dogclips.lists.formats import UNFIT_REASONS
from dogclips.reports.tables.style import marked, new_table, with_remarks


def export_table(export: Export) -> Group:
    """Return clips, labels, files and skipped clips of each split."""
    reasons = [
        name for name in UNFIT_REASONS if any(name in own.skipped for own in export.splits.values())
    ]
    rows = {
        split: [own.clips, own.labels, own.files, *(own.skipped.get(name, 0) for name in reasons)]
        for split, own in export.splits.items()
    }
    heads = ("clips", "labels", "files", *(f"skipped: {name}" for name in reasons))
    table = new_table("split", *marked(heads, ">"))
    for split, counts in rows.items():
        table.add_row(split, *map(str, counts))
    if len(rows) > 1:
        table.add_section()
        table.add_row("", *(str(sum(column)) for column in zip(*rows.values(), strict=True)))
    title = f"{export.out}: {export.settings.format}, {len(export.names)} classes"
    remarks = [f"{name}: {UNFIT_REASONS[name]}" for name in reasons]
    return with_remarks(title, table, "\n".join(remarks))


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
    written = [split for split, own in export.splits.items() if own.files]
    lines: dict[str, Callable[[Export, list[str]], list[str]]] = {
        "mmaction2": _mmaction2,
        "slowfast": _slowfast,
        "videofolder": _videofolder,
        "webdataset": _webdataset,
    }
    own = lines.get(export.settings.format)
    return own(export, written) if own else [f"paths are relative to {export.settings.prefix}"]


def _mmaction2(export: Export, splits: list[str]) -> list[str]:
    out = export.out.absolute()
    prefix = str(export.settings.prefix)
    return [
        f"{split}: dict(type='VideoDataset', ann_file={str(out / split) + '.txt'!r}, "
        f"data_prefix=dict(video={prefix!r}), multi_class=True, num_classes={len(export.names)})"
        for split in splits
    ]


def _slowfast(export: Export, _: list[str]) -> list[str]:
    return [
        f"DATA.PATH_TO_DATA_DIR {export.out.absolute()}",
        f"DATA.PATH_PREFIX {export.settings.prefix}",
        f'DATA.PATH_LABEL_SEPARATOR "{export.settings.separator}"',
        f"MODEL.NUM_CLASSES {len(export.names)}",
    ]


def _videofolder(export: Export, splits: list[str]) -> list[str]:
    folders = ", ".join(FOLDER_OF[split] for split in splits)
    return [f"load_dataset('videofolder', data_dir={str(export.out.absolute())!r})  # {folders}"]


def _webdataset(export: Export, splits: list[str]) -> list[str]:
    lines = []
    for split in splits:
        last = export.splits[split].files - 1
        numbers = f"{{000000..{last:06d}}}" if last else "000000"
        url = str(export.out.absolute() / f"{split}-{numbers}.tar")
        lines.append(f"webdataset.WebDataset({url!r}, shardshuffle={split == 'train'})")
    return lines
