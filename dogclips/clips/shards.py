"""Shards: runs on many machines that share the work of one plan, and the merging of their results.

Every shard makes the same plan and cuts every N-th unit of it. It has a lock and a manifest of its
own, which carries the digest of the plan, so that only shards of one plan are put together.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from dogclips.clips.plan import ClipPlan
from dogclips.clips.units import plan_units
from dogclips.errors import OutputError, UsageError
from dogclips.files import whole_file
from dogclips.records.documents import record_of
from dogclips.records.manifest import read_manifest, stored_manifest, with_rows
from dogclips.records.mixups import not_a_session

_ROW = "row"  # a column of shards' manifests: the number of the row in the plan
_HEAD = b"dogclips-shard"  # where in the metadata of the Parquet file the head lies
_LOCK = ".lock"
_WAIT_S = 1  # another run may be looking at a lock for a moment


@dataclass(frozen=True)
class Shard:
    """The `number`-th, from 1, of `of` runs that share a plan."""

    number: int
    of: int

    @classmethod
    def from_text(cls, text: str) -> "Shard":
        """Read `I/N`.

        >>> Shard.from_text("2/8")
        Shard(number=2, of=8)
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(
                f"{text!r} is not a shard",
                where="--shard",
                todo="write I/N with I from 1 to N, such as 1/8",
            )
        return cls(int(found[1]), int(found[2]))

    @property
    def name(self) -> str:
        """Return what the names of its own files hold."""
        return f"shard-{self.number}-of-{self.of}"

    @property
    def manifest(self) -> str:
        """Return the file name of its manifest."""
        return f"manifest.{self.name}.parquet"


@dataclass(frozen=True)
class ShardHead:
    """What a shard's manifest says besides its rows."""

    shard: Shard
    plan: str  #: Digest of the whole plan
    num_rows: int  #: How many rows the whole plan has
    classes: tuple[str, ...]
    #: As `ClipPlan.documents`; only the first shard has them.
    documents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Merged:
    """What shards have made together: rows in the order of the plan, and what belongs to them."""

    table: pd.DataFrame
    classes: tuple[str, ...]
    documents: Mapping[str, str]


def shard_of(plan: ClipPlan, shard: Shard) -> tuple[ClipPlan, ShardHead]:
    """Return one shard's part of a plan, whose rows keep their index, and the head of its manifest.

    Rows without a clip belong to the first shard.
    """
    digest = _digest(plan)
    units = plan_units(plan, {job.path for job in plan.jobs.values()})
    # Sessions with fewer units than there are shards do not all burden the first ones.
    first = (shard.number - 1 - int(digest, 16)) % shard.of
    mine = {job.path for unit in units[first :: shard.of] for job in unit.jobs}
    jobs = {row: job for row, job in plan.jobs.items() if job.path in mine}
    rows = set(jobs)
    if shard.number == 1:
        rows |= set(plan.table.index) - set(plan.jobs)
    own = replace(plan, table=plan.table.loc[sorted(rows)], jobs=jobs)
    carried = plan.documents if shard.number == 1 else {}
    return own, ShardHead(shard, digest, len(plan.table), plan.classes, carried)


def _digest(plan: ClipPlan) -> str:
    """Return the digest of the settings and of the rows to cut, by their number in the plan."""
    planned = plan.table[plan.table["status"] == "planned"]
    parts = [
        plan.config.model_dump(mode="json"),
        plan.classes,
        len(plan.table),
        planned.index.tolist(),
        planned.to_dict("records"),
    ]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def write_shard(table: pd.DataFrame, head: ShardHead, output: Path) -> None:
    """Write a shard's manifest; the index of its rows is their number in the plan."""
    rows = pa.Table.from_pandas(table.assign(**{_ROW: table.index}), preserve_index=False)
    about = json.dumps(asdict(head)).encode()
    with whole_file(output / head.shard.manifest) as part:
        pq.write_table(rows.replace_schema_metadata({**rows.schema.metadata, _HEAD: about}), part)


def read_shards(output: Path) -> list[tuple[ShardHead, pd.DataFrame]]:
    """Return the manifests of all shards in an output folder, in the order of their numbers."""
    found: list[tuple[ShardHead, pd.DataFrame]] = []
    documents: Mapping[str, str] = {}
    for path in _manifests(output):
        try:
            stored = pq.read_table(path)
            head = record_of(ShardHead, stored.schema.metadata[_HEAD])
            documents = head.documents or documents  # the first shard comes first
            rows = stored.to_pandas().set_index(_ROW)
            found.append((head, stored_manifest(rows, documents)))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise OutputError(
                "the manifest of a shard cannot be read",
                where=path,
                todo="delete it and cut that shard again",
            ) from error
    return sorted(found, key=lambda pair: (pair[0].shard.of, pair[0].shard.number))


def _manifests(output: Path) -> list[Path]:
    return sorted(output.glob("manifest.shard-*-of-*.parquet"))


def earlier_rows(output: Path, *, force: bool) -> pd.DataFrame | None:
    """Return the rows of all manifests in an output folder; None if there are none.

    With `force` those that cannot be read, or that another version wrote, count as none.
    """
    try:
        shards = [rows for _, rows in read_shards(output)]
        whole = read_manifest(output)
    except OutputError:
        if force:
            return None
        raise
    tables = [*([] if whole is None else [whole]), *shards]
    return with_rows(*tables) if tables else None


