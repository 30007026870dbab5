"""All settings for people and editors: as commented YAML, as differences, as a JSON schema."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as limits
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from dogclips.config.refusals import models_in
from dogclips.config.trees import Tree, plain_yaml
from dogclips.config.types import Config, unit_of

_WIDTH = 88
_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    Path: "a path",
    NoneType: "null",
}


_BOUNDS: Mapping[type, tuple[str, str]] = {
    limits.Ge: ("ge", "of at least"),
    limits.Gt: ("gt", "above"),
    limits.Le: ("le", "at most"),
    limits.Lt: ("lt", "below"),
}


@dataclass(frozen=True)
class SettingFacts:
    """One setting, as the reference and the printed YAML describe it."""

    key: str  #: Its path
    description: str
    unit: str  #: What its numbers are counted in; empty where they have none
    allowed: str  #: What it takes, in words
    default: Any  #: As a plain value; None also where there is none
    value: Any  #: As a plain value; keys and values for a section
    required: bool = False  #: Whether there is no default


@dataclass(frozen=True)
class Difference:
    """A setting that differs from its default."""

    key: str
    default: Any
    value: Any

    def __str__(self) -> str:
        return f"{self.key}: {plain_yaml(self.default)} -> {plain_yaml(self.value)}"


def allowed_values(field: FieldInfo) -> str:
    """Return what a setting takes, in words.

    >>> from dogclips.config import Config, Count, Share
    >>> class Example(Config):
    ...     steps: Count | Literal["auto"] | None = None
    ...     share: Share = 0.5
    >>> [allowed_values(field) for field in Example.model_fields.values()]
    ['an integer of at least 1, auto or null', 'a number of at least 0 and below 1']
    """
    if field.examples:
        return f"text such as {', '.join(map(str, field.examples))}"
    return _words(field.annotation, field.metadata)


def _words(kind: Any, metadata: Sequence[Any] = ()) -> str:
    *others, last = dict.fromkeys(_choices(kind, metadata))
    return " or ".join(filter(None, (", ".join(others), last)))


def _choices(kind: Any, metadata: Sequence[Any]) -> Iterator[str]:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        more = [m for one in kind.__metadata__ for m in getattr(one, "metadata", (one,))]
        yield from _choices(inner[0], [*metadata, *more])
    elif origin is Literal:
        yield from (one if isinstance(one, str) else plain_yaml(one) for one in inner)
    elif origin in {Union, UnionType}:
        for one in inner:
            yield from _choices(one, metadata)
    elif origin is tuple:
        number = "" if inner[-1] is Ellipsis else f"{len(inner)} "
        yield f"a list of {number}{_plural(_words(inner[0]))}"
    elif origin is dict:
        yield f"keys with {_words(inner[1])} for each"
    else:
        yield " ".join(filter(None, (_WORDS.get(kind, "settings"), _limits(metadata))))


def _plural(words: str) -> str:
    """Return words for several: `a number above 0` becomes `numbers above 0`."""
    if words.startswith("a list"):
        return words.replace("a list", "lists", 1)
    return re.sub(r"^an? (\w+)", r"\1s", words)


def _limits(metadata: Sequence[Any]) -> str:
    """Return the bounds of a number.

    >>> _limits([limits.Ge(0), limits.Le(1)]), _limits([limits.Gt(0)])
    ('from 0 to 1', 'above 0')
    """
    kinds = [(type(one), one) for one in metadata if type(one) in _BOUNDS]
    found = {kind: getattr(one, _BOUNDS[kind][0]) for kind, one in kinds}
    if {*found} == {limits.Ge, limits.Le}:
        return f"from {found[limits.Ge]} to {found[limits.Le]}"
    return " and ".join(f"{_BOUNDS[kind][1]} {bound}" for kind, bound in found.items())


def facts_of(config: BaseModel, prefix: str = "") -> Iterator[SettingFacts]:
    """Return all settings in order; those of a section follow it."""
    plain = config.model_dump(mode="json")
    for name, field in type(config).model_fields.items():
        yield _facts(prefix + name, field, plain[name])
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            yield from facts_of(value, f"{prefix}{name}.")


def _facts(key: str, field: FieldInfo, value: Any = None) -> SettingFacts:
    default = _default(field)
    return SettingFacts(
        key,
        field.description or "",
        unit_of(field),
        allowed_values(field),
        default,
        value,
        field.is_required(),
    )


def _default(field: FieldInfo) -> Any:
    """Return a default as a plain value; None where there is none."""
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        return None
    return default.model_dump(mode="json") if isinstance(default, BaseModel) else _plain(default)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def commented_yaml(config: Config, head: Sequence[str]) -> str:
    """Return all settings as YAML that reads back as the same, each described above its value."""
    lines = [f"# {line}".rstrip() for line in head]
    return "\n".join([*lines, *_section(config)]) + "\n"


def _section(config: BaseModel) -> Iterator[str]:
    plain = config.model_dump(mode="json")
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            yield ""
            yield from _comment(field.description or "")
            yield f"{name}:"
            yield from _indented(_section(value))
        else:
            yield ""
            yield from _comment(field.description or "")
            yield from _comment(_remark(_facts(name, field)))
            yield f"{name}: {plain_yaml(plain[name])}"
            if not value:
                yield from _template(name, field)


def _remark(facts: SettingFacts) -> str:
    """Return what a setting takes, its unit and its default on one line."""
    unit = f" [{facts.unit}]" if facts.unit else ""
    default = "required" if facts.required else f"default: {plain_yaml(facts.default)}"
    return f"{facts.allowed}{unit}; {default}"


def _template(name: str, field: FieldInfo) -> Iterator[str]:
    """Return what a section would hold that is not there, as comments."""
    kinds = [*models_in(field.annotation)]
    if not kinds:
        return
    lines = [f"{name}:"]
    inner = []
    for key, own in kinds[0].model_fields.items():
        inner += [*_comment(own.description or ""), *_comment(_remark(_facts(key, own)))]
        inner.append(f"{key}: {'' if own.is_required() else plain_yaml(_default(own))}".rstrip())
    if get_origin(field.annotation) is dict:
        inner = ["NAME:", *_indented(inner)]
    yield from (f"#| {line}" for line in [*lines, *_indented(inner)])


def _indented(lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" if line else "" for line in lines)


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False))


def differences(config: Config) -> list[Difference]:
    """Return what differs from the defaults; of a network, from those of its architecture."""
    return list(_differences(config))


def _differences(config: BaseModel, prefix: str = "") -> Iterator[Difference]:
    plain = config.model_dump(mode="json")
    for name, field in type(config).model_fields.items():
        key, value, default = prefix + name, getattr(config, name), _default(field)
        optional = default is None and not field.is_required()
        if isinstance(value, BaseModel) and not optional:
            yield from _differences(value, f"{key}.")
        elif plain[name] != default:
            yield Difference(key, default, plain[name])


def json_schema(model: type[Config]) -> Tree:
    """Return a JSON schema by which editors complete and check a settings file.

    A file need not hold all keys, because it may have a `base`; units stand in the descriptions.
    """
    schema = model.model_json_schema()
    schema.pop("required", None)
    for kind in dict.fromkeys(_kinds(model)):
        own = schema if kind is model else schema["$defs"][kind.__name__]
        own["description"] = (kind.__doc__ or "").strip().partition("\n")[0]
        for name, field in kind.model_fields.items():
            unit = unit_of(field)
            text = f"{field.description} Unit: {unit}." if unit else field.description
            own["properties"][name]["description"] = text
    base = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    base["description"] = "Settings files to read first."  # type: ignore[assignment]
    schema["properties"] = {"base": base} | schema["properties"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _kinds(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for kind in models_in(field.annotation):
            yield from _kinds(kind)
