"""`config.yaml`: the resolved settings beside everything that was made with them."""

from pathlib import Path

from dogclips.config import Config, ConfigT, settings_of, settings_text
from dogclips.files import write_whole

SETTINGS = "config.yaml"


def write_settings(config: Config, folder: Path, name: str = SETTINGS) -> None:
    """Write resolved settings into a folder."""
    write_whole(folder / name, settings_text(config))


def read_settings(model: type[ConfigT], folder: Path) -> ConfigT:
    """Return the settings with which the files of a folder were made."""
    return settings_of(model, [folder / SETTINGS])