def stale_rows(output: Path, table: pd.DataFrame, old: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of clips that an earlier plan has cut and this one does not know."""
    if old is None:
        return table[:0]
    made = old[(old["sha256"] != "") & ~old["clip"].isin(set(table["clip"]))]
    made = made.drop_duplicates("clip", keep="last")
    # An empty list would ask for no columns, not for no rows.
    there = made["clip"].map(lambda clip: (output / clip).is_file()).astype(bool)
    return made[there].assign(status="stale", reason="an earlier plan's")


@contextmanager
def only_writer(output: Path, shard: Shard | None = None) -> Iterator[None]:
    """Keep other runs out of an output folder; only shards of one number run side by side.

    A run of all shards at once takes over what single ones have recorded: their manifests are
    removed if the block does not fail.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            _lock(output, shard, held)
            yield
            if shard is None:
                for path in (*_manifests(output), *output.glob(f"{_LOCK}.shard-*")):
                    path.unlink()
    except Timeout as error:
        raise OutputError(
            "another dogclips is writing to this folder", where=output, todo="wait for it to finish"
        ) from error
    except OSError as error:
        raise OutputError(
            f"the folder is not writable: {error.strerror or error}",
            where=output,
            todo="check its permissions and the free space",
        ) from error


def _lock(output: Path, shard: Shard | None, held: ExitStack) -> None:
    """Hold the lock of a run, then look at the locks of all that it excludes.

    In this order: of two runs that start at once, at least one sees the other.
    """
    if shard is None:
        held.enter_context(FileLock(output / _LOCK, timeout=_WAIT_S))
        for other in sorted(output.glob(f"{_LOCK}.shard-*")):
            held.enter_context(FileLock(other, timeout=_WAIT_S))
        return
    held.enter_context(FileLock(output / f"{_LOCK}.{shard.name}", timeout=_WAIT_S))
    others = output.glob(f"{_LOCK}.shard-*")
    strangers = [path for path in others if not path.name.endswith(f"-of-{shard.of}")]
    for other in (output / _LOCK, *strangers):
        with FileLock(other, timeout=_WAIT_S):
            pass


@contextmanager
def merging(output: Path) -> Iterator[Merged]:
    """Yield what all shards of an output folder have made; then remove their manifests.

    Nothing is removed if the block fails, or if the shards are not all of one finished plan.
    """
    if not output.is_dir() or not (shards := read_shards(output)):
        wrong = not_a_session(output.parent) if output.parent.exists() else None
        if wrong is not None:
            raise OutputError(wrong.what, where=wrong.where, todo=wrong.todo)
        raise OutputError(
            "no shards to merge",
            where=output,
            todo="run `dogclips cut --shard I/N` for every I first",
        )
    with only_writer(output):
        shards = read_shards(output)  # one may just have finished
        heads = [head for head, _ in shards]
        _check_heads(heads, output)
        for head, rows in shards:
            _check_rows(head, rows, output)
        numbers = pd.Index([number for _, rows in shards for number in rows.index])
        if sorted(numbers) != list(range(heads[0].num_rows)):
            raise _different(output)
        table = with_rows(*(rows for _, rows in shards)).set_axis(numbers).sort_index()
        stale = stale_rows(output, table, earlier_rows(output, force=True))
        yield Merged(with_rows(table, stale), heads[0].classes, heads[0].documents)


def _check_heads(heads: Sequence[ShardHead], output: Path) -> None:
    """Refuse shards that are not all shards of one plan."""
    numbers = sorted({head.shard.of for head in heads})
    if len(numbers) > 1:
        raise OutputError(
            f"there are shards of {' and of '.join(map(str, numbers))}",
            where=output,
            todo="delete the manifest.shard-* files that do not belong",
        )
    there = {head.shard.number for head in heads}
    missing = [number for number in range(1, numbers[0] + 1) if number not in there]
    if missing:
        names = ", ".join(f"{number}/{numbers[0]}" for number in missing)
        raise OutputError(f"missing: shard {names}", where=output, todo="cut what is missing")
    if len({head.plan for head in heads}) > 1:
        raise _different(output)


def _different(output: Path) -> OutputError:
    return OutputError(
        "the shards come from different plans",
        where=output,
        todo="cut all of them again, with the same settings, annotations and recordings",
    )


def _check_rows(head: ShardHead, rows: pd.DataFrame, output: Path) -> None:
    """Refuse a shard that has not come to its end, or whose clips are no longer there."""
    name = f"{head.shard.number}/{head.shard.of}"
    todo = f"run it again: dogclips cut --shard {name}"
    if (rows["status"] == "planned").any():
        what = f"shard {name} has clips that are not cut yet"
        raise OutputError(what, where=output, todo=todo)
    for row in rows[rows["sha256"] != ""].to_dict("records"):
        path = output / row["clip"]
        if not path.is_file() or path.stat().st_size != row["size_bytes"]:
            what = f"a clip of shard {name} is missing or has changed"
            raise OutputError(what, where=path, todo=todo)
