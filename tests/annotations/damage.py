"""Annotation files of every format, damaged at random: a result or our own error, nothing else.

    python -m tests.annotations.damage --cases 100000

Half of the files are cut off somewhere, the others have some bytes changed, doubled or removed.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from dogclips.annotations import Project, read_annotations
from tests.annotations.examples import EXAMPLES
from tests.shared import SHARED

_TEXTS = (b"", b'"', b"{", b"]", b",", b"\t", b"\n", b"<", b"/>", b"-1", b"1e400", b"NaN", b"null")
_LARGEST = 100_000  # bytes; a larger file says nothing more


def originals() -> dict[str, bytes]:
    """Return the whole files by name: the made ones, and those of strangers where they are."""
    strangers = SHARED / "data" / "via"
    found = {path.name: path.read_bytes() for path in sorted(strangers.glob("*"))}
    return EXAMPLES | {name: data for name, data in found.items() if len(data) < _LARGEST}


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Return a damaged copy of a file."""
    if draw.random() < 0.5:
        return data[: draw.randrange(len(data))]
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place, length = draw.randrange(len(found) + 1), draw.choice((0, 1, 1, 3, 30))
        kind = draw.randrange(3)
        if kind == 0:
            found[place : place + length] = draw.randbytes(length)
        elif kind == 1:
            found[place : place + length] = draw.choice(_TEXTS)
        else:
            found[place:place] = found[place : place + length]
    return bytes(found)


def check(project: Project) -> None:
    """Assert that what was read of a damaged file makes sense."""
    segments = project.segments
    states = segments[segments["kind"] == "state"]
    assert np.isfinite(segments["t_start"]).all()
    assert (segments["t_start"] >= 0).all()
    assert (states["t_start"] < states["t_end"]).all()
    assert np.isfinite(states["t_end"]).all()
    assert (segments["label"].str.strip() == segments["label"]).all()
    assert (segments["label"] != "").all()
    assert project.errors or segments["media_name"].isin(project.media_names).all()
    assert bool(project.format) or project.errors
    for issue in project.issues:
        assert issue.code[:1] == "V"
        assert issue.text


def run(cases: int, seed: int, folder: Path) -> Counter[str]:
    """Read damaged files; return how many of each outcome there were.

    Raises
    ------
    AssertionError
        A reading makes no sense or broke; the file lies in `folder`.
    """
    draw, files = random.Random(seed), originals()  # noqa: S311 (no secret)
    outcomes: Counter[str] = Counter()
    for _ in range(cases):
        name = draw.choice(list(files))
        path = folder / name
        path.write_bytes(damaged(files[name], draw))
        project = read_annotations(path)
        check(project)
        outcomes["refused" if project.errors else "read"] += 1
    return outcomes


def main() -> int:
    """Run as many cases as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    print(f"seed {asked.seed}")
    folder = Path(tempfile.mkdtemp(prefix="damage"))
    print(f"each file lies in {folder} while it is read")
    for outcome, count in run(asked.cases, asked.seed, folder).items():
        print(f"{outcome}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
