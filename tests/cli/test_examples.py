"""Every example of a help page runs as it is written."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from dogclips.cli.app import app
from dogclips.cli.options import spread
from tests.cli.program import dogclips
from tests.cli.workplace import QUICK, copied, write_workplace

# What takes a second or more: only the arguments are read. Other tests run these commands.
LONG = re.compile(
    "demo|models show|train (--resume|.* --out)|predict .*/video|test .* --plots|cut .* --set"
    "|align .* --output"
)
# The networks of examples are small, and those of tests smaller; processes take long to start.
SMALLER = {
    "cut": ("--workers", "1"),
    "train": ("--set", *QUICK),
    "lr-find": ("--steps", "10", "--set", *QUICK),
    "browse": ("--set", *QUICK[:4]),
}


def pages() -> dict[str, Any]:
    """Return every command with a page of help, by what is typed after `dogclips`."""
    program: Any = typer.main.get_command(app)
    found = {"": program}
    for name, command in program.commands.items():
        found[name] = command
        for part, own in getattr(command, "commands", {}).items():
            found[f"{name} {part}"] = own
    return found


PAGES = pages()


def examples(page: str) -> list[list[str]]:
    """Return the arguments of each example of a page."""
    text = PAGES[page].epilog.replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith("$ dogclips ")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workplace(tmp_path_factory.mktemp("examples") / "made")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page or "dogclips")
def test_every_page_ends_with_two_examples_of_its_command_that_fit_80_columns(page: str) -> None:
    shown = dogclips(*page.split(), "--help", COLUMNS="80")

    assert PAGES[page].epilog.rstrip() in shown.stdout
    assert shown.stdout.rstrip().endswith(PAGES[page].epilog.rstrip())
    assert sum(" ".join(given).startswith(page) for given in examples(page)) >= 2
    assert max(map(len, PAGES[page].epilog.splitlines())) <= 80


def is_long(given: list[str]) -> bool:
    return LONG.match(" ".join(given)) is not None


@pytest.mark.parametrize("page", [page for page in PAGES if page and not is_long([page])])
def test_the_examples_of_a_command_run_one_after_the_other(
    page: str, workplace: Path, tmp_path: Path
) -> None:
    folder = copied(workplace, tmp_path / "copy")

    for given in examples(page):
        if is_long(given):
            continue
        shown = dogclips(*given, *SMALLER.get(given[0], ()), cwd=folder)

        assert shown.returncode == 0, shown.stderr
        assert shown.stdout
        written = [given[at + 1] for at, one in enumerate(given) if one.startswith("--out")]
        assert all((folder / name).exists() for name in written)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page or "dogclips")
def test_the_arguments_of_every_example_can_be_read(page: str) -> None:
    for given in map(spread, examples(page)):
        name = " ".join(given[:2]) if " ".join(given[:2]) in PAGES else given[0]
        arguments = given[len(name.split()) :]

        context = PAGES[name].make_context(name, list(arguments))

        assert bool(context.args) == hasattr(PAGES[name], "commands") * bool(arguments)
