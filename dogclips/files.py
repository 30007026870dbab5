"""Names of files, and files that appear whole or not at all."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

from dogclips.errors import OutputError

# What the public API takes for files and folders: one, or several.
Paths: TypeAlias = str | Path | Iterable[str | Path]


def paths_of(given: Paths) -> list[Path]:
    """Return one path or several as a list.

    >>> paths_of("a"), paths_of(["a", Path("b")]) == [Path("a"), Path("b")]
    ([PosixPath('a')], True)
    """
    return [Path(one) for one in ([given] if isinstance(given, str | Path) else given)]


def part_of(path: Path) -> Path:
    """Return the temporary name for a file in the making.

    It begins with a dot and ends in `.part`, so that neither a person nor a glob for results
    takes it for finished.

    >>> part_of(Path("output/clip.mp4")).name
    '.clip.mp4.part'
    """
    return path.with_name(f".{path.name}.part")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` and rename it to `path` if the block succeeds.

    The temporary file is removed when the block fails.

    Raises
    ------
    OutputError
        The folder cannot be written to, or the disk is full.
    """
    part = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        in_the_way = isinstance(error, NotADirectoryError | IsADirectoryError | FileExistsError)
        todo = "choose another name" if in_the_way else "free space or choose another folder"
        raise OutputError(f"cannot write: {reason}", where=path, todo=todo) from error
    finally:
        with suppress(OSError):  # a folder that cannot be written to holds no part either
            part.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write text as UTF-8, or bytes, to `path`, whole or not at all; see `whole_file`."""
    with whole_file(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def file_digest(path: Path) -> str:
    """Return the SHA-256 digest of a file's bytes, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def json_text(document: Any) -> str:
    """Return a JSON document as we write and print it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # not C:\


def file_name(media_name: str) -> str:
    r"""Return the file name at the end of a path of any system, or of a URL.

    >>> file_name("C:\\video\\020600.mkv"), file_name("https://host/a%20b.mp4?t=1#t=2")
    ('020600.mkv', 'a b.mp4')
    """
    name = media_name
    if _URL.match(name):
        name = unquote(name.partition("#")[0].partition("?")[0])
    return name.replace("\\", "/").rpartition("/")[2]


_FORMULA = re.compile("'*[=+@-]")


def safe_cell(cell: str) -> str:
    """Return a CSV cell that a spreadsheet does not run as a formula; `cell_text` undoes it.

    >>> safe_cell("=1+1"), safe_cell("'=1+1"), safe_cell("walk")
    ("'=1+1", "''=1+1", 'walk')
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def cell_text(cell: str) -> str:
    """Return what a cell said before `safe_cell`.

    >>> cell_text("'=1+1"), cell_text("''=1+1"), cell_text("'tis a walk")
    ('=1+1', "'=1+1", "'tis a walk")
    """
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
