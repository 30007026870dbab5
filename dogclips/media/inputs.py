"""The rules under which a file of unknown origin is opened.

A playlist named x.mp4 makes FFmpeg open other local files, a name such as `concat:a|b` is a
protocol and one that starts with `-` an option. An absolute path behind `file:` and whitelists of
the file protocol and of real containers block all of these, in ffprobe and PyAV alike.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dogclips.errors import MediaError
from dogclips.records.mixups import not_a_recording

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer

CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,h264,hevc,mpegvideo,ogg,"
    "mxf,mjpeg,nut,yuv4mpegpipe,dhav,dv"
)
INPUT_RULES = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
# FFmpeg takes raw MJPEG for pictures put together, one after the other.
_RAW_MJPEG = (".mjpeg", ".mjpg")
_JPEG_BEGINS = b"\xff\xd8\xff"
_HLS_BEGINS = b"#EXTM3U"
# Tracks of other kinds, such as time codes, fit into no Matroska.
_REMUX = "remux it: `ffmpeg -i FILE -map 0:v -map 0:a? -c copy -copyts NEW.mkv`"
_FILM = "convert it: `ffmpeg -i FILE -fps_mode passthrough NEW.mkv`"
_NAME_VIDEO = "name a video file"
# What FFmpeg calls formats that are not read: what each is, and what to do.
_OTHER_FORMATS = {
    "gif": ("format gif is not read", _FILM),
    "apng": ("format apng is not read", _FILM),
    "gxf": ("format gxf is not read", _FILM),  # stores no times that could be copied
    "rm": ("format rm is not read", _FILM),
    "swf": ("format swf is not read", _FILM),
    "concat": ("a playlist, which names other files", _NAME_VIDEO),
    "hls": ("a playlist, which names other files", _NAME_VIDEO),
    "dash": ("a playlist, which names other files", _NAME_VIDEO),
    "sdp": ("a playlist, which names other files", _NAME_VIDEO),
    "image2": ("a picture, not a video", _NAME_VIDEO),
    "srt": ("subtitles, not a video", _NAME_VIDEO),
    "webvtt": ("subtitles, not a video", _NAME_VIDEO),
    "ass": ("subtitles, not a video", _NAME_VIDEO),
    "mp3": ("sound without a picture", _NAME_VIDEO),
    "wav": ("sound without a picture", _NAME_VIDEO),
    "aac": ("sound without a picture", _NAME_VIDEO),
    "flac": ("sound without a picture", _NAME_VIDEO),
    "tty": ("text, not a video", _NAME_VIDEO),
}
_DETECTED = re.compile(r"Format (\w+) probed")


def input_url(path: Path) -> str:
    """Return the name under which FFmpeg opens exactly this file, if there is one."""
    try:
        whole = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise MediaError("no such file", where=path, todo="check the path") from error
    if not whole.is_file():
        raise MediaError("not a file", where=path, todo="name a video file")
    return f"file:{whole}"


def format_of(path: Path) -> str | None:
    """Return the format to read a file as, where FFmpeg would take it for another one."""
    if path.suffix.lower() not in _RAW_MJPEG:
        return None
    return "mjpeg" if _begins(path, _JPEG_BEGINS) else None


def open_input(path: Path, hwaccel: "HWAccel | None" = None) -> "InputContainer":
    """Open a video file with PyAV, to be decoded in software or on a device."""
    import av  # noqa: PLC0415 (takes longer to import than ffprobe to measure)

    url, options = input_url(path), dict(INPUT_RULES)
    try:
        return av.open(
            url,
            format=format_of(path),
            options=options,
            metadata_errors="replace",
            hwaccel=hwaccel,
        )
    except (av.FFmpegError, ValueError) as error:
        raise not_a_video(path, str(error)) from error


def not_a_video(path: Path, reason: str) -> MediaError:
    """Return the error for a file that FFmpeg cannot open: what it is instead, if that is known."""
    name = _detected_format(path)
    if name is not None and name not in CONTAINERS.split(","):
        known = "image2" if name.endswith("_pipe") else name
        what, todo = _OTHER_FORMATS.get(known, (f"format {name} is not read", _REMUX))
        return MediaError(what, where=path, todo=todo.replace("FILE", path.name))
    reason = reason.replace(f"file:{path.resolve()}", path.name)
    other = not_a_recording(path)
    if other:
        return MediaError(other, where=path, todo="name a recording")
    return MediaError(
        f"cannot be opened as video: {reason}", where=path, todo="check that the file is complete"
    )


def _detected_format(path: Path) -> str | None:
    """Return FFmpeg's name for the format of a file, which is detected and not opened.

    No format is allowed, so that FFmpeg stops after it has looked at the first bytes; what they
    look like stands in its log alone.
    """
    import av  # noqa: PLC0415
    import av.logging  # noqa: PLC0415

    level = av.logging.get_level()
    av.logging.set_level(av.logging.DEBUG)
    try:
        with av.logging.Capture() as log, suppress(av.FFmpegError, ValueError):
            av.open(input_url(path), options=INPUT_RULES | {"format_whitelist": "-"}).close()
    finally:
        av.logging.set_level(level)
    found = [match[1] for _, _, line in log if (match := _DETECTED.search(line))]
    if not found and _begins(path, _HLS_BEGINS):
        return "hls"  # FFmpeg believes it under the names of playlists only
    return found[-1] if found else None


def _begins(path: Path, what: bytes) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(what)) == what
    return False
