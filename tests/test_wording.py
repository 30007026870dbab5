"""Words that a person who reads English every day would stumble over, and what we write instead."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A pattern, and what to write instead.
STUMBLES = {
    r"\bmend": "fix, repair",
    r"never parts?\b": "stays together",
    r"\bfor everything\.": "what it is for",
    r"\bthere(of|by|in)\b": "its, by this, in it",
    r"\bnobody\b": "unknown, not",
    r"\bwhom\b": "that",
    r"\bwhose\b": "with, that has",
    r"\bnor\b": "and not, or",
    r"(?<!here )\b(is|are) no (?!longer|more\b|larger|smaller|shorter|lists?\b)": "is not a",
    r"\bnone of (?!the|these|them|its|our)": "not one of",
    r"told by\b": "detected from",
    r"leaves? with\b": "exits with",
    r"\bblanks?\b": "space",
    r"\banew\b": "again",
    r"stands? twice": "appears twice",
    r"by heart": "overfit",
    r"two answers": "these options conflict",
    r"\ball the same\b": "anyway",
    r"in earnest": "for real",
    r"goes without saying": "nothing",
    r"\bwants (a|an|one|two|ascending|either|the)\b": "needs",
    r"\bgive (one|both) of them\b": "use one of them",
    r"\bnot let\b|\blest\b|\bshall\b|\bupon\b|\bhence\b|\bwherein\b|\bwhilst\b": "plain words",
}
# What is good English in a longer text, but not in a message of one line.
ONLY_IN_MESSAGES = (r"\bwhose\b", r"\bnor\b", r"\bblanks?\b")
# A reason in a file is a key, not a sentence.
KEYS = ("blank-in-path",)


def messages() -> Iterator[tuple[str, str, bool]]:
    """Yield where each text of the program stands, the text, and whether it is a message."""
    for path in sorted((ROOT / "dogclips").rglob("*.py")):
        tree = ast.parse(path.read_text())
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = " ".join(node.value.split())
                yield f"{path.relative_to(ROOT)}:{node.lineno}", text, id(node) not in docs
    for path in (ROOT / "dogclips").rglob("*.j2"):
        yield str(path.relative_to(ROOT)), path.read_text(), True


def pages() -> Iterator[tuple[str, str, bool]]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line, False


@pytest.mark.parametrize("texts", [messages, pages], ids=["program", "pages"])
def test_no_text_has_words_that_a_native_speaker_would_not_write(texts: object) -> None:
    found = []
    for place, text, is_message in texts():  # type: ignore[operator]
        for pattern in STUMBLES if is_message else set(STUMBLES) - set(ONLY_IN_MESSAGES):
            hit = re.search(pattern, text, re.IGNORECASE)
            if hit and text not in KEYS:
                found.append(f"{place}: {hit[0]!r}, better: {STUMBLES[pattern]}: {text[:90]}")

    assert not found, "\n".join(found)
