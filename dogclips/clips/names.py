"""Clip names: the date, the site, the recording, the start and the labels, and nothing unsafe."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

from pydantic import ConfigDict, Field

from dogclips.config import Config
from dogclips.errors import ConfigError
from dogclips.timebase import shown

_SESSION_FOLDER = re.compile(r"^(?P<month>\d{1,2})_(?P<day>\d{1,2})_(?P<site>.+)$")


class NameConfig(Config):
    """How clips are named."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    template: str = Field(
        "{date}{site}_{video}_start{start}_{labels}",
        description="Name of a clip without suffix; the parts in braces are filled in.",
    )
    year: int | None = Field(
        None,
        description="Year of the recordings, for session folders that are called M_D_SITE; null "
        "takes it from the creation time in the recording, or else from the file's own time.",
    )
    date: str | None = Field(
        None,
        description="Date of the recordings as YYYYMMDD; null takes month and day from the name "
        "of the session folder.",
    )


@dataclass(frozen=True)
class RecordingName:
    """The parts of a clip name that all clips of one recording share."""

    date: str
    site: str
    video: str


def safe(text: str) -> str:
    """Return the text with only letters, digits, dot, underscore and hyphen in it.

    >>> safe("yard cam/1 (new)")
    'yard-cam-1-new'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "unnamed"


def safe_stems(paths: Iterable[Path]) -> list[str]:
    """Return a safe name for what is written about each file, without a suffix; no two alike.

    >>> safe_stems([Path("a/0205.mp4"), Path("b/0205.mp4"), Path("b/my dog.mkv")])
    ['0205', '0205_2', 'my-dog']
    """
    stems: list[str] = []
    for path in paths:
        stem, number = safe(path.stem), 2
        while stem in stems:
            stem = f"{safe(path.stem)}_{number}"
            number += 1
        stems.append(stem)
    return stems


def recording_name(
    base_dir: Path, video: Path, created: str | None, config: NameConfig
) -> tuple[RecordingName, str | None]:
    """Return the shared name parts of a recording, and a warning if its year is a guess.

    `created` is the container's creation time (ISO 8601), if it has one.
    """
    folder = base_dir.resolve().name
    match = _day_and_site(folder)
    stem = safe(video.stem)
    if match is None:
        return RecordingName(config.date or "", safe(folder), stem), None
    site = safe(match["site"])
    if config.date is not None:
        return RecordingName(config.date, site, stem), None
    year, warning = config.year, None
    if year is None and created and created[:4].isdigit():
        year = int(created[:4])
    if year is None:
        year = datetime.fromtimestamp(video.stat().st_mtime, UTC).year
        warning = f"{video.name}: no recording date; year {year} taken from the file's time"
    day = f"{year:04d}{int(match['month']):02d}{int(match['day']):02d}"
    return RecordingName(day, site, stem), warning


def _day_and_site(folder: str) -> re.Match[str] | None:
    match = _SESSION_FOLDER.match(folder)
    # 2024 is a leap year: every day that there can be is in it.
    try:
        return match if match and date(2024, int(match["month"]), int(match["day"])) else None
    except ValueError:
        return None


def clip_name(
    recording: RecordingName,
    start_s: Fraction,
    indices: Iterable[int],
    config: NameConfig,
    subject: str = "",
) -> str:
    """Return the file name of a clip; a clip without labels is called `none`.

    A clip that is about one subject names it behind the start, unless the template has a place for
    it.

    >>> recording = RecordingName("20240202", "kt", "020500")
    >>> clip_name(recording, Fraction(25, 2), [0, 3], NameConfig())
    '20240202kt_020500_start12.5_0-3.mp4'
    """
    fields = vars(recording) | {
        "start": shown(start_s),
        "labels": "-".join(str(index) for index in indices) or "none",
        "subject": safe(subject) if subject else "",
    }
    template = config.template
    if subject and "{subject}" not in template:
        template = template.replace("{start}", "{start}_{subject}")
    try:
        name = template.format_map(fields)
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"cannot fill {config.template!r}: {error}",
            where="name.template",
            todo=f"use only {{{'}, {'.join(fields)}}}",
        ) from error
    return f"{safe(name)}.mp4"
