"""A session folder: raw recordings, their annotation projects, and our output."""

from dataclasses import dataclass
from pathlib import Path

from dogclips.errors import SessionError

VIDEO_DIR, VIA_DIR, OUTPUT_DIR = "video", "via", "output"


@dataclass(frozen=True)
class Session:
    """A `BASE_DIR` with `video/`, `via/` and `output/`; files in name order."""

    base_dir: Path
    videos: tuple[Path, ...]
    projects: tuple[Path, ...]

    @property
    def output(self) -> Path:
        """Return the folder that holds all that we write."""
        return self.base_dir / OUTPUT_DIR

    def video_named(self, media_name: str) -> Path:
        r"""Return the recording that a project means: the one with the same base name.

        The name comes from a stranger's file: it may be a URL, a Windows path or `../../x`; only
        what follows the last `/` or `\` counts, and only files in `video/` can be meant.

        Raises
        ------
        SessionError
            No recording has this name.
        """
        name = media_name.replace("\\", "/").rpartition("/")[2]
        for video in self.videos:
            if video.name == name:
                return video
        raise SessionError(
            f"no recording is named {name!r}",
            where=self.base_dir / VIDEO_DIR,
            todo="copy it there under the name that the project uses",
        )


def find_session(base_dir: Path) -> Session:
    """Return the recordings and projects of a session folder.

    Raises
    ------
    SessionError
        The folder, its `video/` or its `via/*.json` is missing.
    """
    if not base_dir.is_dir():
        raise SessionError("no such folder", where=base_dir, todo="name a session folder")
    videos = recordings_in(base_dir)
    projects = sorted((base_dir / VIA_DIR).glob("*.json"))
    if not projects:
        raise SessionError(
            "no VIA project", where=base_dir / VIA_DIR, todo="save the VIA 3 project there as .json"
        )
    return Session(base_dir, tuple(videos), tuple(projects))


def recordings_in(base_dir: Path) -> list[Path]:
    """Return the files of `base_dir/video` in name order; hidden ones are not recordings.

    Raises
    ------
    SessionError
        There are none.
    """
    folder = base_dir / VIDEO_DIR
    names = sorted(folder.iterdir()) if folder.is_dir() else []
    videos = [path for path in names if path.is_file() and not path.name.startswith(".")]
    if not videos:
        raise SessionError("no recordings", where=folder, todo="put the camera's files there")
    return videos
