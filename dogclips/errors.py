"""Every way in which dogclips can fail on purpose.

Each carries three short texts and prints as one line: `WHAT (WHERE): WHAT TO DO`.
"""


class DogclipsError(Exception):
    """An error that dogclips reports: what is wrong, where, and what to do about it.

    `where` is the file, stream, annotation id or config key.
    """

    exit_code = 1  # what was asked for was not done
    code = "error"  # what a script can tell it by, in the JSON documents

    def __init_subclass__(cls, *, code: str, exit_code: int | None = None) -> None:
        cls.code = code
        if exit_code is not None:
            cls.exit_code = exit_code

    def __init__(self, what: str, *, where: object = "", todo: str = "") -> None:
        self.what = " ".join(what.split())
        self.where = " ".join(str(where).split())
        self.todo = " ".join(todo.split())
        super().__init__(self.what, self.where, self.todo)

    def __reduce__(self) -> tuple[object, ...]:
        """Let the error travel from a worker process."""
        return _rebuilt, (type(self), self.what, self.where, self.todo)

    def __str__(self) -> str:
        line = f"{self.what} ({self.where})" if self.where else self.what
        return f"{line}: {self.todo}" if self.todo else line


def _rebuilt(kind: type[DogclipsError], what: str, where: str, todo: str) -> DogclipsError:
    return kind(what, where=where, todo=todo)


class MediaError(DogclipsError, code="media"):
    """A video cannot be opened, probed, decoded or written."""


class ToolMissingError(MediaError, code="tool-missing"):
    """A program that dogclips calls is not installed."""


class AnnotationError(DogclipsError, code="annotation"):
    """An annotation project cannot be read."""


class AlignmentError(DogclipsError, code="alignment"):
    """The alignment of two streams cannot be trusted."""


class SessionError(DogclipsError, code="session"):
    """A session folder lacks what a command needs."""


class OutputError(DogclipsError, code="output"):
    """The output folder is locked, full or not writable."""


class ListError(DogclipsError, code="list"):
    """A list, label or split file is wrong."""


class ModelError(DogclipsError, code="model"):
    """A model cannot be built for this input."""


class CheckpointError(DogclipsError, code="checkpoint"):
    """A checkpoint cannot be loaded."""


class StoppedError(DogclipsError, code="stopped", exit_code=130):
    """A signal stopped a run; what was finished is kept."""


class UsageError(DogclipsError, code="usage", exit_code=2):
    """Options or arguments are wrong, or do not go together."""


class ConfigError(UsageError, code="config"):
    """A setting has an unknown key, or a wrong type or value."""
