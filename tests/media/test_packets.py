"""What is decoded for a frame, and nothing else."""

from pathlib import Path

from dogclips.media.excerpt import Excerpt
from dogclips.media.packets import open_clip
from tests.videos import KEYFRAMES, steady, write_made


def test_only_packets_that_a_wanted_frame_needs_are_decoded(tmp_path: Path) -> None:
    options = {"preset": "fast", **KEYFRAMES["closed groups"]}
    path = write_made(tmp_path / "clip.mp4", steady(40, options=options))
    with open_clip(Excerpt(path)) as clip:
        groups = clip.groups(clip.times.pts[[2, 9, 11, 39]].tolist())
    spans = [(group.start, group.stop) for group in groups]
    assert spans == [(0, 3), (8, 12), (32, 40)]


def test_frames_that_are_shown_before_their_keyframe_need_the_group_before_it(
    tmp_path: Path,
) -> None:
    options = {"preset": "fast", **KEYFRAMES["open groups"], "sc_threshold": "0"}
    path = write_made(tmp_path / "clip.mkv", steady(40, options=options))
    with open_clip(Excerpt(path)) as clip:
        keys = [n for n, packet in enumerate(clip.packets) if packet.is_keyframe]
        times = [packet.pts or 0 for packet in clip.packets]
        leading = [n for n in range(keys[1], keys[2]) if times[n] < times[keys[1]]]
        assert leading
        (group,) = clip.groups([times[leading[0]]])
    assert group.start == 0
