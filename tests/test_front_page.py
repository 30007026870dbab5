"""README is one page, shows what is true, and repeats only figures that Evidence states."""

import re
from pathlib import Path

import yaml

from dogclips import __version__

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Blocks hold what the program prints; tests/docs compares it with what it prints.
PROSE = re.sub(r"```.*?```", "", README, flags=re.DOTALL)


def test_readme_is_read_in_two_minutes_and_begins_with_the_two_commands() -> None:
    assert len(README.encode()) <= 6000
    first = re.findall(r"```\n(.*?)```", README, flags=re.DOTALL)[0]
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


def test_every_figure_of_readme_stands_in_evidence() -> None:
    evidence = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    figures = re.findall(r"(?<![\w.])0\.\d{2,}(?![\w.])", PROSE)
    assert figures
    assert [figure for figure in figures if figure not in evidence] == []


def test_every_file_that_readme_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert (
        f"## [{__version__}] - {citation['date-released']}" in (ROOT / "CHANGELOG.md").read_text()
    )
