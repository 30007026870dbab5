"""What a path is that was given in place of another: arguments swapped, a folder for a file.

Each function returns the error for a path that is not what a command takes, with what to write
instead; None where nothing is known to be wrong, so that reading it tells.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from dogclips.errors import CheckpointError, ListError, SessionError

Kind = Literal[
    "missing", "session", "cut", "run", "split", "folder", "video", "annotations", "list",
    "checkpoint", "settings", "page", "file",
]  # fmt: skip

_VIDEOS = {
    *(".mp4", ".mkv", ".avi", ".mov", ".m4v", ".webm", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv"),
    *(".asf", ".flv", ".3gp", ".ts"),
}
_SUFFIXES: dict[Kind, set[str]] = {
    "video": _VIDEOS,
    "annotations": {".json", ".boris", ".eaf", ".xml"},
    "list": {".txt"},
    "checkpoint": {".ckpt", ".pt", ".pth", ".pyth", ".safetensors", ".pkl"},
    "settings": {".yaml", ".yml"},
    "page": {".html", ".svg", ".png"},
}
_SHOWN: dict[Kind, str] = {
    "session": "a session folder",
    "cut": "the output folder of a session",
    "run": "a run folder",
    "split": "a folder of lists",
    "folder": "a folder",
    "video": "a video",
    "annotations": "an annotation file",
    "list": "a list of clips",
    "checkpoint": "a file of weights",
    "settings": "a settings file",
    "page": "a page or picture",
    "file": "a file",
}
# Files that tell what a folder is.
_MARKS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("session", ("video", "via")),
    ("run", ("run.json", "metrics.json", "checkpoints")),
    ("cut", ("manifest.parquet", "probe.json")),
    ("split", ("split.json", "dataset.txt", "train.txt", "val.txt", "test.txt")),
)
_UNFINISHED = ("manifest.parquet", "manifest.shard-*", ".*.part", "*/.*.part", "*/*.mp4")


def kind_of(path: Path) -> Kind:
    """Return what a path is, by its name and by what a folder holds."""
    if path.is_dir():
        if path.absolute().name == "output" and kind_of(_parent(path)) == "session":
            return "cut"
        found = (kind for kind, names in _MARKS if any((path / name).exists() for name in names))
        return next(found, "folder")
    if not path.exists():
        return "missing"
    suffix = path.suffix.lower()
    return next((kind for kind, known in _SUFFIXES.items() if suffix in known), "file")


def not_a_list(path: Path) -> ListError | None:
    """Return what is wrong with a path that should be a list of clips."""
    kind = kind_of(path)
    if kind == "missing":
        todo = "check the path; `dogclips cut` and `dogclips split` write lists"
        return ListError("cannot be read", where=path, todo=todo)
    if kind in {"list", "file"}:
        return None
    inside = [path / name for name in ("train.txt", "dataset.txt", "output/dataset.txt")]
    there = [str(one) for one in inside if one.is_file()]
    if there:
        todo = f"name a list in it, such as {there[0]}"
    elif kind == "session":
        todo = f"cut it first: `dogclips cut {path}` writes {path}/output/dataset.txt"
    elif kind == "run":
        todo = f"name a list; to score this run: `dogclips test {path} --list LIST`"
    else:
        todo = "name a list that `dogclips cut` or `dogclips split` wrote, such as train.txt"
    return ListError(f"this is {_SHOWN[kind]}, not a list of clips", where=path, todo=todo)


def not_a_session(path: Path) -> SessionError | None:
    """Return what is wrong with a path that should be a session folder."""
    kind = kind_of(path)
    if kind == "missing":
        return SessionError("no such folder", where=path, todo="name a session folder")
    if kind == "session":
        return None
    todo = _SESSION_TODO.get(kind, _folder_todo)(path)
    if kind == "folder" and not todo:
        return None
    return SessionError(f"this is {_SHOWN[kind]}, not a session folder", where=path, todo=todo)


def _folder_todo(path: Path) -> str:
    if path.absolute().name in {"video", "via"}:
        return f"name the folder that holds it: {_parent(path)}"
    inner = sorted(own.parent for own in path.glob("*/video"))
    return f"name the sessions in it, such as {inner[0]}" if inner else ""


def _parent(path: Path) -> Path:
    """Return the folder that holds a path, relative where the path says enough."""
    return path.parent if path.parent.name not in {"", ".."} else path.absolute().parent


def _holder(path: Path) -> str:
    """Return what to do with a video or annotation file named in place of its session."""
    folder = "video" if kind_of(path) == "video" else "via"
    if path.absolute().parent.name == folder:
        return f"name its session folder: {_parent(path.parent)}"
    return f"put it into SESSION/{folder} and name SESSION"


_SESSION_TODO: dict[Kind, Callable[[Path], str]] = {
    "video": _holder,
    "annotations": _holder,
    "cut": lambda path: f"name the folder that holds it: {_parent(path)}",
    "run": lambda _: "name a folder that holds video/ and via/; a run folder comes from training",
    "split": lambda _: "name a folder that holds video/ and via/; these clips are cut already",
    "list": lambda path: f"these clips are cut already: split them with `dogclips split {path}`",
    "settings": lambda path: f"pass it as --config {path}",
    "file": lambda _: "name a folder that holds video/ and via/",
    "checkpoint": lambda _: "name a folder that holds video/ and via/",
    "page": lambda _: "name a folder that holds video/ and via/",
}


def not_a_run(path: Path) -> CheckpointError | None:
    """Return what is wrong with a path that should be a run folder or a checkpoint."""
    kind = kind_of(path)
    if kind == "run" and not (path / "checkpoints/best.ckpt").is_file():
        todo = "continue the training with `dogclips train --resume`, or name another run"
        what = "no checkpoints/best.ckpt in this run folder"
        return CheckpointError(what, where=path, todo=todo)
    if kind in {"run", "checkpoint", "missing", "file"}:
        return None
    todo = {
        "session": f"the run folder comes first: `dogclips predict RUN_DIR {path} --out DIR`",
        "video": f"the run folder comes first: `dogclips predict RUN_DIR {path} --out DIR`",
        "list": f"the run folder comes first: `dogclips test RUN_DIR --list {path}`",
        "split": f"the run folder comes first: `dogclips test RUN_DIR --list {path}/test.txt`",
    }.get(kind, "name the folder that `dogclips train` wrote (its --out), or a .ckpt file")
    what = f"this is {_SHOWN[kind]}, not a run folder or checkpoint"
    return CheckpointError(what, where=path, todo=todo)


def not_a_recording(path: Path) -> str:
    """Return what a file is that should be a video, by its name; empty if it may be one."""
    kind = kind_of(path)
    if kind in {"annotations", "list", "checkpoint", "settings", "page"}:
        return f"this is {_SHOWN[kind]}, not a video"
    return ""


def not_annotations(path: Path) -> tuple[str, str] | None:
    """Return what a path is that should be an annotation file, and what to do; else None."""
    kind = kind_of(path)
    if not path.is_dir() and kind not in {"video", "checkpoint", "page"}:
        return None
    inner = sorted(one for one in path.glob("via/*") if one.is_file())
    todo = f"name a file in it, such as {inner[0]}" if inner else "name a file of annotations"
    return f"this is {_SHOWN[kind]}, not an annotation file", todo


def not_an_output(path: Path, wanted: str = "a run folder") -> str:
    """Return what a path is that should be a new folder; empty if it may be one."""
    if path.is_dir() or not path.exists():
        return ""
    return f"this is {_SHOWN[kind_of(path)]}, not {wanted}"


def unfinished_cut(base_dir: Path) -> ListError | None:
    """Return what to do about a session whose cutting has begun and not ended; None if it has not.

    The lists are written last.
    """
    kind = kind_of(base_dir)
    if kind == "cut":
        base_dir = _parent(base_dir)
    output = base_dir / "output"
    if kind not in {"session", "cut"} or (output / "dataset.txt").is_file():
        return None
    if any(output.glob("manifest.shard-*")):
        todo = f"cut the other shards, then run `dogclips merge {base_dir}`"
        return ListError("only shards of this session are cut", where=base_dir, todo=todo)
    if (output / "config.yaml").is_file() or any(any(output.glob(mark)) for mark in _UNFINISHED):
        todo = f"run `dogclips cut {base_dir}` again: finished clips are kept"
        return ListError("cutting this session was interrupted", where=base_dir, todo=todo)
    return None
