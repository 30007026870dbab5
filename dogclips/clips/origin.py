"""How clips were cut, told by the folder in which they lie."""

from pathlib import Path

from dogclips.clips.config import CutConfig
from dogclips.config import load_config
from dogclips.records.manifest import MANIFEST

_SETTINGS = "config.yaml"


def cut_settings_of(clip: Path) -> CutConfig | None:
    """Return the settings with which a clip was cut; None where no `dogclips cut` tells.

    They lie beside the manifest, in the clip's folder or the one above; the clip itself need not
    be there any more.

    Raises
    ------
    ConfigError
        Another version wrote them, or somebody edited them.
    """
    for output in (clip.parent, clip.parent.parent):
        if (output / MANIFEST).is_file() and (output / _SETTINGS).is_file():
            return load_config(CutConfig, [output / _SETTINGS])
    return None
