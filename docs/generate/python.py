"""The page of the Python API: every public function, and the classes of its results."""

import inspect
from typing import Any, get_args, get_type_hints

import dogclips
from docs.generate.markdown import page


def functions() -> dict[str, Any]:
    """Return every public function by its name in `dogclips`."""
    names = [name for name in dogclips.__all__ if not name.startswith("__")]
    return {name: getattr(dogclips, name) for name in names}


def results() -> list[type]:
    """Return the classes that public functions return, and that are told of while they run."""
    found: dict[type, None] = {}
    for function in functions().values():
        for kind in _classes(get_type_hints(function).get("return")):
            found.setdefault(kind)
    return list(found)


def _classes(kind: Any) -> list[type]:
    parts = [kind, *get_args(kind)]
    ours = [one for one in parts if inspect.isclass(one) and one.__module__.startswith("dogclips.")]
    return [one for one in ours if one.__module__ != "dogclips.events"]


def pages() -> dict[str, str]:
    """Return the page, which Sphinx fills from the docstrings."""
    directives = [f".. autofunction:: dogclips.{name}" for name in functions()]
    classes = [
        f".. autoclass:: {kind.__module__}.{kind.__qualname__}\n   :members:\n   :exclude-members: "
        "failures"
        for kind in results()
    ]
    return {
        "python.md": page(
            "Python",
            "`import dogclips` takes no time: each function is imported when it is first used. "
            "Functions write the same files as their commands, print nothing, and return what they "
            "found. Settings, paths and events are explained in [From Python](../howto/python.md).",
            "## Functions",
            _rst(*directives),
            "## Results",
            "Every result has `ok`, `failures` and `warnings` besides what is listed here.",
            _rst(*classes),
            "## Events",
            _rst(".. automodule:: dogclips.events\n   :members:"),
        )
    }


def _rst(*directives: str) -> str:
    return "```{eval-rst}\n" + "\n\n".join(directives) + "\n```"
