"""Help pages: what each of them shows, at any width, on a terminal and in a pipe."""

import io
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from typer.core import TyperArgument, TyperGroup, TyperOption

from dogclips.cli.help import help_page
from dogclips.clips.config import CutConfig
from dogclips.prediction.config import PredictConfig
from dogclips.training import TrainConfig
from tests.cli.program import dogclips
from tests.cli.test_examples import PAGES

# Which settings a command reads.
SETTINGS: dict[str, type[BaseModel]] = {
    "check": CutConfig,
    "cut": CutConfig,
    "train": TrainConfig,
    "test": TrainConfig,
    "lr-find": TrainConfig,
    "predict": PredictConfig,
}


def page_of(name: str, width: int) -> str:
    context = typer.Context(PAGES[name], info_name=f"dogclips {name}".strip())
    return re.sub("\x1b\\[[0-9]*m", "", help_page(PAGES[name], context, width))


def params(name: str) -> Iterator[TyperArgument | TyperOption]:
    context = typer.Context(PAGES[name], info_name=name)
    for param in PAGES[name].get_params(context):
        assert isinstance(param, TyperArgument | TyperOption)
        yield param


def has_key(model: type[BaseModel], key: str) -> bool:
    first, _, rest = key.partition(".")
    field = model.model_fields.get(first)
    if field is None or not rest:
        return field is not None
    inner: Any = field.annotation
    return has_key(inner, rest)


@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "dogclips")
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_of_a_panel_is_wider_than_the_terminal(name: str, width: int) -> None:
    lines = page_of(name, width).split("Examples:")[0].splitlines()

    assert max(map(len, lines)) == width
    drawn = [line for line in lines if line[:1] in "╭│╰" and line]
    assert {len(line) for line in drawn} == {width}


@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "dogclips")
def test_every_parameter_is_explained_with_its_default(name: str) -> None:
    page = " ".join(page_of(name, 10_000).split())

    for param in params(name):
        text = " ".join((param.help or "").split())
        assert re.fullmatch(r"[A-Z].*\.", text), param.name
        shown = page.split(f" {text}", 1)[1]
        assert param.opts[0] in page or isinstance(param, TyperArgument)
        if isinstance(param, TyperOption) and param.is_flag and not param.secondary_opts:
            assert shown.startswith(" │")
        else:
            assert shown.startswith((" [default: ", " [required]")), param.name
            assert "[default: None]" not in shown


def test_an_option_names_the_setting_that_it_stands_for() -> None:
    named = {
        (name, key)
        for name in PAGES
        for param in params(name)
        for key in re.findall(r"\(setting: (.*?)\)", param.help or "")
    }

    assert ("cut", "labels.unknown") in named
    assert ("train", "data.train") in named
    assert ("predict", "stride_seconds") in named
    assert [pair for pair in named if not has_key(SETTINGS[pair[0]], pair[1])] == []


def test_every_command_is_listed_under_a_heading_in_one_line_of_80_columns() -> None:
    page = page_of("", 80)

    for name in PAGES[""].commands:
        [line] = re.findall(rf"^│ {name} +(.*?) +│$", page, re.MULTILINE)
        assert re.fullmatch(r"[A-Z].*\.", line)
    assert len(re.findall("^╭─ ", page, re.MULTILINE)) == 6
    assert "..." not in page.replace("COMMAND ...", "")


def test_options_stand_in_panels_and_help_is_the_last() -> None:
    for name, command in PAGES.items():
        titles = re.findall("^╭─ (.*?) ─", page_of(name, 80), re.MULTILINE)

        assert titles[-1] == "Other options"
        if name and not isinstance(command, TyperGroup):
            assert all(
                param.rich_help_panel
                for param in params(name)
                if isinstance(param, TyperOption) and param.name != "help"
            )


def test_a_pipe_gets_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    context = typer.Context(PAGES["cut"], info_name="dogclips cut")

    assert "\x1b[1mUsage:" in help_page(PAGES["cut"], context, 80)
    assert "\x1b" not in dogclips("cut", "--help").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in help_page(PAGES["cut"], context, 80)


def test_an_encoding_without_frames_gets_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))

    page = page_of("cut", 80)

    assert page.encode("ascii")
    assert "+- Settings -" in page
