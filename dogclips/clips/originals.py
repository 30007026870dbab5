"""Which file clips are cut from, where annotators saw a copy of it: a small proxy, a transcode."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dogclips.clips.session import ORIGINALS_DIR, VIDEO_DIR, Session, same_names
from dogclips.errors import SessionError
from dogclips.streams import StreamTable

# What programs and people add to the name of a copy, or of what was copied.
_ADDED = re.compile(
    r"(prox(y|ies)|low(res)?|lo(res)?|small|sub(stream)?|preview|lr[vf]|web|browser|trans(coded?)?"
    r"|conv(erted)?|compressed|copy|clock|h26[45]|x26[45]|hevc|avc|\d{3,4}p|orig(inals?)?|main"
    r"|full|large|hi(gh)?(res)?|hd|4k|raw|master)+"
)
_SAME_LENGTH_S, _SAME_LENGTH_SHARE = 1.0, 0.02


def originals_of(session: Session, named: Mapping[str, str]) -> dict[Path, Path | SessionError]:
    """Return the file to cut for each recording that is a copy, or why there is none.

    What settings have `named` decides: file names, in which one `*` stands for any text and for the
    same text on both sides. Recordings that are not named have the file in `originals/` with the
    same stem, if there is one.
    """
    found: dict[Path, Path | SessionError] = {}
    for path in (*session.videos, *session.proxies):
        wanted = next(_named(path.name, named), "")
        if wanted:
            found[path] = _file_named(wanted, path, session)
        elif (own := _with_stem(path, session.originals)) is not None:
            found[path] = own
    return found


def _named(name: str, named: Mapping[str, str]) -> Iterator[str]:
    """Yield the original that settings name for a recording: by its whole name, then by patterns.

    >>> list(_named("yard_proxy.mp4", {"*_proxy.mp4": "*.mov"}))
    ['yard.mov']
    """
    if name in named:
        yield named[name]
    for pattern, original in named.items():
        before, star, after = pattern.partition("*")
        fits = len(name) >= len(before) + len(after)
        if star and fits and name.startswith(before) and name.endswith(after):
            yield original.replace("*", name[len(before) : len(name) - len(after)])


def unmatched(session: Session, named: Mapping[str, str]) -> list[str]:
    """Return the keys of the setting that name no recording."""
    names = [path.name for path in (*session.videos, *session.proxies)]
    return [key for key in named if not any(any(_named(name, {key: "x"})) for name in names)]


def _file_named(wanted: str, copy: Path, session: Session) -> Path | SessionError:
    """Return the file of a name in `originals/`, else in `video/`."""
    for videos in (session.originals, session.videos):
        places = same_names(wanted, [path.name for path in videos])
        if len(places) == 1 and videos[places[0]] != copy:
            return videos[places[0]]
    return SessionError(
        f"V110 no original is named {wanted!r}",
        where=f"{copy}: originals",
        todo=f"put it into {ORIGINALS_DIR}/ or {VIDEO_DIR}/, or correct the setting",
    )


def _with_stem(path: Path, originals: Sequence[Path]) -> Path | SessionError | None:
    places = same_names(path.stem, [own.stem for own in originals])
    if len(places) < 2:
        return originals[places[0]] if places else None
    names = " and ".join(repr(originals[place].name) for place in places)
    return SessionError(
        f"V110 {path.name!r} has more than one original: {names}",
        where=originals[0].parent,
        todo="name one of them in the setting originals",
    )


def cut_from(
    paths: Iterable[Path], originals: Mapping[Path, Path | SessionError]
) -> dict[Path, Path]:
    """Return for each recording the file that clips are cut from: its original, or itself."""
    found = ((path, originals.get(path, path)) for path in paths)
    return {path: own if isinstance(own, Path) else path for path, own in found}


def likely_original(table: StreamTable, others: Iterable[StreamTable]) -> StreamTable | None:
    """Return the recording of which another one may be a small copy, by names and lengths.

    >>> from dogclips.streams import StreamTable
    >>> likely_original(StreamTable(Path("a.mp4"), "", None, ()), []) is None
    True
    """
    larger = (
        other
        for other in others
        if other.path != table.path
        and _pixels(table) < _pixels(other)
        and _named_alike(table.path.stem, other.path.stem)
        and _equally_long(table, other)
    )
    return max(larger, key=_pixels, default=None)


def _pixels(table: StreamTable) -> int:
    return max((stream.width * stream.height for stream in table.cameras), default=0)


def _equally_long(one: StreamTable, other: StreamTable) -> bool:
    lengths = [float(table.duration_s or 0) for table in (one, other)]
    return abs(lengths[0] - lengths[1]) <= max(_SAME_LENGTH_S, _SAME_LENGTH_SHARE * max(lengths))


def _named_alike(one: str, other: str) -> bool:
    """Return whether two stems differ only in what is added to the names of copies.

    >>> _named_alike("yard_proxy", "yard"), _named_alike("cam1", "cam10")
    (True, False)
    """
    stems = [re.sub(r"[\W_]+", " ", stem.casefold()).split() for stem in (one, other)]
    own, its = ([word for word in stem if not _ADDED.fullmatch(word)] for stem in stems)
    return own == its and bool(own)
