"""Clips that are planned and listed, and still lie in their recordings."""

import os
from pathlib import Path

from dogclips.records.manifest import MANIFEST, read_manifest


class UncutClips:
    """The clips that manifests beside or above them name as planned; each is read once."""

    def __init__(self) -> None:
        self._planned: dict[Path, frozenset[str]] = {}

    def __contains__(self, clip: str) -> bool:
        """Return whether a manifest names this absolute path."""
        folder = Path(clip).parent
        return any(
            os.path.relpath(clip, output) in self._planned_in(output)
            for output in (folder, folder.parent)
        )

    def _planned_in(self, output: Path) -> frozenset[str]:
        if output not in self._planned:
            # Path.is_file raises on a name that is too long.
            there = os.path.isfile(output / MANIFEST)  # noqa: PTH113
            manifest = read_manifest(output) if there else None
            clips: frozenset[str] = frozenset()
            if manifest is not None:
                clips = frozenset(manifest[manifest["status"] == "planned"]["clip"])
            self._planned[output] = clips
        return self._planned[output]
