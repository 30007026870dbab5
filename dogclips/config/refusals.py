"""Why settings are refused, in one line: which key, what is wrong with it, and what to write."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from dogclips.config.other_names import COMMAND_OF, ELSEWHERE, OTHER_NAMES
from dogclips.errors import ConfigError

# What a value has to be, by pydantic's type of error; `{}` are filled from its context.
_EXPECTED: dict[str, str] = {
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_parsing_size": "a smaller integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "string_unicode": "text",
    "string_pattern_mismatch": "text that fits {pattern}",
    "path_type": "a path",
    "list_type": "a list",
    "tuple_type": "a list",
    "iterable_type": "a list",
    "dict_type": "keys and values",
    "mapping_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "dataclass_type": "keys and values",
    "none_required": "null",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "a list of at least {min_length}, not {actual_length}",
    "too_long": "a list of at most {max_length}, not {actual_length}",
    "json_invalid": "valid JSON",
    "invalid_key": "keys that are text: put numbers in quotes",
    "recursion_loop": "free of values that contain themselves",
}
_CHOOSE_MODEL = "choose one with `--config slowfast_tiny` or `--set model.name=slowfast`; "
_CHOOSE_MODEL += "`dogclips models` lists published networks"
_MISSING = {"model": ("no model is chosen", _CHOOSE_MODEL)}
_CHARACTERS = 60  # of a wrong value that are shown
_ALIKE, _LISTED = 0.6, 12  # how near a name has to be, and how many are listed where none is


def refused(model: type[BaseModel], error: ValidationError, where: str) -> ConfigError:
    """Return the one line with which settings are refused."""
    # A misspelt key comes first: it may be why another one is missing.
    errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    first, spot = errors[0], _Spot.of(model, errors[0])
    same = [one for one in errors if _Spot.of(model, one).path == spot.path]
    explain = _EXPLAINED.get(first["type"], _wrong_value)
    what, todo = explain(model, spot, same)
    return ConfigError(what, where=where, todo=todo)


_Text = tuple[str, str]  # what is wrong, and what to do


def _unknown_key(model: type[BaseModel], spot: "_Spot", _: Sequence[ErrorDetails]) -> _Text:
    return f"unknown config key `{spot.path}`", suggestion(model, spot) or "remove it"


def _missing(_: type[BaseModel], spot: "_Spot", errors: Sequence[ErrorDetails]) -> _Text:
    last, given = errors[-1]["loc"][-1], errors[-1]["input"]
    if isinstance(last, int):  # of a list of fixed length
        what = f"`{spot.path}` has to be a list of {last + 1} values (found {_shown(given)})"
        return what, "write all of them"
    return _MISSING.get(spot.path, (f"`{spot.path}` is missing", f"set {spot.path}"))


def _refused_by_us(_: type[BaseModel], spot: "_Spot", errors: Sequence[ErrorDetails]) -> _Text:
    """Split the text of one of our validators, which is `WHAT: WHAT TO DO`."""
    what, colon, todo = expected(errors[0]).partition(": ")
    key = f"`{spot.path}`" + ("" if what.startswith("has ") else colon.strip())
    return f"{key} {what}" if spot.path else what, todo


def _unknown_kind(_: type[BaseModel], spot: "_Spot", errors: Sequence[ErrorDetails]) -> _Text:
    """Refuse the name of a network that does not exist."""
    context = errors[0].get("ctx", {})
    tag, names = str(context["tag"]), re.findall(r"'([^']*)'", str(context["expected_tags"]))
    near = [name for name in names if name in tag.lower()] or _near(tag, names)
    todo = f"did you mean `{near[0]}`?" if near else f"choose one of {', '.join(names)}"
    return f"`{spot.path}.name`: no network is called {tag!r}", todo


def _wrong_value(_: type[BaseModel], spot: "_Spot", errors: Sequence[ErrorDetails]) -> _Text:
    given = errors[0]["input"]
    found = "" if isinstance(given, Mapping) else f" (found {_shown(given)})"
    key = f"`{spot.path}`" if spot.path else "a config"
    if errors[0]["loc"][-1:] == ("[key]",):
        return f"{key} has a key that is not text{found}", "put the key in quotes"
    todo = "correct the value"
    if errors[0]["type"] in _SECTIONS and spot.field is not None:
        own = [key for kind in models_in(spot.field.annotation) for key in kind.model_fields]
        todo = f"set its keys, such as {spot.path}.{own[0]}" if own else todo
    return f"{key} has to be {_expectations(errors, spot.field)}{found}", todo


_SECTIONS = ("model_type", "model_attributes_type")
_EXPLAINED: dict[str, Callable[[type[BaseModel], "_Spot", Sequence[ErrorDetails]], _Text]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "union_tag_not_found": _missing,
    "union_tag_invalid": _unknown_kind,
    "value_error": _refused_by_us,
}


def expected(error: ErrorDetails) -> str:
    """Return what a value would have to be, in words."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context.get("error", ""))
    words = _EXPECTED.get(kind)
    return f"has to be {words.format_map(context)}" if words else "has another type"


