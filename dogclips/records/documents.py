"""JSON files of ours, read as records: whole, typed, or refused in one line.

Keys that a record does not know are passed over, so that folders of later versions can be read by
what they still have in common; a key that is missing or of another type is damage.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from dogclips.errors import DogclipsError, OutputError

T = TypeVar("T")

_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def read_document(
    kind: type[T], path: Path, *, todo: str, error: type[DogclipsError] = OutputError
) -> T:
    """Read a JSON file as the dataclass `kind`.

    A file that cannot be read, or is damaged, raises an error of the kind `error`.
    """
    try:
        return record_of(kind, path.read_bytes())
    except OSError as fault:
        raise error("cannot be read", where=path, todo=todo) from fault
    except ValueError as fault:
        raise error(f"damaged: {fault}", where=path, todo=todo) from fault


def record_of(kind: type[T], given: Any) -> T:
    """Return JSON text, or plain values, as the dataclass `kind` or a tuple of such.

    If they are damaged, the ValueError names the first wrong key.
    """
    record: Any = kind
    try:
        as_text = isinstance(given, str | bytes)
        adapter = _adapter(record)
        found: T = adapter.validate_json(given) if as_text else adapter.validate_python(given)
    except ValidationError as fault:
        from dogclips.config.refusals import expected  # noqa: PLC0415 (a probe loads no YAML)

        first = fault.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        reason = expected(first)
        raise ValueError(f"{key} {reason}" if key else reason) from fault
    return found


def plain_of(record: object) -> dict[str, Any]:
    """Return a record as its JSON document, in plain values."""
    kind: Any = type(record)
    plain: dict[str, Any] = _adapter(kind).dump_python(record, mode="json")
    return plain
