"""Made session folders: recordings with painted frame numbers and their VIA projects."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.videos import Made, steady, write_made

OPTIONS = {"0": "sit", "1": "walk", "2": "sniff"}
Segment = tuple[float, float, str]

# The case that started it all, twelve seconds long: the larger stream lacks its first ten frames.
TWO_STREAMS = (steady(239), steady(229, first=10, late=10, width=256, height=144))


def via_project(videos: Mapping[str, Sequence[Segment]]) -> dict[str, Any]:
    """Return a project as the application saves it: (start, end, option id or text) by video."""
    ids = {name: str(number) for number, name in enumerate(videos, start=1)}
    entries = {
        f"{ids[name]}_{number:08d}": {
            "vid": ids[name],
            "flg": 0,
            "z": [start, end],
            "xy": [],
            "av": {"1": label},
        }
        for name, segments in videos.items()
        for number, (start, end, label) in enumerate(segments)
    }
    return {
        "project": {"pid": "__VIA_PROJECT_ID__", "pname": "dogs", "vid_list": list(ids.values())},
        "config": {"file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}}, "ui": {}},
        "attribute": {
            "1": {
                "aname": "behaviour",
                "anchor_id": "FILE1_Z2_XY0",
                "type": 4,
                "desc": "",
                "options": OPTIONS,
                "default_option_id": "",
            }
        },
        "file": {
            number: {"fid": number, "fname": name, "type": 4, "loc": 1, "src": ""}
            for name, number in ids.items()
        },
        "view": {number: {"fid_list": [number]} for number in ids.values()},
        "metadata": entries,
    }


def write_project(base_dir: Path, stem: str, videos: Mapping[str, Sequence[Segment]]) -> Path:
    path = base_dir / "via" / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(via_project(videos)))
    return path


def write_session(
    base_dir: Path,
    segments: Sequence[Segment] = ((0, 4, "0"), (4, 8, "1"), (6, 12, "2")),
    streams: Iterable[Made] = TWO_STREAMS,
    video: str = "020500.mp4",
) -> Path:
    """Write a session with one recording and its project."""
    write_made(base_dir / "video" / video, *streams)
    write_project(base_dir, "0205", {video: segments})
    return base_dir
