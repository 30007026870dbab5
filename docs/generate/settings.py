"""Pages of settings, from the pydantic models: meaning, type, unit, default, who reads them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs.generate.markdown import anchor, code, entry, listed, page
from dogclips.clips.config import CutConfig
from dogclips.config import Config, unit_of
from dogclips.models import ModelConfig
from dogclips.prediction.config import PredictConfig
from dogclips.training import TrainConfig

# The commands that read settings; the longest start of a key decides. `data.` is what a model is
# fed, so that every command with a model reads it.
READ_BY: dict[str, dict[str, tuple[str, ...]]] = {
    "cut": {
        "": ("cut",),
        **dict.fromkeys(
            ("labels", "tasks", "projects", "reference", "target", "annotated_in", "trust"),
            ("cut", "check"),
        ),
    },
    "train": {
        "": ("train", "lr-find"),
        "model": ("train", "test", "predict", "browse", "lr-find"),
        "data": ("train", "test", "predict", "browse", "lr-find"),
        "data.augment": ("train", "browse", "lr-find"),
        "data.train": ("train", "browse", "lr-find"),
        "data.val": ("train", "browse"),
        "evaluation": ("train", "test", "predict", "browse"),
        "schedule": ("train",),
        "seed": ("train", "browse", "lr-find"),
    },
    "predict": {"": ("predict",)},
}
_ROOTS: dict[str, type[Config]] = {
    "cut": CutConfig,
    "train": TrainConfig,
    "predict": PredictConfig,
}
_TITLES = {
    "cut": "Settings of cut",
    "train": "Settings of train",
    "predict": "Settings of predict",
}


@dataclass(frozen=True)
class Setting:
    """A key of a configuration, its path with dots."""

    key: str
    field: FieldInfo
    section: type[Config] | None = None  #: The keys below it, where it has any


def settings(model: type[Config], prefix: str = "") -> Iterator[Setting]:
    """Yield the keys of a configuration in their order, those below a section after it.

    Sections of networks are left out: see `networks`.
    """
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        sections = [] if field.annotation == get_args(ModelConfig)[0] else _sections(field)
        below = f"{key}.NAME." if _is_table(field.annotation) else f"{key}."
        yield Setting(key, field, sections[0] if sections else None)
        for section in sections:
            yield from settings(section, below)


def networks() -> dict[str, type[Config]]:
    """Return the section of each network by its `model.name`."""
    kinds = get_args(get_args(ModelConfig)[0])
    return {kind.model_fields["name"].default: kind for kind in kinds}


def _sections(field: FieldInfo) -> list[type[Config]]:
    return list(dict.fromkeys(_configs(field.annotation)))


def _configs(annotation: Any) -> Iterator[type[Config]]:
    if isinstance(annotation, type) and issubclass(annotation, Config):
        yield annotation
    for argument in get_args(annotation):
        yield from _configs(argument)


def _is_table(annotation: Any) -> bool:
    """Return whether keys of a user's own stand above the section."""
    inner = [one for one in (annotation, *get_args(annotation)) if get_origin(one) is dict]
    return bool(inner)


def readers(kind: str, key: str) -> tuple[str, ...]:
    """Return the commands that read a key."""
    known = READ_BY[kind]
    starts = [start for start in known if start in ("", key) or key.startswith(f"{start}.")]
    return known[max(starts, key=len)]


def pages() -> dict[str, str]:
    """Return a page for the settings of each command, and one for the networks."""
    texts = {}
    for kind, root in _ROOTS.items():
        found = list(settings(root))
        entries = [_entry(kind, setting) for setting in found]
        texts[f"settings-{kind}.md"] = page(_TITLES[kind], _INTRODUCTIONS[kind], *entries)
    sections = [_network(name, model) for name, model in networks().items()]
    texts["settings-models.md"] = page("Settings of networks", _INTRODUCTIONS["models"], *sections)
    return texts


def _network(name: str, model: type[Config]) -> str:
    entries = [
        _entry("train", setting, name)
        for setting in settings(model, "model.")
        if setting.key != "model.name"
    ]
    head = f"## {name}\n\n{' '.join((model.__doc__ or '').split())}"
    return "\n\n".join([head, *entries])


