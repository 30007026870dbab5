"""Config: all settings of a command, what differs from the defaults, and a schema for editors."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, cast

from dogclips.config import Config, Setting, config_file, settings_of, shipped_names, tree_of
from dogclips.config.listing import (
    Difference,
    SettingFacts,
    commented_yaml,
    differences,
    facts_of,
    json_schema,
)
from dogclips.config.refusals import suggested_key
from dogclips.errors import ConfigError, UsageError
from dogclips.events import Result
from dogclips.files import json_text, write_whole

ConfiguredCommand = Literal["cut", "train", "predict"]

# Where settings are declared; torch is loaded for those of training alone.
_DECLARED = {
    "cut": ("dogclips.clips.config", "CutConfig"),
    "train": ("dogclips.training.config", "TrainConfig"),
    "predict": ("dogclips.prediction.config", "PredictConfig"),
}
_EXAMPLE = "slowfast_tiny"  # whose settings are shown where no network is chosen
_FOLDERS = ("config.yaml", "output/config.yaml")  # of a run, of a session


@dataclass(frozen=True, eq=False)
class ListedSettings(Result):
    """All settings of a command."""

    settings: Config
    facts: tuple[SettingFacts, ...]  #: Each of them, in order
    text: str  #: As commented YAML
    schema: Path | None = None  #: The schema that was written


@dataclass(frozen=True, eq=False)
class ComparedSettings(Result):
    """What a settings file changes."""

    file: Path
    differences: tuple[Difference, ...]


def list_settings(
    command: ConfiguredCommand,
    settings: Sequence[Setting] = (),
    *,
    model: str | None = None,
    schema: str | Path | None = None,
) -> ListedSettings:
    """Return all settings of a command, as chosen, with a description of each.

    Parameters
    ----------
    settings
        Files, mappings or `key.path=value` that change the defaults, later wins.
    model
        Of training: a published network, or an architecture, whose settings are shown.
    schema
        Write a JSON schema to this file; the first line of the text names it.

    Raises
    ------
    UsageError, ConfigError
        A setting is wrong, or there is no such network.
    OutputError
        The schema cannot be written.
    """
    kind = _declared(command)
    if model is not None and command != "train":
        raise UsageError(f"`{command}` has no --model", where="--model", todo="remove it")
    under = [] if model is None else [_network(model)]
    head = [
        f"All settings of `dogclips {command}`. Use this file with --config; a key that you",
        "remove keeps its default. Settings that are shipped and can be named in place of a file:",
        f"{', '.join(shipped_names(command)) or 'none'}.",
    ]
    if command == "train" and not under and not _has_network(settings):
        under = [_EXAMPLE]
        head.append(f"No network was chosen, so these are the settings of {_EXAMPLE}: choose one")
        head.append("with --model or --config.")
    config = settings_of(kind, settings, under)
    if schema is not None:
        write_whole(Path(schema), json_text(json_schema(kind)))
        named = Path(os.path.relpath(schema)).as_posix()
        head.insert(0, f"yaml-language-server: $schema={named}")
    text = commented_yaml(config, head)
    return ListedSettings(config, tuple(facts_of(config)), text, Path(schema) if schema else None)


def compare_settings(command: ConfiguredCommand, file: str | Path) -> ComparedSettings:
    """Return what a settings file changes; of a session or run folder, what its config.yaml does.

    Raises
    ------
    ConfigError
        The file is missing or wrong.
    """
    path = Path(file)
    if path.is_dir():
        found = (path / name for name in _FOLDERS)
        held = next((one for one in found if one.is_file()), None)
        if held is None:
            todo = "name a settings file, a run folder or a session that was cut"
            raise ConfigError("no config.yaml in this folder", where=path, todo=todo)
        path = held
    config = settings_of(_declared(command), path)
    return ComparedSettings(config_file(path), tuple(differences(config)))


def _declared(command: ConfiguredCommand) -> type[Config]:
    module, name = _DECLARED[command]
    kind: type[Config] = getattr(import_module(module), name)
    return kind


def _has_network(settings: Sequence[Setting]) -> bool:
    """Return whether settings choose a network."""
    return "name" in (tree_of(settings).get("model") or {})


def _network(name: str) -> Setting:
    from dogclips.models import BUILDERS  # noqa: PLC0415 (torch takes seconds to import)
    from dogclips.models.catalogue import NetworkConfig, variant  # noqa: PLC0415

    if name in BUILDERS:
        return {"model": {"name": name}}
    if name in shipped_names("train"):
        raise UsageError("these are shipped settings", where=name, todo=f"pass --config {name}")
    return NetworkConfig.of(variant(name)).difference()


def key_for_option(command: str, option: str) -> str:
    """Return the setting that an option which does not exist might stand for; else nothing."""
    if command not in _DECLARED:
        return ""
    key = suggested_key(_declared(cast("ConfiguredCommand", command)), option)
    return "model.name" if key == "model" else key
