"""Configurations: frozen, closed pydantic models, read from YAML and `--set key.path=value`.

A file holds only what differs from the defaults in code. It may say `base: other.yaml` or a list
of them; later files win, dictionaries merge key by key, and `_delete_: true` inside a dictionary
drops what the bases said there. Validators look at values only: no configuration needs a disk,
a network or a GPU to be built.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, get_origin

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from dogclips.errors import ConfigError

Tree = dict[str, Any]


@dataclass(frozen=True)
class Unit:
    """What a number is counted in, as metadata of its type; see `unit_of`."""

    symbol: str


Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0), Unit("s")]
SecondsFromZero = Annotated[float, Field(ge=0), Unit("s")]
Pixels = Annotated[int, Field(ge=1), Unit("px")]
Frames = Annotated[int, Field(ge=1), Unit("frames")]
FrameRate = Annotated[float, Field(gt=0), Unit("frames/s")]
Epochs = Annotated[int, Field(ge=1), Unit("epochs")]
EpochsFromZero = Annotated[float, Field(ge=0), Unit("epochs")]


def _ascend(pair: tuple[float, float]) -> tuple[float, float]:
    if not 0 < pair[0] <= pair[1]:
        raise ValueError("two ascending numbers above 0")
    return pair


Ascending = Annotated[tuple[float, float], AfterValidator(_ascend)]


class Config(BaseModel):
    """Base of every configuration: unknown keys are refused and values never change."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )


def unit_of(field: FieldInfo) -> str:
    """Return the unit of the numbers that a setting takes; empty where they have none."""
    found = _units((*field.metadata, field.annotation))
    return next(found, "")


