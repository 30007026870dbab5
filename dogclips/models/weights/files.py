"""Read the files that weights come in, known by what they begin with and never by their names.

Nothing is ever run that a file asks for: torch reads with `weights_only`, caffe2 pickles have an
unpickler of their own, safetensors hold no program.
"""

import errno
import hashlib
import json
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from dogclips.errors import CheckpointError
from dogclips.models.weights.numpy_pickles import UnknownNameError, read_numpy_pickle

OUR_KEY = "dogclips"  # in a checkpoint

# torch.save before 1.6: a pickle of this number comes first.
_LEGACY_TORCH = bytes.fromhex("80028a0a6cfc9c46f9206aa85019")
_HUGGING_FACE = ("model.safetensors", "pytorch_model.bin")  # with facts in files beside them
_DIGEST = re.compile(r"-([0-9a-f]{8})\.(?:pth|pt|pyth)$")
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")

# What readers raise on damaged files, of which tens of thousands were tried.
_FAULTS = (
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    SafetensorError,
)

_OTHER_KINDS = (
    (0, b"\x89HDF", "an HDF5 file (Keras, TensorFlow)", "export its weights for PyTorch"),
    (0, b"GGUF", "a GGUF file", "take the PyTorch or safetensors file"),
    (0, b"\x93NUMPY", "a numpy array", "take the PyTorch or safetensors file"),
    (0, b"\x1f\x8b", "a gzip archive", "unpack it"),
    (257, b"ustar", "a tar archive", "unpack it"),
    (4, b"ftyp", "a video", "name a file of weights"),
    (0, b"\x1a\x45\xdf\xa3", "a video", "name a file of weights"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself", "run `git lfs pull`"),
)


@dataclass(frozen=True)
class Checkpoint:
    """What lies in a file of weights, as it was written."""

    path: Path  #: The file, or the folder that was named
    kind: str  #: Of file, in words
    held: Mapping[str, Any]  #: Tensors and plain values, nested as they were saved
    #: Hugging Face's config.json and preprocessor_config.json beside the weights; else empty.
    config: Mapping[str, Any] = field(default_factory=dict)
    preprocessor: Mapping[str, Any] = field(default_factory=dict)


def read_file(path: Path) -> Checkpoint:
    """Read a checkpoint of any kind, or a Hugging Face folder."""
    file = _weights_in(path) if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            start = stream.read(512)
        _check_digest(file)
        kind, held = _read(file, start)
    except FileNotFoundError as error:
        raise CheckpointError("no such checkpoint", where=path, todo="check the path") from error
    except _FAULTS as error:
        raise _explained(error, file) from error
    if not isinstance(held, dict):
        raise CheckpointError("no weights by name", where=path, todo="save a state_dict")
    if file.name not in _HUGGING_FACE:
        return Checkpoint(path, kind, held)
    config, preprocessor = (
        _read_json(file.with_name(name)) for name in ("config.json", "preprocessor_config.json")
    )
    return Checkpoint(path, kind, held, config, preprocessor)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the tensors and plain values of a file, nested as they were saved."""
    return dict(read_file(path).held)


def _weights_in(folder: Path) -> Path:
    for name in _HUGGING_FACE:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(
        "the folder holds no weights",
        where=folder,
        todo="it needs a model.safetensors or pytorch_model.bin, or name a file",
    )


def _read(file: Path, start: bytes) -> tuple[str, Any]:
    if start.startswith(b"PK\x03\x04"):
        _check_zip(file)
        return "PyTorch file", _read_torch(file)
    if start.startswith(_LEGACY_TORCH):
        return "PyTorch file of the old kind", _read_torch(file)
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**40:
        return "safetensors file", _read_safetensors(file)
    if re.match(rb"\x80[\x00-\x05]|\(d|\}q", start):
        return "pickle of arrays", read_numpy_pickle(file.read_bytes())
    raise _other_kind(file, start)


def _read_torch(file: Path) -> Any:
    # mmengine keeps its log beside the weights; nothing of it is needed, so nothing of it is run.
    with (
        torch.serialization.safe_globals([(_Ignored, name) for name in _LOGS]),
        warnings.catch_warnings(action="ignore"),  # of pickle protocols that no file has
    ):
        return torch.load(file, map_location="cpu", weights_only=True)


class _Ignored:
    """Stands for what a checkpoint holds beside weights: takes everything and does nothing."""

    def __new__(cls, *_: object) -> "_Ignored":
        return object.__new__(cls)

    def __setstate__(self, _: object) -> None:
        pass


_LOGS = (
    "mmengine.logging.history_buffer.HistoryBuffer",
    "builtins.getattr",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.ndarray",
    "numpy.dtype",
    "_codecs.encode",
)


def _read_safetensors(file: Path) -> dict[str, Any]:
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata() or {}
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (no dict)
    return {"state_dict": tensors, **{key: metadata[key] for key in metadata.keys() & {OUR_KEY}}}


def _check_zip(file: Path) -> None:
    """Refuse archives that are torn, damaged, or no checkpoints; torch looks at no checksum."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if any(name.endswith("/constants.pkl") for name in names):
            raise CheckpointError(
                "a TorchScript program, not weights", where=file, todo="save its state_dict"
            )
        if not any(name.endswith("/data.pkl") for name in names):
            raise CheckpointError(
                "a zip archive, not a checkpoint", where=file, todo="unpack it first"
            )
        if any(info.compress_type for info in archive.infolist()):
            raise CheckpointError(
                "a compressed archive, which torch.save never writes",
                where=file,
                todo="load and save it again with PyTorch",
            )
        if archive.testzip() is not None:
            raise zipfile.BadZipFile("checksum")


def _check_digest(file: Path) -> None:
    """Compare with the digest that OpenMMLab, torchvision and others put into names."""
    match = _DIGEST.search(file.name)
    if match is None or _DATE.fullmatch(match[1]):
        return
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:8]
    if digest != match[1]:
        raise CheckpointError(
            f"file incomplete or changed: its SHA-256 is {digest}..., its name says {match[1]}",
            where=f"{file}, {file.stat().st_size} bytes",
            todo="download it again; rename it if it was changed on purpose",
        )


