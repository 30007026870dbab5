"""Cut recordings into verified clips by their annotations, and train action models on them.

There is one function for each command. It is imported when it is first used, so that
`import dogclips` is fast and does not load torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.3.0"

__all__ = [
    "__version__",
    "align",
    "browse",
    "check",
    "convert",
    "cut",
    "export",
    "lr_find",
    "make_session",
    "merge",
    "predict",
    "probe",
    "rehearse",
    "repair",
    "report",
    "split",
    "test",
    "train",
]

if TYPE_CHECKING:
    from dogclips.demo.recordings import make_session
    from dogclips.steps.align import align
    from dogclips.steps.browse import browse
    from dogclips.steps.check import check
    from dogclips.steps.convert import convert
    from dogclips.steps.cut import cut
    from dogclips.steps.export import export
    from dogclips.steps.lr_find import lr_find
    from dogclips.steps.merge import merge
    from dogclips.steps.predict import predict
    from dogclips.steps.probe import probe
    from dogclips.steps.repair import repair
    from dogclips.steps.report import report
    from dogclips.steps.split import split
    from dogclips.steps.test import test
    from dogclips.steps.train import rehearse, train


# Functions that are not in a module of their own.
_ELSEWHERE = {"make_session": "dogclips.demo.recordings", "rehearse": "dogclips.steps.train"}


def __getattr__(name: str) -> Any:
    """Import a step when it is asked for (PEP 562)."""
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, f"dogclips.steps.{name}")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
