"""Run the commands that the documentation shows, and compare what they print.

    python -m docs.check_examples [PAGE ...] [--write]

A fence in the language `console` holds commands after `$ ` and the results that they print,
without warnings. A line `...` stands for any number of lines, `...` in a line for any text. Words
after the language say more:

- `slow`: left out by the tests, which take seconds; this program runs it.
- `varies`: numbers depend on the machine or on a training, so that only the rest is compared.
- `fails`: the last command exits with 1.

A page is run from top to bottom in a folder of its own, which holds what `make_world` makes for it.
With `--write` the page gets what the commands print now, shortened where it was.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

DOCS = Path(__file__).parent
PAGES = (
    "../README.md",
    "install.md",
    "quickstart.md",
    "tutorial.md",
    "howto/*.md",
    "concepts/*.md",
)
_FENCE = re.compile(r"^```console\b(?P<words>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Done:
    """What a command line left: its exit code, its results, its warnings and errors."""

    code: int
    out: str
    err: str


# Runs a command line in a folder.
Run = Callable[[str, Path], Done]


@dataclass(frozen=True)
class Step:
    """A command line, and what it prints."""

    line: str
    expected: str


@dataclass(frozen=True)
class Block:
    """A fence of a page."""

    page: Path
    number: int  #: Line of the page at which it starts
    words: frozenset[str]
    steps: tuple[Step, ...]


def blocks_of(page: Path) -> list[Block]:
    """Return every fence of a page that shows commands."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start()) + 1,
            frozenset(found["words"].split()),
            tuple(_steps(found["text"])),
        )
        for found in _FENCE.finditer(text)
    ]


def _steps(text: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        head = [lines.pop(0)]
        while head[-1].endswith("\\"):
            head.append(lines.pop(0).strip())
        line = " ".join(one.removesuffix("\\").strip() for one in head)
        yield Step(line, "\n".join(lines))


def matches(expected: str, printed: str, *, varies: bool = False) -> bool:
    r"""Return whether a command printed what a page shows.

    >>> matches("one\n...\nfour", "one\ntwo\nthree\nfour")
    True
    >>> matches("took ... s", "took 12 s"), matches("12 s", "13 s")
    (True, False)
    >>> matches("12 s", "3 s", varies=True)
    True
    """
    expected, printed = _plain(expected, varies=varies), _plain(printed, varies=varies)
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in expected.splitlines()
    )
    return re.fullmatch(pattern, f"{printed}\n" if printed else "") is not None


def _plain(text: str, *, varies: bool) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n").splitlines()
    if varies:
        lines = [re.sub(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", "0", line) for line in lines]
        lines = [re.sub(r"[─\s]+", " ", line).strip() for line in lines]
    return "\n".join(lines)


def run_block(block: Block, folder: Path, run: Run) -> list[str]:
    """Run the commands of a fence in a folder; return what differs."""
    faults = []
    for step in block.steps:
        done = run(step.line, folder)
        where = f"{block.page.name}:{block.number}: {step.line}"
        last = step is block.steps[-1]
        if done.code != int("fails" in block.words and last):
            faults.append(f"{where}\nexit code {done.code}\n{done.out}{done.err}")
        elif step.expected and not matches(step.expected, done.out, varies="varies" in block.words):
            faults.append(f"{where}\nexpected:\n{step.expected}\nprinted:\n{done.out}")
    return faults


def expanded(line: str, folder: Path) -> list[str]:
    """Return the words of a command line as a shell passes them on."""
    words = []
    for word in shlex.split(line):
        found = sorted(folder.glob(word)) if "*" in word else []
        words += [path.relative_to(folder).as_posix() for path in found] or [word]
    return words


def in_shell(line: str, folder: Path) -> Done:
    """Run a command line as a user would."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S602 (our own pages)
        line,
        shell=True,
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def make_world(page: Path, folder: Path) -> None:
    """Make what the commands of a page find: recordings, annotations, and a trained model."""
    from tests import doc_worlds  # noqa: PLC0415 (the tests import this module)

    worlds = {
        "README.md": doc_worlds.demo,
        "quickstart.md": doc_worlds.one_recording,
        "tutorial.md": doc_worlds.demo,
    }
    worlds.get(page.name, doc_worlds.sessions)(folder)


def shown_pages() -> list[Path]:
    """Return every page with commands."""
    found = [path.resolve() for pattern in PAGES for path in sorted(DOCS.glob(pattern))]
    return [path for path in found if blocks_of(path)]


def _check(page: Path, *, write: bool) -> list[str]:
    faults = []
    with TemporaryDirectory() as name:
        make_world(page, Path(name))
        for block in blocks_of(page):
            printed: list[str] = []

            def keep(line: str, folder: Path, texts: list[str] = printed) -> Done:
                done = in_shell(line, folder)
                texts.append(done.out)
                return done

            found = run_block(block, Path(name), keep)
            if write and found:
                _rewrite(block, printed)
            faults += found
    return faults


def _rewrite(block: Block, printed: Sequence[str]) -> None:
    """Replace what a page shows of commands by what they print."""
    text = block.page.read_text(encoding="utf-8")
    for step, new in zip(block.steps, printed, strict=True):
        lines = "\n".join(line.rstrip() for line in new.strip("\n").splitlines())
        if step.expected and not matches(step.expected, new, varies="varies" in block.words):
            text = text.replace(
                step.expected, f"{lines}\n" if step.expected[-1:] == "\n" else lines
            )
    block.page.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Check the named pages, or all; return how many blocks show something else."""
    write = "--write" in arguments
    named = [Path(one).resolve() for one in arguments if one != "--write"]
    count = 0
    for page in named or shown_pages():
        faults = _check(page, write=write)
        count += len(faults)
        blocks = len(blocks_of(page))
        print(f"{page.name}: {blocks} blocks, {len(faults)} differ", flush=True)
        for fault in faults:
            print(fault, flush=True)
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
