"""Clips as WebDataset shards: tar files in which a clip and what is known of it share a key.

Source: `webdataset/tariterators.py`. A key ends at the first dot of a name; files of one key that
stand together make a sample.
"""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd


def write_shards(
    stem: Path,
    clips: pd.DataFrame,
    described: pd.DataFrame,
    shard_size: int,
    watch: Callable[[int], None],
) -> int:
    """Write `STEM-000000.tar` and so on, with `KEY.mp4` and `KEY.json` for each clip, in order.

    The same clips give the same bytes, whenever and by whomever they are written; arguments and
    what is returned, the number of shards, are as for a video folder.
    """
    paths, keys = clips["path"].tolist(), clips["key"].tolist()
    known = described.astype("object").where(described.notna(), None).to_dict("records")
    starts = range(0, len(paths), shard_size)
    for number, start in enumerate(starts):
        shard_path = stem.with_name(f"{stem.name}-{number:06d}.tar")
        with tarfile.open(shard_path, "w", format=tarfile.PAX_FORMAT) as shard:
            for index in range(start, min(start + shard_size, len(paths))):
                path = Path(paths[index])
                _add(shard, f"{keys[index]}{path.suffix.lower()}", path.read_bytes())
                text = json.dumps(known[index], ensure_ascii=False)
                _add(shard, f"{keys[index]}.json", text.encode())
                watch(1)
    return len(starts)


def _add(shard: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)  # nobody's file, of 1970, readable for all
    entry.size = len(content)
    shard.addfile(entry, io.BytesIO(content))
