"""Settings as plain trees: read from YAML files and `key.path=value`, merged, and written."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any

import yaml

from dogclips.config.types import Config
from dogclips.errors import ConfigError

Tree = dict[str, Any]


_PACKAGED = Path(__file__).parents[1] / "configs"  # in a wheel
_SHIPPED = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "configs"


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


def config_file(name: Path | str) -> Path:
    """Return the file of that path, or else the shipped one of that name, such as `tiny_cpu`."""
    path = Path(name)
    if path.suffix or len(path.parts) > 1 or path.is_file():
        return path
    shipped = (file for file in sorted(_SHIPPED.glob("*/*.yaml")) if file.stem == path.name)
    return next(shipped, path)


def shipped_names(command: str = "*") -> list[str]:
    """Return the names of the settings that are shipped for a command, or for all.

    >>> shipped_names("cut")
    ['demo', 'short_recordings', 'training']
    """
    return sorted(file.stem for file in _SHIPPED.glob(f"{command}/*.yaml"))


def read_yaml(file: Path, _seen: tuple[Path, ...] = ()) -> Tree:
    """Read one YAML file with its bases merged underneath it."""
    file = file.resolve()
    if file in _seen:
        todo = "remove one of the bases"
        raise ConfigError("`base` leads back to the same file", where=file, todo=todo)
    tree = _loaded(file)
    bases = tree.pop("base", None) or []
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise ConfigError(
            "`base` is not a file name", where=file, todo="name a file or a list of files"
        )
    merged: Tree = {}
    for base in bases:
        merged = merge_trees(merged, read_yaml(file.parent / base, (*_seen, file)))
    try:
        return merge_trees(merged, tree)
    except RecursionError as error:
        todo = "remove the YAML alias"
        raise ConfigError("a value contains itself", where=file, todo=todo) from error


def _loaded(file: Path) -> Tree:
    try:
        tree = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError as error:
        near = difflib.get_close_matches(file.stem, shipped_names(), n=1)
        todo = f"did you mean {near[0]}? " if near else ""
        todo += f"name a YAML file, or one of {', '.join(shipped_names())}"
        raise ConfigError("no such config file", where=file, todo=todo) from error
    except IsADirectoryError as error:
        todo = "name a file in it, such as config.yaml"
        raise ConfigError("this is a folder, not a config file", where=file, todo=todo) from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        todo = "fix the YAML syntax"
        raise ConfigError(f"not readable as YAML: {error}", where=file, todo=todo) from error
    if not isinstance(tree, dict | NoneType):
        todo = "write `key: value`"
        raise ConfigError("a config file has to hold keys and values", where=file, todo=todo)
    return tree or {}


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
            "--set needs KEY=VALUE", where=text, todo="write for example --set encoder.crf=18"
        )
    try:
        node: Any = yaml.load(value, _Loader)  # noqa: S506 (a SafeLoader)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(
            "the value is not valid YAML", where=text, todo="put it in quotes"
        ) from error
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


def plain_yaml(value: Any) -> str:
    """Return a plain value as YAML on one line.

    >>> plain_yaml([1e-2, "on", None]), plain_yaml({"a": 1}), plain_yaml("text: b")
    ("[0.01, 'on', null]", '{a: 1}', "'text: b'")
    """
    text = yaml.dump(
        [value],
        Dumper=_Dumper,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
    )
    return text.strip()[1:-1]