def _expectations(errors: Sequence[ErrorDetails], field: FieldInfo | None) -> str:
    """Return what a value may be; each member of a union has refused it for a reason of its own."""
    words = []
    for error in errors:
        if error["type"] == "string_pattern_mismatch" and field is not None and field.examples:
            words.append(f"of a form such as {', '.join(map(str, field.examples))}")
        else:
            words.append(expected(error).removeprefix("has to be "))
    return " or ".join(dict.fromkeys(words))


def _shown(value: object) -> str:
    text = "null" if value is None else repr(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}..."


@dataclass(frozen=True)
class _Spot:
    """A place in a configuration, as the user wrote it."""

    names: tuple[str, ...]
    field: FieldInfo | None = None  #: What is declared there
    section: tuple[type[BaseModel], ...] = ()  #: What the last name is, or would be, a key of

    @property
    def path(self) -> str:
        return ".".join(self.names)

    @classmethod
    def of(cls, model: type[BaseModel], error: ErrorDetails) -> "_Spot":
        """Return where an error is, without pydantic's names for the members of a union."""
        names: list[str] = []
        field: FieldInfo | None = None
        section: tuple[type[BaseModel], ...] = (model,)
        inside, annotation = section, model  # type: tuple[type[BaseModel], ...], Any
        unknown = error["type"] == "extra_forbidden"
        listed = error["type"] == "missing" and isinstance(error["loc"][-1], int)
        for depth, part in enumerate(error["loc"][:-1] if listed else error["loc"]):
            written = isinstance(part, int) or (unknown and depth == len(error["loc"]) - 1)
            fields = {k: one for kind in inside for k, one in kind.model_fields.items()}
            if part in fields:
                section, field = inside, fields[str(part)]
                annotation = field.annotation
                inside = tuple(models_in(annotation))
            elif part == "[key]":
                continue
            elif written or get_origin(annotation) is dict:
                section = inside
            else:  # pydantic's name for a member of a union
                inside = tuple(kind for kind in inside if _tag(kind) == part) or inside
                continue
            names.append(str(part))
        return cls(tuple(names), field, section)


def _tag(kind: type[BaseModel]) -> object:
    field = kind.model_fields.get("name")
    return None if field is None else field.default


def suggestion(model: type[BaseModel], spot: _Spot) -> str:
    """Return what was meant by an unknown key; empty if nothing comes near.

    What means the same in its own section comes first, then what is spelt alike there, then the
    same key or meaning in another section, then whatever is nearest.
    """
    *parents, name = spot.names
    prefix = "".join(f"{parent}." for parent in parents)
    own = {key: prefix + key for kind in spot.section for key in kind.model_fields}
    every = list(dict.fromkeys(keys_of(model)))
    by_last = {key.rpartition(".")[2]: key for key in reversed(every)}
    plain = name.lower().replace("-", "_")
    means = OTHER_NAMES.get(plain, ())
    if plain in ELSEWHERE and "model" in every:
        return ELSEWHERE[plain]
    choices: tuple[Iterable[str], ...] = (
        [own[key] for key in means if key in own],
        [key for key in means if key in every and key.startswith(prefix)],
        [own[key] for key in _near(name, own, 0.8)],
        [by_last[key] for key in (name,) if key in by_last],
        [key for key in means if key in every],
        [own[key] for key in _near(name, own)],
    )
    near = next((key for choice in choices for key in choice), "")
    if near:
        return f"did you mean `{near}`?"
    if not parents and name in COMMAND_OF:
        return f"remove it: it is a setting of `dogclips {COMMAND_OF[name]}`"
    close = _near(name, by_last)
    return f"did you mean `{by_last[close[0]]}`?" if close else ""


def suggested_key(model: type[BaseModel], name: str) -> str:
    """Return the key that a single word means, in whichever section; empty if none does."""
    every = list(dict.fromkeys(keys_of(model)))
    plain = name.strip("-").replace("-", "_")
    means = OTHER_NAMES.get(plain.lower(), ())
    same = (key for key in every if key.rpartition(".")[2] == plain)
    return next((key for key in (*same, *means) if key in every), "")


def _near(name: str, keys: Iterable[str], cutoff: float = 0.6) -> list[str]:
    return difflib.get_close_matches(name, [*keys], n=1, cutoff=cutoff)


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Return the paths of all keys of a section, those of its own sections included."""
    for name, field in model.model_fields.items():
        yield prefix + name
        for inner in models_in(field.annotation):
            yield from keys_of(inner, f"{prefix}{name}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Return the sections that a type allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from models_in(argument)


def unknown_name(key: str, kind: str, name: str, known: Iterable[str]) -> ConfigError:
    """Return the error for a name in a setting that matches nothing, with the nearest that does.

    `key` is the setting and `kind` the noun for what it names, such as "label".
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=1, cutoff=_ALIKE)
    near = near or [one for one in names if one.casefold() == name.casefold()]
    listed = ", ".join(map(repr, names[:_LISTED])) + (", ..." if len(names) > _LISTED else "")
    todo = f"did you mean {near[0]!r}?" if near else f"use one of {listed}"
    return ConfigError(
        f"there is no {kind} {name!r}",
        where=key,
        todo=todo if names else f"remove it, because there is no {kind} at all",
    )
