"""The reference, which is generated from the code, lacks nothing that the code has."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

import dogclips
from docs.generate import pages, write_pages
from docs.generate.files import WRITTEN, keys_of
from docs.generate.python import functions, results
from docs.generate.settings import READ_BY, networks
from dogclips.cli.app import app
from dogclips.clips.config import CutConfig
from dogclips.clips.windows import Anchor
from dogclips.codes import ISSUES, MESSAGES, SKIP_REASONS, STATUSES
from dogclips.errors import DogclipsError
from dogclips.lists.formats import UNFIT_REASONS
from dogclips.prediction.config import PredictConfig
from dogclips.training import TrainConfig

PRODUCT = Path(dogclips.__file__).parent


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    return pages()


def parameters(group: Any, words: str = "") -> Iterator[tuple[str, str]]:
    """Yield each command of Typer, and each way to write one of its options and arguments."""
    for name, command in group.commands.items():
        path = f"{words}{name}"
        yield path, ""
        for param in command.params:
            option = param.opts[0].startswith("-")
            written = [*param.opts, *param.secondary_opts] if option else [str(param.metavar)]
            yield from ((path, one) for one in written)
        if hasattr(command, "commands"):
            yield from parameters(command, f"{path} ")


def test_every_command_option_and_argument_stands_in_the_reference(
    reference: dict[str, str],
) -> None:
    found = list(parameters(typer.main.get_command(app)))

    assert len(found) > 150
    for command, written in found:
        page = reference[f"commands/{command.replace(' ', '-')}.md"]
        assert re.search(rf"^# dogclips {command}$", page, re.MULTILINE)
        assert f"`dogclips {command}`" in reference["commands.md"]
        terms = re.findall(r"^\[`+ ?(.*?)`+\]\{#", page, re.MULTILINE)
        words = {word.rstrip(",") for term in terms for word in term.split()}
        assert not written or {written, f"{written}..."} & words, (command, written)


def test_every_example_of_a_command_stands_in_the_reference(reference: dict[str, str]) -> None:
    program: Any = typer.main.get_command(app)

    for name, command in program.commands.items():
        text = f"{command.help}\n{command.epilog or ''}"
        examples = re.findall(r"^\s*(?:\$|Example:) (dogclips .*)", text, re.MULTILINE)
        assert examples, name
        assert all(one in reference[f"commands/{name}.md"] for one in examples), name


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the path of every key; names of a user's own are `NAME`."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        table = "dict[" in str(field.annotation)
        for kind in models_in(field.annotation):
            if kind not in networks().values():
                yield from keys(kind, f"{prefix}{name}{'.NAME' if table else ''}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


@pytest.mark.parametrize(
    ("kind", "model"), [("cut", CutConfig), ("train", TrainConfig), ("predict", PredictConfig)]
)
def test_every_setting_stands_in_the_reference(
    reference: dict[str, str], kind: str, model: type[BaseModel]
) -> None:
    found = list(keys(model))
    page = reference[f"settings-{kind}.md"]

    assert len(found) > 15
    for key in found:
        assert f"\n[`{key}`]{{#" in page, key
    assert page.count("*Read by*") == len(found)


def test_every_setting_of_every_network_stands_in_the_reference(reference: dict[str, str]) -> None:
    page = reference["settings-models.md"]

    assert len(networks()) == 7
    for name, model in networks().items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for key in set(model.model_fields) - {"name"}:
            assert f"[`model.{key}`]" in section, (name, key)


def test_the_sections_that_commands_read_are_keys() -> None:
    models = {"cut": CutConfig, "train": TrainConfig, "predict": PredictConfig}
    commands = {command for command, _ in parameters(typer.main.get_command(app))}

    for kind, sections in READ_BY.items():
        assert set(sections) <= {"", *keys(models[kind])}
        assert {one for own in sections.values() for one in own} <= commands


@cache
def constants(module: Path) -> frozenset[str]:
    """Return the texts in a module."""
    nodes = ast.walk(ast.parse(module.read_text()))
    values = (node.value for node in nodes if isinstance(node, ast.Constant))
    return frozenset(value for value in values if isinstance(value, str))


@pytest.mark.parametrize(("letter", "table"), [("V", ISSUES), ("P", MESSAGES)])
def test_codes_that_the_program_uses_are_those_of_the_table(
    letter: str, table: dict[str, Any]
) -> None:
    code = re.compile(rf"{letter}\d\d\d(?=$| )")
    modules = [path for path in PRODUCT.rglob("*.py") if path.name != "codes.py"]
    those = [path for path in modules if re.search(rf'"{letter}\d', path.read_text())]
    texts = [text for path in those for text in constants(path)]
    used = {found[0] for text in texts if (found := code.match(text))}

    assert used == set(table)


def test_reasons_that_the_program_gives_are_those_of_the_table() -> None:
    modules = [f"clips/{name}.py" for name in ("frames", "windows", "viewing", "rows")]
    modules.append("loading/streaming.py")
    texts = [text for module in modules for text in constants(PRODUCT / module)]
    used = {text for text in texts if re.fullmatch("[a-z]+(-[a-z]+)+|contradicted", text)}

    assert used - set(get_args(Anchor)) == set(SKIP_REASONS)


def test_every_code_stands_in_the_reference(reference: dict[str, str]) -> None:
    kinds = [DogclipsError, *subclasses(DogclipsError)]
    errors = [kind.code for kind in kinds if kind.__module__.startswith("dogclips.")]

    assert len(errors) > 10
    for code in (*errors, *ISSUES, *MESSAGES, *SKIP_REASONS, *STATUSES, *UNFIT_REASONS):
        assert re.search(rf"^\[`{code}`\]{{#.*}}\n: \S", reference["codes.md"], re.MULTILINE), code


def subclasses(kind: type[DogclipsError]) -> Iterator[type[DogclipsError]]:
    for own in kind.__subclasses__():
        yield own
        yield from subclasses(own)


def test_every_column_and_key_says_what_it_means(reference: dict[str, str]) -> None:
    for file in (one for files in WRITTEN.values() for one in files):
        meanings = {column.name: column.meaning for column in file.columns}
        meanings |= dict(keys_of(file.record)) if file.record else {}
        meanings |= {key: text for part in file.keys.values() for key, text in part.items()}
        for name, meaning in meanings.items():
            assert meaning.endswith("."), (file.name, name, meaning)
            assert f"{name}`]{{#" in reference["files.md"], (file.name, name)


def test_public_functions_describe_parameters_returns_and_errors() -> None:
    for name, function in functions().items():
        text = inspect.getdoc(function) or ""
        sections = re.findall(r"^(\w+)\n-+$", text, re.MULTILINE)
        returns = inspect.signature(function).return_annotation not in (None, "None")
        raises = name != "merge"  # all of its faults are failures of single sessions
        expected = ["Parameters", *["Returns"] * returns, *["Raises"] * raises]
        assert sections == expected, (name, sections)
        described = text.partition("Parameters\n")[2].partition("\n\n")[0]
        for parameter in inspect.signature(function).parameters:
            assert re.search(rf"^(\w+, )*{parameter}\b", described, re.MULTILINE), (name, parameter)


def test_every_public_function_and_its_result_stand_in_the_reference(
    reference: dict[str, str],
) -> None:
    page = reference["python.md"]

    assert len(results()) > 10
    for name in dogclips.__all__:
        assert name == "__version__" or f".. autofunction:: dogclips.{name}\n" in page
    for kind in results():
        assert f".. autoclass:: {kind.__module__}.{kind.__name__}\n" in page


def test_pages_that_are_gone_are_removed_and_others_only_touched_if_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docs.generate.pages", lambda: {"a.md": "one", "b/c.md": "two"})
    (tmp_path / "old.md").write_text("gone")
    write_pages(tmp_path)
    before = (tmp_path / "a.md").stat().st_mtime_ns

    monkeypatch.setattr("docs.generate.pages", lambda: {"a.md": "one", "b/c.md": "three"})
    write_pages(tmp_path)

    assert not (tmp_path / "old.md").exists()
    assert (tmp_path / "a.md").stat().st_mtime_ns == before
    assert (tmp_path / "b" / "c.md").read_text() == "three"