_SHARED = """Write only what differs from the defaults, in a YAML file for `--config`, or as
`--set key=value`. Dots lead into sections: `{example}`. A file can name others that it builds on
with `base: other.yaml`. `dogclips config {kind}` prints all of them with comments."""
_INTRODUCTIONS = {
    "cut": _SHARED.format(example="encoder.crf=18", kind="cut"),
    "train": _SHARED.format(example="optimizer.lr=1e-4", kind="train")
    + " The keys below `model` depend on the network: see [Settings of networks]"
    "(settings-models.md).",
    "predict": _SHARED.format(example="min_bout_seconds=0.5", kind="predict"),
    "models": "What stands below `model` in [the settings of train](settings-train.md). "
    "`model.name` chooses the network; `dogclips models show NAME --yaml` prints the settings of a "
    f"published one. All keys are read by {listed(READ_BY['train']['model'])}.",
}


def _entry(kind: str, setting: Setting, network: str = "") -> str:
    field = setting.field
    own = anchor("model", network, setting.key) if network else anchor(kind, setting.key)
    facts = [f"*Takes* {_taken(field)}."] if setting.section is None else ["*A section.*"]
    default = _default(field)
    if default and (setting.section is None or default in ("null", "{}")):
        facts.append(f"*Default:* {code(default)}.")
    if not network:
        facts.append(f"*Read by* {listed(readers(kind, setting.key))}.")
    section = setting.section.__doc__ if setting.section else ""
    return entry(own, setting.key, field.description or section or "", " ".join(facts))


def _taken(field: FieldInfo) -> str:
    """Return what a key takes, in words: its types, values, range and unit."""
    if get_args(ModelConfig)[0] == field.annotation:
        return "a section with the name of a network"
    text = _type(field.annotation, field.metadata)
    unit = unit_of(field)
    if not unit:
        return text
    number, null, _ = text.partition(" or `null`")
    return f"{number}, in {unit},{null}" if null else f"{number}, in {unit}"


def _type(annotation: Any, metadata: Any = ()) -> str:
    """Return a type in words; `metadata` holds the limits of its numbers."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is not None:
        return _compound(origin, arguments, metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a section"
    name = _NAMES.get(annotation, "a value")
    return " ".join(filter(None, [name, _range(metadata)]))


def _compound(origin: Any, arguments: tuple[Any, ...], metadata: Any) -> str:
    if origin is Annotated:
        return _type(arguments[0], arguments[1:])
    if origin in (Union, UnionType):
        parts = [_type(one, metadata) for one in arguments if one is not NoneType]
        return " or ".join(parts + (["`null`"] if NoneType in arguments else []))
    if origin is Literal:
        return " or ".join(code(str(one)) for one in arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"{len(arguments)} values: {', '.join(map(_type, arguments))}"
    return f"a list of {_plural(arguments[0])}" if origin in (tuple, list) else "keys and values"


def _plural(annotation: Any) -> str:
    return _type(annotation).removeprefix("a ").replace("number", "numbers")


_NAMES = {
    bool: "`true` or `false`",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}


def _range(metadata: Any) -> str:
    """Return the limits of a number in words."""
    limits = [*metadata]
    for one in metadata:
        limits += getattr(one, "metadata", [])
    words = {Ge: "from {}", Gt: "above {}", Le: "to {}", Lt: "below {}"}
    names = {Ge: "ge", Gt: "gt", Le: "le", Lt: "lt"}
    found = [
        words[kind].format(f"{getattr(one, names[kind]):g}")
        for kind in words
        for one in limits
        if isinstance(one, kind)
    ]
    return " ".join(found)


def _default(field: FieldInfo) -> str:
    """Return the default as YAML has it; empty where there is none."""
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return ""
    if isinstance(value, BaseModel):
        return json.dumps(value.model_dump(mode="json"))
    return value if isinstance(value, str) else json.dumps(value, default=str)
