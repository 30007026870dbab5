"""The recordings that annotation files name: found among files, and measured once each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from dogclips.annotations import Project
from dogclips.clips.checks import Found, media_of
from dogclips.clips.recordings import Recording
from dogclips.clips.session import resolve_recordings
from dogclips.errors import MediaError
from dogclips.media.probe import probe_many


def measure_named(
    projects: Sequence[Project], among: Mapping[Path, Sequence[Path]]
) -> dict[Path, Found]:
    """Return what was measured of the recordings of each annotation file; none is aligned.

    Parameters
    ----------
    among
        For each annotation file the files among which its recordings are.
    """
    named = {
        project.path: resolve_recordings(
            [media.name for media in media_of(project)], among[project.path]
        )
        for project in projects
    }
    resolved = (path for own in named.values() for path in own.values())
    wanted = list(dict.fromkeys(path for path in resolved if isinstance(path, Path)))
    measured = {
        path: Recording(path, None, None, table)
        if isinstance(table, MediaError)
        else Recording(path, table, None)
        for path, table in zip(wanted, probe_many(wanted), strict=True)
    }
    return {
        file: {
            name: measured[path] if isinstance(path, Path) else path for name, path in own.items()
        }
        for file, own in named.items()
    }
