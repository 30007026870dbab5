"""The folder of an export: it appears whole, and takes the place of the one before."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dogclips.errors import OutputError
from dogclips.files import part_of, write_whole

RECORD = "export.json"


@contextmanager
def export_folder(out: Path, export_format: str, record: Mapping[str, Any]) -> Iterator[Path]:
    """Yield an empty folder; what the block leaves in it replaces an earlier export in `out`.

    Nothing changes in `out` while the block runs, or if it fails. `export.json` says what was
    exported: `record` as the block leaves it, and the names of all that belongs to the export.
    """
    staging = part_of(out / "export")
    try:
        earlier = _earlier(out, export_format, staging)
        shutil.rmtree(staging, ignore_errors=True)  # of a run that was killed
        staging.mkdir(parents=True)
        yield staging
        _publish(staging, out, {"format": export_format, **record}, earlier)
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename or out
        raise OutputError(
            f"cannot export: {reason}", where=where, todo="mend it, and run again"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _earlier(out: Path, export_format: str, staging: Path) -> list[str]:
    """Return the names that an earlier export left in a folder."""
    present = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if not present - {staging.name}:
        return []
    todo = "choose a new folder with --out"
    if RECORD not in present:
        raise OutputError("the folder holds something else than an export", where=out, todo=todo)
    try:
        record = json.loads((out / RECORD).read_text(encoding="utf-8"))
        if record["format"] == export_format:
            return [_plain(name) for name in record["entries"]]
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError("not a record of ours", where=out / RECORD, todo=todo) from error
    raise OutputError(f"the folder holds an export as {record['format']}", where=out, todo=todo)


def _plain(name: str) -> str:
    """Return a name, unless it leads out of the folder: what a record names is deleted."""
    if name in {"", ".", ".."} or Path(name).name != name:
        raise ValueError(name)
    return name


def _publish(staging: Path, out: Path, record: Mapping[str, Any], earlier: list[str]) -> None:
    """Replace the entries of an earlier export; a killed run is mended by the next one."""
    made = sorted(path.name for path in staging.iterdir())
    _write_record(out, {**record, "finished": False, "entries": sorted({*earlier, *made})})
    for name in earlier:
        if (out / name).is_dir():
            shutil.rmtree(out / name)
        else:
            (out / name).unlink(missing_ok=True)
    for name in made:
        (staging / name).rename(out / name)
    _write_record(out, {**record, "finished": True, "entries": made})


def _write_record(out: Path, record: Mapping[str, Any]) -> None:
    text = json.dumps({"version": 1, **record}, indent=2, ensure_ascii=False)
    write_whole(out / RECORD, f"{text}\n")
