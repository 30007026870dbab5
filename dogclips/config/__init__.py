"""Configurations: frozen, closed pydantic models, read from YAML and `--set key.path=value`.

A file holds only what differs from the defaults in code. It may say `base: other.yaml` or a list
of them; later files win, dictionaries merge key by key, and `_delete_: true` inside a dictionary
drops what the bases said there. Validators look at values only: no configuration needs a disk,
a network or a GPU to be built.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import ValidationError

from dogclips.config.refusals import refused, unknown_name
from dogclips.config.trees import (
    Tree,
    config_file,
    merge_trees,
    parse_override,
    read_yaml,
    settings_text,
    shipped_names,
    with_keys,
)
from dogclips.config.types import (
    Ascending,
    Config,
    Count,
    Epochs,
    EpochsFromZero,
    FrameRate,
    Frames,
    NotNegative,
    Pixels,
    Positive,
    Seconds,
    SecondsFromZero,
    Share,
    Stretch,
    Unit,
    unit_of,
)
from dogclips.errors import ConfigError

__all__ = [
    "Ascending",
    "Config",
    "ConfigT",
    "Count",
    "Epochs",
    "EpochsFromZero",
    "FrameRate",
    "Frames",
    "NotNegative",
    "Pixels",
    "Positive",
    "Seconds",
    "SecondsFromZero",
    "Setting",
    "Settings",
    "Share",
    "Stretch",
    "Tree",
    "Unit",
    "config_file",
    "merge_trees",
    "names_file",
    "parse_override",
    "read_yaml",
    "settings_of",
    "settings_text",
    "shipped_names",
    "tree_of",
    "unit_of",
    "unknown_name",
    "validate",
    "with_keys",
]

ConfigT = TypeVar("ConfigT", bound=Config)

# A file, the name of a shipped one, or `key.path=value`; or several keys, their paths with dots.
Setting: TypeAlias = Path | str | Mapping[str, Any]
# What the public API takes for settings: finished ones, or what they are made of, later wins.
Settings: TypeAlias = ConfigT | Setting | Sequence[Setting] | None


def settings_of(
    model: type[ConfigT], given: Settings[ConfigT], under: Sequence[Setting] = ()
) -> ConfigT:
    """Build `model` from whatever the public API takes for settings.

    What is `under` holds where nothing that is given says otherwise.

    Raises
    ------
    ConfigError
        A file is missing or is not YAML, a key does not exist (the nearest valid name is given), or
        a value has the wrong type.
    """
    if isinstance(given, model):
        return given
    if isinstance(given, Config):
        kinds = type(given).__name__, model.__name__
        raise ConfigError(
            f"these settings are a {kinds[0]}, not a {kinds[1]}", todo=f"pass a {kinds[1]}"
        )
    parts = [*under, *_parts(given)]
    files = [
        str(part) if _is_file(part) else "--set" for part in parts if not isinstance(part, Mapping)
    ]
    where = ", ".join(dict.fromkeys(files)) or "configuration"
    return validate(model, tree_of(parts), where=where)


def tree_of(given: Sequence[Setting]) -> Tree:
    """Return what settings are made of as one tree; later wins."""
    tree: Tree = {}
    for part in given:
        if isinstance(part, Mapping):
            tree = with_keys(tree, part)
        elif _is_file(part):
            tree = merge_trees(tree, read_yaml(config_file(part)))
        else:
            tree = merge_trees(tree, parse_override(str(part)))
    return tree


def names_file(given: Settings[Config]) -> bool:
    """Return whether settings come from a file, or are finished, rather than change a few keys."""
    return isinstance(given, Config) or any(_is_file(part) for part in _parts(given))


def _parts(given: Settings[ConfigT]) -> list[Setting]:
    if given is None or isinstance(given, Config):
        return []
    return [given] if isinstance(given, str | Path | Mapping) else [*given]


def _is_file(part: Setting) -> bool:
    return isinstance(part, Path) or (isinstance(part, str) and "=" not in part)


def validate(model: type[ConfigT], tree: Mapping[str, Any], *, where: str) -> ConfigT:
    """Build `model` from a plain tree, or say in one line which key is wrong and why."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise refused(model, error, where) from error
