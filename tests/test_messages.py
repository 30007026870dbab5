"""Every message has its three parts: what is wrong, where, and what to do."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dogclips
from dogclips import errors
from dogclips.annotations.issues import Issues
from dogclips.codes import ISSUES, MESSAGES, Code

PACKAGE = Path(dogclips.__file__).parent
KINDS = {name for name in vars(errors) if name.endswith("Error")}

# Faults that lie at no file, stream, option or setting: what is wrong says it all.
WITHOUT_PLACE = {
    "interrupted",
    "no such option: {}",
    "unexpected argument {}",
    "{}",  # what typer says, which names the option
    "these settings are a {}, not a {}",
    "ffprobe is not installed",
    "nothing to read",
    "not measured",  # becomes an issue, which has its place
    "{} has no timestamps",
    "V091 {}",  # the recording is named by who merges its files
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        yield str(file.relative_to(PACKAGE)), ast.parse(file.read_text(encoding="utf-8"))


def raised(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls of a module that make one of our errors."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = {name.id for name in ast.walk(node.func) if isinstance(name, ast.Name)}
            if called & KINDS:
                yield node


def text_of(node: ast.expr) -> str:
    """Return a text with `{}` for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        return "".join(map(str, parts))
    return str(node.value) if isinstance(node, ast.Constant) else "{}"


def test_every_error_says_what_to_do_and_where() -> None:
    seen, wrong = 0, []
    for file, tree in trees():
        for call in raised(tree):
            seen += 1
            given = {keyword.arg: text_of(keyword.value) for keyword in call.keywords}
            what = text_of(call.args[0])
            lacking = [] if given.get("todo") else ["todo"]
            if "where" not in given and what not in WITHOUT_PLACE and "stream {}" not in what:
                lacking.append("where")
            if not what or lacking:
                wrong.append(f"{file}:{call.lineno} {what}: no {' and no '.join(lacking)}")
    assert seen > 200
    assert not wrong


def test_every_refusal_of_a_setting_says_what_to_do() -> None:
    """Texts of validators are `WHAT: WHAT TO DO`, as `config.refusals` takes them apart."""
    seen, wrong = 0, []
    for file, tree in trees():
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        for own in (one for one in classes if one.name.endswith(("Config", "ResizedCrop"))):
            for node in ast.walk(own):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ValueError":
                    seen += 1
                    text = text_of(node.args[0])
                    if ": " not in text:
                        wrong.append(f"{file}:{node.lineno} {text}")
    assert seen > 10
    assert not wrong


@pytest.mark.parametrize("table", [ISSUES, MESSAGES], ids=["issues", "messages"])
def test_every_code_says_what_it_means_and_what_to_do(table: dict[str, Code]) -> None:
    for name, code in table.items():
        assert code.meaning, name
        assert code.todo, name
        assert code.level != "error" or code.todo != "nothing", name


def test_an_issue_without_advice_of_its_own_gets_that_of_its_code() -> None:
    issues = Issues()
    issues.refuse("V057", "metadata.a", "ends before it starts")
    issues.refuse("V057", "metadata.b", "ends before it starts", "swap the times")
    issues.warn("V025", "file.1", "no type")

    todos = [issue.todo for issue in issues.found]
    assert todos == [ISSUES["V057"].todo, "swap the times", ""]
