"""Read pickles of numpy arrays and plain containers, and nothing else.

caffe2 models were published so, as a dict of arrays ("blobs") pickled by Python 2. A pickle is a
program; here the few names that such files call are bound to stand-ins that build arrays from
bytes, and every other name is refused before anything is called.
"""

import io
import math
import pickle
import re
from collections import OrderedDict
from typing import Any

import numpy as np

_NUMBER = re.compile(r"[fiu][1248]|b1")


class UnknownNameError(pickle.UnpicklingError):
    """A pickle asks for a name that arrays and plain containers do not need."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Kind:
    """Stands for a numpy dtype in the making."""

    __slots__ = ("dtype",)

    def __init__(self, code: object) -> None:
        if not (isinstance(code, str) and _NUMBER.fullmatch(code)):
            raise pickle.UnpicklingError(f"array of {str(code)[:20]!r}, not of numbers")
        self.dtype: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError("damaged kind of array")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands for a numpy array in the making."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: np.ndarray[Any, Any] = np.zeros(0, np.float32)

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), tuple() as shape, _Kind() as kind, by_columns, bytes() | str() as held):
                self.value = _array(shape, kind.dtype, _as_bytes(held), bool(by_columns))
            case _:
                raise pickle.UnpicklingError("damaged array")


class _Call:
    """Stands for a function that such pickles call; has no attributes that could be set."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: object) -> object:
        match self._name, args:
            case "dtype", (code, *_):
                return _Kind(code)
            case "_reconstruct", _:
                return _Array()
            case "scalar", (_Kind() as kind, bytes() | str() as held):
                return _array((), kind.dtype, _as_bytes(held), False).item()
            case "encode", (str() as text, "latin1"):
                return _as_bytes(text)
            case "OrderedDict", ():
                return OrderedDict()
            case "bytes", ():
                return b""
        raise pickle.UnpicklingError(f"damaged call of {self._name}")


_NAMES = {
    ("numpy", "dtype"): "dtype",
    ("numpy", "ndarray"): "ndarray",  # only named, never called
    ("numpy.core.multiarray", "_reconstruct"): "_reconstruct",
    ("numpy._core.multiarray", "_reconstruct"): "_reconstruct",
    ("numpy.core.multiarray", "scalar"): "scalar",
    ("numpy._core.multiarray", "scalar"): "scalar",
    ("_codecs", "encode"): "encode",
    ("collections", "OrderedDict"): "OrderedDict",
    ("__builtin__", "bytes"): "bytes",
    ("builtins", "bytes"): "bytes",
}


class _Lines(io.BytesIO):
    """A file that does not take the end of a torn file for the end of a name."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise EOFError
        return line


class _Unpickler(pickle._Unpickler):  # noqa: SLF001 (in C it allocates what a damaged file asks for)
    """An unpickler for which only the names above exist."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise UnknownNameError(f"{module}.{name}"[:80])
        return _Call(_NAMES[module, name])

    def get_extension(self, code: int) -> None:
        """Refuse names by number: which they are is a matter of the process that reads."""
        raise UnknownNameError(f"copyreg extension {code}")


def read_numpy_pickle(data: bytes) -> Any:
    """Return the arrays and plain values of a pickle; bytes of Python 2 are read as Latin-1.

    Raises
    ------
    UnknownNameError
        It asks for any other name; nothing of that name was called.
    pickle.UnpicklingError, EOFError, ValueError, LookupError, TypeError, AttributeError
        The data are damaged.
    """
    return _finished(_Unpickler(_Lines(data), encoding="latin1").load())


def _finished(held: Any, depth: int = 2) -> Any:
    """Return what was read with arrays in the place of their stand-ins, blobs in a dict at most."""
    if isinstance(held, _Array):
        return held.value
    if isinstance(held, dict) and depth:
        return {key: _finished(value, depth - 1) for key, value in held.items()}
    return held


def _array(
    shape: tuple[Any, ...], dtype: np.dtype[Any], data: bytes, by_columns: bool
) -> np.ndarray[Any, Any]:
    sizes = [size for size in shape if isinstance(size, int) and size >= 0]
    if len(sizes) != len(shape) or math.prod(sizes) * dtype.itemsize != len(data):
        raise pickle.UnpicklingError(f"array of {shape} in {len(data)} bytes")
    flat = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
    return flat.reshape(sizes, order="F" if by_columns else "C")


def _as_bytes(held: bytes | str) -> bytes:
    return held.encode("latin1") if isinstance(held, str) else held
