"""Read files from elsewhere as JSON, XML or a table of text, and check everything.

Every fault becomes an `AnnotationError` whose message begins with a code of `issues`: V001, or V002
for a key that appears twice.
"""

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

from dogclips.errors import AnnotationError
from dogclips.records.mixups import not_annotations

_SAVE = "the file may be cut off: save it again in the program that made it"
_MAX_BYTES = 1 << 30  # a gzip of zeros would fill any memory
_ZIP = "a zip archive"
_AS_CSV = "save the sheet as CSV (UTF-8)"
# How files begin that are not text, what they are, and what to do.
_KINDS = (
    (b"PK\x03\x04", _ZIP, "unpack it"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file", _AS_CSV),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "export its annotations as CSV"),
    (b"SQLite format 3\x00", "an SQLite database", "export its annotations as CSV"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    *((bytes([0x80, n]), "a Python pickle", "export its annotations as CSV") for n in range(2, 6)),
)
# Byte order marks; that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_DELIMITERS = ("\t", ";", ",")

Table: TypeAlias = list[list[str]]


def twice(names: Iterable[str]) -> list[str]:
    """Return the names that appear more than once, each once.

    >>> twice(["sit", "walk", "sit"])
    ['sit']
    """
    return [name for name, count in Counter(names).items() if count > 1]


def read_text(path: Path) -> str:
    """Return a file's UTF-8 text, unpacked if it is a gzip; a byte order mark is accepted."""
    other = not_annotations(path)
    if other:
        raise _broken(path, *other)
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                data = file.read(_MAX_BYTES + 1)
            if len(data) > _MAX_BYTES:
                raise _broken(path, "unpacks to more than 1 GiB", "check the file")
        _refuse_other_kinds(path, data)
        marked = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8-sig")
        return data.decode(marked)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _broken(path, f"not a complete gzip file: {error}") from error
    except OSError as error:
        raise _broken(path, f"cannot be read: {error.strerror}", "check the path") from error
    except UnicodeDecodeError as error:
        raise _broken(path, "not UTF-8 text", "save it as UTF-8") from error


def _refuse_other_kinds(path: Path, data: bytes) -> None:
    """Refuse, by name, a file whose first bytes say that it is not text."""
    head = data[:4096]
    kind, todo = next(
        ((kind, todo) for magic, kind, todo in _KINDS if head.startswith(magic)), ("", "")
    )
    if kind == _ZIP and (b"xl/" in data or b"[Content_Types].xml" in head):
        kind, todo = "an Excel workbook", _AS_CSV
    elif kind == _ZIP and b"opendocument" in head:
        kind, todo = "an OpenDocument file", _AS_CSV
    elif not kind and len(head) > 3 and not any(head[1:64:2]) and all(head[0:64:2]):
        kind, todo = "UTF-16 text without a byte order mark", "save it as UTF-8"
    if kind:
        raise AnnotationError(f"V095 {kind}, not an annotation file", where=path, todo=todo)


def _broken(path: Path, what: str, todo: str = _SAVE) -> AnnotationError:
    return AnnotationError(f"V001 {what}", where=path, todo=todo)


def read_json(path: Path, text: str) -> Any:
    """Return the tree of a JSON text in which no key appears twice in one object."""

    def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Refuse an object of which the parser would silently keep the last value of a key."""
        found = dict(pairs)
        if len(found) < len(pairs):
            what = f"V002 key '{twice(key for key, _ in pairs)[0]}' appears twice in one object"
            raise AnnotationError(what, where=path, todo="was it merged by hand?")
        return found

    try:
        tree = json.loads(text, object_pairs_hook=unique_keys)
        if "\\ud" in text or "\\uD" in text:  # half a character cannot be written again
            json.dumps(tree, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise _broken(path, f"not valid JSON at {place}: {error.msg}") from error
    except (RecursionError, ValueError) as error:  # too deep; a number of thousands of digits
        raise _broken(path, f"not valid JSON: {error}") from error
    return tree


def read_xml(path: Path, text: str) -> ET.Element:
    """Return the root of an XML text without document type: none of our formats has one."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _broken(path, "XML with a document type")
    try:
        return ET.fromstring(text.encode())  # noqa: S314 (no document type, so no entities)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise _broken(path, f"not valid XML: {error}") from error


def read_table(path: Path, text: str) -> Table:
    """Return the rows of a CSV, TSV or semicolon-separated text.

    The separator is the one that the first line with any of them holds most of.
    """
    lines = (line for line in text[:10_000].splitlines() if any(map(line.count, _DELIMITERS)))
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _broken(path, f"not a table: {error}") from error
