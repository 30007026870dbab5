"""Both ways to measure a file, which must agree."""

import pytest

from dogclips.media.ffprobe import is_installed, probe_with_ffprobe
from dogclips.media.pyavprobe import probe_with_pyav

PROBES = [
    pytest.param(
        probe_with_ffprobe,
        id="ffprobe",
        marks=pytest.mark.skipif(not is_installed(), reason="ffprobe is not installed"),
    ),
    pytest.param(probe_with_pyav, id="PyAV"),
]
