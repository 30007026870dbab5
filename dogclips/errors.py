"""Every way in which dogclips can fail on purpose.

Each carries three short texts and prints as one line: `WHAT (WHERE): WHAT TO DO`.
"""


class DogclipsError(Exception):
    """A fault that we can foresee: what went wrong, where, and what the user can do about it.

    `where` is the file, stream, annotation id or config key.
    """

    exit_code = 1  # what was asked for was not done
    code = "error"  # what a script can tell it by, in the JSON documents

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


class MediaError(DogclipsError):
    """A video cannot be opened, probed, decoded or written."""

    code = "media"


class ToolMissingError(MediaError):
    """A program that we call is not installed."""

    code = "tool-missing"


class AnnotationError(DogclipsError):
    """An annotation project cannot be read."""

    code = "annotation"


class AlignmentError(DogclipsError):
    """Nobody can say which frame a label means."""

    code = "alignment"


class SessionError(DogclipsError):
    """A session folder lacks what a command needs."""

    code = "session"


class OutputError(DogclipsError):
    """The output folder is locked, full or not writable."""

    code = "output"


class ListError(DogclipsError):
    """A list, label or split file is wrong."""

    code = "list"


class ModelError(DogclipsError):
    """A model cannot be built for this input."""

    code = "model"


class CheckpointError(DogclipsError):
    """A checkpoint cannot be loaded."""

    code = "checkpoint"


class StoppedError(DogclipsError):
    """A signal ended a training; its checkpoint is written."""

    exit_code = 130
    code = "stopped"


class UsageError(DogclipsError):
    """The question itself was wrong."""

    exit_code = 2
    code = "usage"


class ConfigError(UsageError):
    """Unknown key, wrong type or value in a configuration."""

    code = "config"
