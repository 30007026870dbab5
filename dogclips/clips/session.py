"""A session folder: raw recordings, their annotation files, and our output."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dogclips.errors import SessionError
from dogclips.files import file_name
from dogclips.records.mixups import not_a_session

VIDEO_DIR, VIA_DIR, OUTPUT_DIR = "video", "via", "output"
ORIGINALS_DIR = "originals"  # what the files in `video/` are copies of

# `mouse.1` is a stem: numbers alone are no suffix, as in a time of day.
_SUFFIX = re.compile(r"\.\d*[A-Za-z][A-Za-z0-9]{1,4}$")

# What cameras and computers put beside recordings: subtitles, thumbnails, proxies, facts, notes.
_SIDE_FILE = re.compile(
    r"\.(srt|vtt|ass|thm|lrf|lrv|glv|gpx|xmp|xml|json|csv|tsv|txt|md|eaf|pfsx|boris|gz|ya?ml|html|pdf"
    r"|xlsx|h5|np[yz]|pkl|parquet|png|jpe?g|bmp|ini|db|url|lnk)$",
    re.IGNORECASE,
)
_PROXY = re.compile(r"\.(lrf|lrv|glv)$", re.IGNORECASE)  # of those the small copies of recordings


_SAVE = "save the project there (VIA 3, BORIS, CVAT, ELAN, DeepEthogram or CSV)"


@dataclass(frozen=True)
class Session:
    """A `BASE_DIR` with `video/`, `via/` and `output/`; files in name order."""

    base_dir: Path
    videos: tuple[Path, ...]
    projects: tuple[Path, ...]
    originals: tuple[Path, ...] = ()  #: In `originals/`
    proxies: tuple[Path, ...] = ()  #: In `video/`, recordings only where they are named

    @property
    def output(self) -> Path:
        """Return the folder that holds all that we write."""
        return self.base_dir / OUTPUT_DIR

    def recordings(self, media_names: Iterable[str]) -> dict[str, Path | SessionError]:
        """Return the recording of each media name of one annotation file, or why there is none."""
        return resolve_recordings(media_names, (*self.videos, *self.proxies))


def recording_named(media_name: str, videos: Sequence[Path]) -> Path:
    r"""Return the recording that an annotation file means: the one with the same base name.

    The name comes from a stranger's file: it may be a URL, a Windows path or `../../x`; only what
    follows the last `/` or `\` counts, and only files in `videos` can be meant. Names that differ
    in how a letter is encoded (macOS takes accents apart), then in upper and lower case, are
    compared only where no file has exactly that name. A name without suffix means a file's stem,
    but never a camera's proxy.
    """
    name = file_name(media_name)
    keys = [video.name for video in videos]
    found = same_names(name, keys)
    if not found and not _SUFFIX.search(name):
        found = same_names(name, ["" if is_proxy(video) else video.stem for video in videos])
    if len(found) == 1:
        return videos[found[0]]
    where = videos[0].parent if videos else ""
    if found:
        names = " and ".join(sorted(repr(keys[index]) for index in found))
        raise SessionError(
            f"V082 {name!r} matches more than one recording: {names}",
            where=where,
            todo="rename one of them",
        )
    todo = (
        "copy the file that was annotated there; if clips are to be cut from another one, name that"
        " in `originals`"
    )
    close = get_close_matches(name, keys, n=2)
    if close:
        todo = f"did you mean {' or '.join(map(repr, close))}? {todo}"
    raise SessionError(f"V081 no recording is named {name!r}", where=where, todo=todo)


def resolve_recordings(
    media_names: Iterable[str], videos: Sequence[Path]
) -> dict[str, Path | SessionError]:
    """Return the recording of each media name of one annotation file, or why there is none.

    Two names of one recording (V082) are both errors: their labels cannot be told apart.
    """
    found: dict[str, Path | SessionError] = {}
    for name in media_names:
        try:
            found[name] = recording_named(name, videos)
        except SessionError as error:
            found[name] = error
    return found | _clashes(found)


def _clashes(found: Mapping[str, Path | SessionError]) -> dict[str, SessionError]:
    names: defaultdict[Path, list[str]] = defaultdict(list)
    for name, path in found.items():
        if isinstance(path, Path):
            names[path].append(name)
    return {
        name: SessionError(
            f"V082 {' and '.join(map(repr, own))} name the same recording, {path.name!r}",
            where=path.parent,
            todo="rename the recordings, or name each only once in the annotation file",
        )
        for path, own in names.items()
        if len(own) > 1
        for name in own
    }


def same_names(name: str, keys: Sequence[str]) -> list[int]:
    """Return the indices of the keys that are the name, by the strictest rule that finds any."""
    rules = (str, _composed, _caseless)
    found = ([n for n, key in enumerate(keys) if rule(key) == rule(name)] for rule in rules)
    return next(filter(None, found), [])


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _caseless(name: str) -> str:
    return _composed(_composed(name).casefold())


def find_session(base_dir: Path) -> Session:
    """Return the recordings and annotation files of a session folder."""
    wrong = not_a_session(base_dir)
    if wrong is not None:
        raise wrong
    return session_in(base_dir, recordings_in(base_dir), projects_in(base_dir))


def session_in(
    base_dir: Path, videos: Iterable[Path] | None = None, projects: Iterable[Path] = ()
) -> Session:
    """Return what a folder holds, without asking whether that is enough for a session.

    `videos` are those of `video/` where none are given.
    """
    folder = base_dir / VIDEO_DIR
    return Session(
        base_dir,
        tuple(videos_in(folder) if videos is None else videos),
        tuple(projects),
        tuple(videos_in(base_dir / ORIGINALS_DIR)),
        tuple(filter(is_proxy, files_in(folder))),
    )


def find_sessions(
    base_dirs: Iterable[Path], refuse: Callable[[SessionError], None]
) -> list[Session]:
    """Return the sessions that can be used; `refuse` is called with what is wrong with others."""
    sessions = []
    for base_dir in base_dirs:
        try:
            sessions.append(find_session(base_dir))
        except SessionError as error:
            refuse(error)
    return sessions


def recordings_in(base_dir: Path) -> list[Path]:
    """Return the recordings of `base_dir/video` in name order."""
    videos = videos_in(base_dir / VIDEO_DIR)
    wrong = None if videos else not_a_session(base_dir)
    if wrong is not None:
        raise wrong
    if not videos:
        raise SessionError(
            "no recordings", where=base_dir / VIDEO_DIR, todo="copy the camera's files there"
        )
    return videos


def projects_in(base_dir: Path) -> list[Path]:
    """Return the files of `base_dir/via` in name order; their content tells what they are."""
    projects = files_in(base_dir / VIA_DIR)
    if not projects:
        raise SessionError(
            "no annotation files",
            where=base_dir / VIA_DIR,
            todo=_SAVE,
        )
    return projects


def no_annotations(session: Session) -> SessionError:
    """Return the error for a session of which no file is an annotation file."""
    return SessionError(
        "no file there is an annotation file",
        where=session.base_dir / VIA_DIR,
        todo=_SAVE,
    )


def videos_in(folder: Path) -> list[Path]:
    """Return the files of a folder in name order, without what cameras put beside recordings.

    Subtitles, thumbnails, the low-resolution proxies of GoPro and DJI cameras (.LRV, .LRF),
    pictures and tables are recognised by their suffix.
    """
    return [path for path in files_in(folder) if not _SIDE_FILE.search(path.name)]


def is_proxy(path: Path) -> bool:
    """Return whether a file is the small copy that a camera makes of a recording, by its suffix."""
    return bool(_PROXY.search(path.name))


def files_in(folder: Path) -> list[Path]:
    """Return the regular files of a folder that are not hidden, in name order."""
    names = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in names if path.is_file() and not path.name.startswith(".")]
