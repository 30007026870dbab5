"""Windows become rows of the manifest, and those that can be cut jobs for the encoder."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.clips.config import CutConfig
from dogclips.clips.frames import SourceFrames
from dogclips.clips.labelled import Labelled, Refused
from dogclips.clips.names import clip_name
from dogclips.clips.viewed import ViewedRecording
from dogclips.clips.viewing import Viewing
from dogclips.media.display import output_size
from dogclips.media.lanes import ClipJob
from dogclips.records.manifest import FILE_ATTRIBUTE
from dogclips.streams import Stream

_AV = f"av {version('av')}"
MADE_BY = f"dogclips {version('dogclips')}, {_AV}"
# Of all that decides a clip's bytes besides source and settings: another number cuts all again, or
# all whose frames the second rules read otherwise (see `media.pictures`).
RULES = 1
_RULES_OF_PICTURES = 2
_RULES_OF_DISPLAY = 3  # those that the third rules show otherwise (see `media.display`)

Columns = dict[str, Any]
# What only the rows of clips say.
_OF_CLIPS = (
    *("clip", "first_pts", "last_pts", "time_base", "container_start", "num_frames"),
    *("frame_rate", "timing", "width", "height", "rules", "recipe", "verdict"),
)


def refused_row(refused: Refused) -> Columns:
    """Return the row of what cannot be used."""
    return {
        "project": refused.project,
        "projects": (refused.project,),
        "source": refused.source,
        "status": "failed",
        "reason": str(refused.error),
        "made_by": MADE_BY,
    }


def rows_of(
    output: Path,
    viewed: ViewedRecording,
    windows: pd.DataFrame,
    labelled: Labelled,
    config: CutConfig,
) -> Iterator[tuple[Columns, ClipJob | None]]:
    """Yield the row of each of a recording's windows, and its job if it can be cut.

    Clips go below `output`; `windows` has the columns of `windows.WINDOW_COLUMNS`.
    """
    viewing, clip_s = viewed.viewing, config.windows.clip_s
    shared = _shared_columns(viewed) | {"with_task": labelled.with_task}
    size = output_size(viewing.target, config.short_side)
    recipe = _shared_recipe(viewed, config)
    index_of = {name: index for index, name in enumerate(labelled.classes)}
    each: Iterator[Any] = windows.itertuples(index=False)
    for window in each:
        indices = [index_of[label] for label in window.labels]
        row = shared | _columns_of_window(window, viewing, clip_s) | {"label_indices": indices}
        frames = viewing.frames(
            window.start,
            clip_s,
            config.resample_to,
            max_hold_s=config.max_hold_s,
            keep_doubtful=config.keep_doubtful,
        )
        if isinstance(frames, str) or window.reason:
            reason = frames if isinstance(frames, str) else window.reason
            yield row | {"status": "skipped", "reason": reason}, None
            continue
        name = clip_name(viewed.name, window.start, indices, config.name, window.subject)
        clip = f"{viewed.folder}/{name}"
        job = ClipJob(
            output / clip, frames.indices, frames.pts, frames.time_base, frames.frame_rate, size
        )
        row |= _columns_of_clip(viewing, frames, size, config)
        row |= {"verdict": viewing.verdict(window.start, clip_s)}
        row |= {"recipe": _recipe(recipe, viewing, frames), "status": "planned", "clip": clip}
        yield row, job


def name_apart(output: Path, rows: list[Columns], jobs: dict[int, ClipJob]) -> None:
    """Give a number to clips whose recordings got the same name."""
    taken: set[str] = set()
    for index, job in jobs.items():
        wanted = clip = str(rows[index]["clip"])
        stem, number = wanted.removesuffix(".mp4"), 2
        while clip in taken:
            clip = f"{stem}_{number}.mp4"
            number += 1
        taken.add(clip)
        if clip != wanted:
            rows[index]["clip"], jobs[index] = clip, replace(job, path=output / clip)


def sample_background(
    rows: list[Columns], jobs: dict[int, ClipJob], ratio: Fraction | None
) -> None:
    """Give up background beyond `ratio` times the labelled clips; the same clips in every run."""
    if ratio is None:
        return
    without = [index for index in jobs if not rows[index]["labels"]]
    count = round(ratio * (len(jobs) - len(without)))
    ordered = sorted(without, key=lambda index: _digest(str(rows[index]["clip"])))
    for index in ordered[count:]:
        del jobs[index]
        kept = {name: value for name, value in rows[index].items() if name not in _OF_CLIPS}
        rows[index] = kept | {"status": "skipped", "reason": "not-sampled"}


def _shared_columns(viewed: ViewedRecording) -> Columns:
    """Return what every row of a recording says."""
    viewing = viewed.viewing
    return {
        **{FILE_ATTRIBUTE + key: text for key, text in viewed.attributes.items()},
        "project": viewed.folder,
        "projects": viewed.files,
        "source": viewed.source,
        "annotated": viewed.annotated,
        "reference_stream": viewing.reference.index,
        "target_stream": viewing.target.index,
        "annotated_in": viewing.player,
        "alignment": viewing.alignment.method,
        "verified": viewing.alignment.verified,
        "offset_s": float(viewing.alignment.offset_s),
        "error_s": float(viewing.alignment.time_map.error_s),
        "made_by": MADE_BY,
    }


def _columns_of_window(window: Any, viewing: Viewing, clip_s: Fraction) -> Columns:
    """Return what a row says of its window, which has the columns of `windows.WINDOW_COLUMNS`."""
    return {
        "start_s": float(window.start),
        "end_s": float(window.start + clip_s),
        "labels": window.labels,
        "tasks": window.tasks,
        "subjects": (window.subject,) if window.subject else window.subjects,
        "container_start_s": float(viewing.container_s(window.start)),
    }


def _columns_of_clip(
    viewing: Viewing, frames: SourceFrames, size: tuple[int, int], config: CutConfig
) -> Columns:
    target = viewing.target
    return {
        "first_pts": int(target.pts[frames.indices[0]]),
        "last_pts": int(target.pts[frames.indices[-1]]),
        "time_base": str(target.time_base),
        "container_start": str(frames.begin_s),
        "num_frames": len(frames.indices),
        "frame_rate": str(frames.frame_rate),
        "timing": frames.timing,
        "width": size[0],
        "height": size[1],
        "rules": _rules(target, config),
    }


def _rules(stream: Stream, config: CutConfig) -> int:
    """Return the rules since which clips of a stream show the frames that they show now."""
    if _display_recipe(stream, config):
        return _RULES_OF_DISPLAY
    moved = stream.pictures is not None and stream.pictures.moved
    return max(RULES, _RULES_OF_PICTURES) if moved else RULES


def _shared_recipe(viewed: ViewedRecording, config: CutConfig) -> list[object]:
    """Return what decides the bytes of all clips of a recording, besides their frames.

    What makes a picture of a frame is named only where it changes pictures: others are reused.
    """
    facts = viewed.viewing.path.stat()
    file = (viewed.source, facts.st_size, facts.st_mtime_ns, viewed.viewing.target.index)
    # The first rules bear the name of the version that came with them: what it cut is reused.
    number = _rules(viewed.viewing.target, config)
    rules = "dogclips 0.1.0" if number == 1 else f"rules {number}"
    own = [*file, config.short_side, config.encoder.model_dump(), f"{rules}, {_AV}"]
    return own + _display_recipe(viewed.viewing.target, config)


def _display_recipe(stream: Stream, config: CutConfig) -> list[object]:
    """Return what else than scaling and turning makes clips of a stream look as they do."""
    parts: list[object] = ["mirrored"] * stream.mirrored
    if stream.interlaced and config.deinterlace == "auto":
        parts.append("bwdif")
    return [*parts, stream.levels] if stream.levels else parts


def _recipe(shared: list[object], viewing: Viewing, frames: SourceFrames) -> str:
    """Return the digest of all that decides the bytes of a clip."""
    source_pts = viewing.target.pts[list(frames.indices)].tolist()
    parts = [*shared, source_pts, list(frames.pts), str(frames.time_base)]
    return _digest(json.dumps(parts))[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
