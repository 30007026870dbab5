"""Open containers with PyAV under the input rules."""

from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from dogclips.media.inputs import INPUT_RULES, input_url, not_a_video


def open_input(path: Path, hwaccel: HWAccel | None = None) -> InputContainer:
    """Open a video file with PyAV under the input rules, to be decoded in software or on a device.

    Raises
    ------
    MediaError
        The file is missing or no container that we read.
    """
    url = input_url(path)
    try:
        return av.open(url, options=dict(INPUT_RULES), metadata_errors="replace", hwaccel=hwaccel)
    except (av.FFmpegError, ValueError) as error:
        raise not_a_video(path, str(error)) from error