def _read_json(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise CheckpointError(
            "not readable as JSON", where=file, todo="download it again"
        ) from error
    return held if isinstance(held, dict) else {}


def _other_kind(file: Path, start: bytes) -> CheckpointError:
    for at, magic, what, todo in _OTHER_KINDS:
        if start[at : at + len(magic)] == magic:
            return CheckpointError(what, where=file, todo=todo)
    if not start:
        return CheckpointError("empty file", where=file, todo="download it again")
    if re.match(rb"\s*<(!doctype|html|\?xml)", start, re.IGNORECASE):
        return CheckpointError(
            "a web page, not a checkpoint", where=file, todo="download the file itself"
        )
    if re.fullmatch(rb"[\t\n\r -~]*", start):
        return CheckpointError(
            "a text, not a checkpoint", where=file, todo="name the file of weights"
        )
    return CheckpointError(
        "no checkpoint of a known kind, or an incomplete one",
        where=f"{file}, {file.stat().st_size} bytes",
        todo="name a PyTorch, safetensors or caffe2 file, or a Hugging Face folder",
    )


_UNSAFE = re.compile(r"GLOBAL (\S+)")


def _explained(error: BaseException, file: Path) -> CheckpointError:
    """Say of a fault whether the file asks for code, ends early, or is damaged."""
    unsafe = ""
    if isinstance(error, UnknownNameError):
        unsafe = error.name
    elif isinstance(error, pickle.UnpicklingError) and (match := _UNSAFE.search(str(error))):
        unsafe = match[1][:80]
    if unsafe:
        return CheckpointError(
            f"the checkpoint holds more than weights: it asks for {unsafe}, which is not run",
            where=file,
            todo="save its state_dict alone",
        )
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return CheckpointError(
            f"cannot be read: {error.strerror or error}", where=file, todo="check the file"
        )
    return CheckpointError(
        "file incomplete or damaged",
        where=f"{file}, {file.stat().st_size} bytes",
        todo="copy or download it again",
    )
