"""The page of codes: of annotation files, recordings, windows, clips of an export, and errors."""

from collections.abc import Iterator, Mapping

from docs.generate.markdown import entry, page
from dogclips.codes import ISSUES, MESSAGES, SKIP_REASONS, STATUSES, Code
from dogclips.errors import DogclipsError
from dogclips.lists.formats import UNFIT_REASONS

_LEVELS = {"note": "Note", "warning": "Warning", "error": "Error", "both": "Warning or error"}


def errors() -> dict[str, type[DogclipsError]]:
    """Return every kind of error by its code, from the general to the special."""
    return {DogclipsError.code: DogclipsError} | {own.code: own for own in _below(DogclipsError)}


def _below(kind: type[DogclipsError]) -> Iterator[type[DogclipsError]]:
    for own in kind.__subclasses__():
        if own.__module__.startswith("dogclips."):
            yield own
            yield from _below(own)


def pages() -> dict[str, str]:
    """Return the page of codes."""
    text = page(
        "Codes",
        "A code never changes its meaning. Scripts can rely on codes; the texts beside them may "
        "become clearer.",
        "## Errors",
        "`error.code` of a JSON document, and the exit code of the command. In Python each is a "
        "class of `dogclips.errors`.",
        *(_error(code, kind) for code, kind in errors().items()),
        "## Annotation files",
        "`dogclips check` shows these. An error refuses the file, and only it; a warning says what "
        "was done instead.",
        *_coded(ISSUES),
        "## Recordings",
        "`dogclips probe`, `align` and `cut` show these, and `probe.json` holds them. A warning "
        "can put a label on a wrong frame or cost a clip; a note explains an oddity that does not.",
        *_coded(MESSAGES),
        "## Skipped windows",
        "The column `reason` of a manifest, and of the predictions of recordings.",
        *(_reason(name, code) for name, code in SKIP_REASONS.items()),
        "## Windows",
        "The column `status` of a manifest.",
        *_explained("status", STATUSES),
        "## Clips that a format cannot express",
        "`dogclips export` refuses these, or leaves them out with `--skip-unfit`.",
        *_explained("unfit", UNFIT_REASONS),
    )
    return {"codes.md": text}


def _error(code: str, kind: type[DogclipsError]) -> str:
    told = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    return entry(f"error-{code}", code, told, f"`{kind.__name__}`, exit code {kind.exit_code}.")


def _coded(table: Mapping[str, Code]) -> Iterator[str]:
    for name, code in table.items():
        text = f"{_LEVELS[code.level]}: {code.meaning}."
        yield entry(name.lower(), name, text, _todo(code))


def _reason(name: str, code: Code) -> str:
    return entry(f"reason-{name}", name, f"The window {code.meaning}.", _todo(code))


def _todo(code: Code) -> str:
    return "" if code.todo == "nothing" else f"*What to do:* {code.todo}."


def _explained(kind: str, table: Mapping[str, str]) -> Iterator[str]:
    for name, meaning in table.items():
        yield entry(f"{kind}-{name}", name, f"{meaning[:1].upper()}{meaning[1:]}.")
