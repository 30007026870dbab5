"""Every setting says what it does and what its number is counted in."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

import dogclips
from dogclips.config import Config, unit_of

PACKAGE = Path(dogclips.__file__).parent

# What a name, or the first words of a description, promise.
UNITS = {
    "s": "seconds$|^Time (from|between)|^Length of a (clip|window)",
    "frames": "^Number of frames|^Length in time|^Distance between sampled frames",
    "px": "^Height and width|^Side of|^Scale clips",
    "epochs": "epochs$|^patience$|passes over|^Of `steps`: when",
    "frames/s": "^frame_rate$",
}


def kinds_of(parent: type[Config] = Config) -> Iterator[type[Config]]:
    for kind in parent.__subclasses__():
        if kind.__module__.startswith("dogclips."):
            yield kind
            yield from kinds_of(kind)


def all_settings() -> list[tuple[str, FieldInfo]]:
    for file in PACKAGE.rglob("*.py"):
        if "Config):" in file.read_text(encoding="utf-8"):
            import_module(".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts))
    return [
        (f"{kind.__name__}.{name}", field)
        for kind in kinds_of()
        for name, field in kind.model_fields.items()
    ]


@pytest.fixture(scope="module")
def settings() -> list[tuple[str, FieldInfo]]:
    found = all_settings()
    assert len(found) > 150
    return found


def test_every_setting_is_described_in_a_sentence(settings: list[tuple[str, FieldInfo]]) -> None:
    wrong = [
        name
        for name, field in settings
        if not re.fullmatch(r"[A-Z`\d].{9,}\.", field.description or "")
    ]
    assert not wrong


def test_every_setting_that_is_counted_in_something_has_its_unit(
    settings: list[tuple[str, FieldInfo]],
) -> None:
    for name, field in settings:
        texts = name.partition(".")[2], field.description or ""
        promised = {
            unit
            for unit, pattern in UNITS.items()
            if any(re.search(pattern, text) for text in texts)
        }
        found = {unit_of(field)} - {""}
        assert found == promised, name
