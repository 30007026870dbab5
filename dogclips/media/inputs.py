"""The rules under which a file of unknown origin is opened.

A playlist named x.mp4 makes FFmpeg open other local files, a name such as `concat:a|b` is a
protocol and one that starts with `-` an option. An absolute path behind `file:` and whitelists of
the file protocol and of real containers block all of these, in ffprobe and PyAV alike.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from dogclips.errors import MediaError
from dogclips.records.mixups import not_a_recording

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,h264,hevc,mpegvideo,ogg"
INPUT_RULES = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}


def input_url(path: Path) -> str:
    """Return the name under which FFmpeg opens exactly this file, if there is one."""
    try:
        whole = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise MediaError("no such file", where=path, todo="check the path") from error
    if not whole.is_file():
        raise MediaError("not a file", where=path, todo="name a video file")
    return f"file:{whole}"


def open_input(path: Path, hwaccel: "HWAccel | None" = None) -> "InputContainer":
    """Open a video file with PyAV, to be decoded in software or on a device."""
    import av  # noqa: PLC0415 (takes longer to import than ffprobe to measure)

    url = input_url(path)
    try:
        return av.open(url, options=dict(INPUT_RULES), metadata_errors="replace", hwaccel=hwaccel)
    except (av.FFmpegError, ValueError) as error:
        raise not_a_video(path, str(error)) from error


def not_a_video(path: Path, reason: str) -> MediaError:
    """Return the error for a file that FFmpeg cannot open."""
    reason = reason.replace(f"file:{path.resolve()}", path.name)
    other = not_a_recording(path)
    if other:
        return MediaError(other, where=path, todo="name a recording")
    return MediaError(
        f"cannot be opened as video: {reason}", where=path, todo="check that the file is complete"
    )
