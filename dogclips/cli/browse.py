"""`dogclips browse`: see what a model is really fed."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import (
    print_json,
    print_line,
    print_result,
    print_warning,
    progress_bar,
)
from dogclips.cli.options import ConfigFiles, Json, Overrides
from dogclips.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dogclips.records.fed import FedClip
    from dogclips.reports.pictures.fed_video import ClipStrips
    from dogclips.training.browsing import Browser, Browsing

_CLIPS = 8
_SMALL, _LARGE = (192, 176), (640, 360)  # a clip's own frames on a sheet, and in a video


class Transform(StrEnum):
    """Whose transform."""

    train = "train"
    test = "test"
    both = "both"


class Mode(StrEnum):
    """What is shown of a clip."""

    fed = "fed"
    original = "original"


def browse(
    source: Annotated[Path, typer.Argument(metavar="LIST|RUN_DIR", help="Clips, or a training.")],
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR|FILE", help="A sheet (.png) or video (.mp4); a folder: one each."
        ),
    ],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="These clips, by name.")
    ] = None,
    clips: Annotated[
        int | None, typer.Option(min=1, help="Draw so many clips evenly.", show_default="8")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Draw among the clips of this label.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws the clips that are shown.")] = 0,
    transform: Annotated[
        Transform, typer.Option(help="Of training, of evaluation, or both.")
    ] = Transform.both,
    draws: Annotated[int, typer.Option(min=1, help="The training's first draws of a clip.")] = 3,
    mode: Annotated[
        Mode, typer.Option(help="What the model gets, or the clip's own frames with marks.")
    ] = Mode.fed,
    video: Annotated[bool, typer.Option("--video", help="A video instead of a sheet.")] = False,
    config: ConfigFiles = None,
    set_: Overrides = None,
    as_json: Json = False,
) -> None:
    """Show the frames that a model is fed, byte by byte, with their times, clips and labels.

    Draws are those of the training's first epochs: frames, crops and colours. Of a run its own
    training list is shown, with --transform test its validation list.

    Example: dogclips browse split/train.txt --config configs/train/tiny_cpu.yaml --out fed.png
    """
    if names and (clips is not None or label is not None):
        raise UsageError(
            "clips by name are not drawn", where="--clips, --label", todo="give names or a number"
        )
    video = _is_video(out, video)
    from dogclips.lists.choice import drawn_clips, named_clips
    from dogclips.records.settings import write_settings
    from dogclips.reports.tables.browse import fed_document, fed_table
    from dogclips.training.browsing import Browser, Wish, browsing_of

    whole = None if mode is Mode.fed else _LARGE if video else _SMALL
    wish = Wish(transform.value, draws, whole)
    browsing = browsing_of(source, config or (), set_ or (), wish.transform)
    if names:
        places = named_clips(browsing.clips, names)
    else:
        places = drawn_clips(browsing.clips, clips or _CLIPS, label, seed)
    outputs = _outputs(out, browsing, places, suffix=".mp4" if video else ".png")
    browser = Browser(browsing, places, wish)
    seen, written = _write(outputs, browser, together=_is_file(out), video=video)
    if not _is_file(out):
        write_settings(browsing.config, out, "browse.yaml")
    for text in filter(None, (*browsing.warnings, browser.warning())):
        print_warning(text)
    if as_json:
        document = {"version": 1, "list": str(browsing.clips.path), "mode": mode.value}
        print_json(
            document | {"clips": fed_document(seen), "outputs": [str(path) for path in written]}
        )
    else:
        print_result(fed_table(seen, browser.title(len(places))[1]))
        for path in written:
            print_line(str(path))
    if any(clip.fault for clip in seen):
        raise typer.Exit(1)


def _is_file(out: Path) -> bool:
    return bool(out.suffix) and not out.is_dir()


def _is_video(out: Path, wanted: bool) -> bool:
    """Return whether a video is asked for, by the name of a file or by the option.

    Raises
    ------
    UsageError
        The name asks for something else.
    """
    suffix = out.suffix.lower()
    if not _is_file(out) or (suffix == ".png" and not wanted) or suffix == ".mp4":
        return wanted or suffix == ".mp4"
    raise UsageError(
        f"cannot write {suffix}{' with --video' if wanted else ''}",
        where="--out",
        todo="name a file that ends in .png, or in .mp4 for a video, or a folder",
    )


def _outputs(out: Path, browsing: "Browsing", places: "Sequence[int]", suffix: str) -> list[Path]:
    """Return one file for all clips, or one in a folder for each of them.

    Raises
    ------
    UsageError
        It would replace a clip of the list.
    """
    from dogclips.prediction.files import file_stems

    clips = [clip.path for clip in browsing.clips.clips]
    stems = file_stems([clips[place] for place in places])
    files = [out] if _is_file(out) else [out / f"{stem}{suffix}" for stem in stems]
    listed = {path.resolve() for path in clips}
    for file in files:
        if file.resolve() in listed:
            raise UsageError("this clip is read", where=file, todo="write to another folder")
    return files


def _write(
    outputs: "Sequence[Path]", browser: "Browser", *, together: bool, video: bool
) -> "tuple[list[FedClip], list[Path]]":
    """Write everything; return what was seen, and the files.

    A folder has none for a clip that cannot be read; in a file for all clips it has its reason.
    """
    from dogclips.reports.pictures.fed_sheet import clip_block, write_sheet
    from dogclips.reports.pictures.fed_video import write_clips

    def make(path: Path, shown: "Iterable[ClipStrips]") -> None:
        if video:
            write_clips(path, shown, browser.layout)
        else:
            marked = browser.wish.whole is not None
            blocks = (clip_block(clip, strips, marked=marked) for clip, strips in shown)
            write_sheet(path, blocks, browser.title(len(browser.places) if together else 1))

    def watched() -> "Iterator[ClipStrips]":
        for clip, strips in browser:
            seen.append(clip)
            progress.advance(task)
            yield clip, strips

    seen: list[FedClip] = []
    with progress_bar("clips") as progress:
        task = progress.add_task("looking at clips", total=len(browser.places))
        if together:
            make(outputs[0], watched())
            return seen, [*outputs]
        readable = []
        for path, one in zip(outputs, watched(), strict=True):
            if not one[0].fault:
                make(path, [one])
                readable.append(path)
    return seen, readable