def _units(parts: Iterable[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Unit):
            yield part.symbol
        elif not isinstance(part, type):
            yield from _units((*getattr(part, "__metadata__", ()), *getattr(part, "__args__", ())))


ConfigT = TypeVar("ConfigT", bound=Config)

# A file, the name of a shipped one, or `key.path=value`; or several keys, their paths with dots.
Setting: TypeAlias = Path | str | Mapping[str, Any]
# What the public API takes for settings: finished ones, or what they are made of, later wins.
Settings: TypeAlias = ConfigT | Setting | Sequence[Setting] | None

_PACKAGED = Path(__file__).parent / "configs"  # in a wheel
_SHIPPED = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[1] / "configs"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as people mean it: `1e-7` is a number."""


class _Dumper(yaml.SafeDumper):
    """Quotes the words that `_Loader` would read as numbers."""


for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(\d[\d_]*\.?[\d_]*|\.[\d_]+)[eE][-+]?\d+$"),
        list("-+0123456789."),
    )


def settings_of(
    model: type[ConfigT], given: Settings[ConfigT], under: Sequence[Setting] = ()
) -> ConfigT:
    """Build `model` from whatever the public API takes for settings.

    What is `under` holds where nothing that is given says otherwise.

    Raises
    ------
    ConfigError
        A file is missing or no YAML, a key does not exist (the nearest valid name is given), or
        a value has the wrong type.
    """
    if isinstance(given, model):
        return given
    if isinstance(given, Config):
        kinds = type(given).__name__, model.__name__
        raise ConfigError(f"these are {kinds[0]}, not {kinds[1]}", todo=f"pass {kinds[1]}")
    tree: Tree = {}
    sources = []
    for part in (*under, *_parts(given)):
        if isinstance(part, Mapping):
            tree = with_keys(tree, part)
        elif _is_file(part):
            tree = merge_trees(tree, read_yaml(config_file(part)))
            sources.append(str(part))
        else:
            tree = merge_trees(tree, parse_override(str(part)))
            sources.append("--set")
    return validate(model, tree, where=", ".join(dict.fromkeys(sources)) or "configuration")


def names_file(given: Settings[Config]) -> bool:
    """Return whether settings come from a file, or are finished, rather than change a few keys."""
    return isinstance(given, Config) or any(_is_file(part) for part in _parts(given))


def _parts(given: Settings[ConfigT]) -> list[Setting]:
    if given is None or isinstance(given, Config):
        return []
    return [given] if isinstance(given, str | Path | Mapping) else [*given]


def _is_file(part: Setting) -> bool:
    return isinstance(part, Path) or (isinstance(part, str) and "=" not in part)


def config_file(name: Path | str) -> Path:
    """Return the file of that path, or else the shipped one of that name, such as `tiny_cpu`."""
    path = Path(name)
    if path.suffix or len(path.parts) > 1 or path.is_file():
        return path
    shipped = (file for file in sorted(_SHIPPED.glob("*/*.yaml")) if file.stem == path.name)
    return next(shipped, path)


def validate(model: type[ConfigT], tree: Mapping[str, Any], *, where: str) -> ConfigT:
    """Build `model` from a plain tree, or say in one line which key is wrong and why."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise _explain(model, error, where) from error


def read_yaml(file: Path, _seen: tuple[Path, ...] = ()) -> Tree:
    """Read one YAML file with its bases merged underneath it."""
    file = file.resolve()
    if file in _seen:
        raise ConfigError("`base` runs in a circle", where=file, todo="remove one of the bases")
    try:
        tree = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError as error:
        raise ConfigError("no such config file", where=file, todo="check --config") from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(f"not readable as YAML: {error}", where=file, todo="mend it") from error
    tree = {} if tree is None else tree
    if not isinstance(tree, dict):
        raise ConfigError("a config holds keys and values", where=file, todo="write `key: value`")
    bases = tree.pop("base", None) or []
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise ConfigError(
            "`base` is no file name", where=file, todo="name a file or a list of them"
        )
    merged: Tree = {}
    for base in bases:
        merged = merge_trees(merged, read_yaml(file.parent / base, (*_seen, file)))
    try:
        return merge_trees(merged, tree)
    except RecursionError as error:
        raise ConfigError("a part that holds itself", where=file, todo="drop the alias") from error


def parse_override(text: str) -> Tree:
    """Turn `a.b=value` into a tree; the value is read as YAML.

    >>> parse_override("encoder.crf=18")
    {'encoder': {'crf': 18}}
    >>> parse_override("optimizer.lr=1e-7")
    {'optimizer': {'lr': 1e-07}}
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise ConfigError(
            "--set wants key.path=value", where=text, todo="for example encoder.crf=18"
        )
    try:
        node: Any = yaml.load(value, _Loader)  # noqa: S506 (a SafeLoader)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError("the value is no YAML", where=text, todo="quote it") from error
    return _nested(path.strip(), node)


def _nested(path: str, node: Any) -> Tree:
    for key in reversed(path.split(".")):
        node = {key: node}
    return dict(node)


def with_keys(tree: Mapping[str, Any], keys: Mapping[str, Any]) -> Tree:
    """Lay keys, whose paths have dots, on a tree.

    >>> with_keys({"a": {"x": 1}}, {"a.y": 2, "b": 3})
    {'a': {'x': 1, 'y': 2}, 'b': 3}
    """
    for path, value in keys.items():
        tree = merge_trees(tree, _nested(path, value))
    return dict(tree)


def merge_trees(under: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    """Lay `over` on `under`, dictionary by dictionary.

    >>> merge_trees({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    >>> merge_trees({"a": {"x": 1}}, {"a": {"_delete_": True, "y": 3}})
    {'a': {'y': 3}}
    """
    merged = dict(under)
    for key, value in over.items():
        if isinstance(value, Mapping):
            drop = value.get("_delete_", False)
            below = {} if drop else merged.get(key)
            kept = {name: node for name, node in value.items() if name != "_delete_"}
            merged[key] = merge_trees(below if isinstance(below, Mapping) else {}, kept)
        else:
            merged[key] = value
    return merged


def settings_text(config: Config) -> str:
    """Return resolved settings as YAML."""
    return yaml.dump(
        config.model_dump(mode="json"), Dumper=_Dumper, sort_keys=False, allow_unicode=True
    )


def _explain(model: type[Config], error: ValidationError, where: str) -> ConfigError:
    # A misspelt key comes first: it may be why another one is missing.
    errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    first = errors[0]
    unknown = first["type"] == "extra_forbidden"
    path = _written(model, first["loc"], unknown=unknown)
    if unknown:
        near = difflib.get_close_matches(path, list(_keys(model)), n=1)
        todo = f"did you mean `{near[0]}`?" if near else "remove it"
        return ConfigError(f"unknown config key `{path}`", where=where, todo=todo)
    found = "" if isinstance(first["input"], Mapping) else f" (found {first['input']!r})"
    what = f"`{path}`: {first['msg']}{found}" if path else f"{first['msg']}{found}"
    return ConfigError(what, where=where, todo="correct the value")


def _written(model: type[Config], loc: Sequence[int | str], *, unknown: bool) -> str:
    """Return the key as the user wrote it, without pydantic's names for the members of a union."""
    names: list[str] = []
    annotation: Any = model
    for depth, part in enumerate(loc):
        fields = {
            key: info
            for inner in _models_in(annotation)
            for key, info in inner.model_fields.items()
        }
        written = isinstance(part, int) or (unknown and depth == len(loc) - 1)
        if part in fields:
            annotation = fields[str(part)].annotation
        elif not written and get_origin(annotation) is not dict:
            continue
        names.append(str(part))
    return ".".join(names)


def _keys(model: type[BaseModel], prefix: str = "") -> Iterable[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for inner in _models_in(field.annotation):
            yield from _keys(inner, f"{prefix}{name}.")


def _models_in(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
