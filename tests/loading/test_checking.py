import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.lists import ClipList, ListedClip
from dogclips.loading.checking import BAD_COLUMNS, check_clips
from tests.painted import write_clip


def noise(number: int, pixels: NDArray[np.uint8]) -> None:
    pixels[:] = np.random.default_rng(number).integers(0, 256, pixels.shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ClipList:
    """Return six clips: the second has no moov, the fourth is no video, the fifth has a hole."""
    folder = tmp_path_factory.mktemp("clips")
    paths = [write_clip(folder / f"{n}.mp4", 10, paint=noise) for n in range(6)]
    paths[1].write_bytes(paths[1].read_bytes()[:500])
    paths[3].write_text("no video at all\n")
    data = bytearray(paths[4].read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    paths[4].write_bytes(data)
    listed = tuple(ListedClip(path, (0,)) for path in paths)
    return ClipList(folder / "list.txt", listed, ("a",))


@pytest.mark.parametrize("workers", [0, 2])
def test_every_bad_clip_is_named_with_its_reason_however_many_processes_look(
    clips: ClipList, workers: int
) -> None:
    done: list[int] = []
    fast = check_clips(clips, "fast", workers=workers, progress=done.append)
    assert tuple(fast.bad.columns) == BAD_COLUMNS
    assert fast.bad["index"].tolist() == [1, 3]
    assert fast.bad["path"].tolist() == [str(clips.clips[place].path) for place in (1, 3)]
    assert all("cannot be opened" in reason for reason in fast.bad["reason"])
    assert sum(done) == 6
    assert len(fast.timelines) == 4


def test_only_the_full_check_sees_damage_within(clips: ClipList) -> None:
    full = check_clips(clips, "full")
    assert full.bad["index"].tolist() == [1, 3, 4]
    assert full.bad["reason"].iloc[2].startswith("the clip does not decode")


def test_nothing_is_looked_at_without_a_check(clips: ClipList) -> None:
    none = check_clips(clips, "none")
    assert len(none.bad) == 0
    assert none.error() is None
    assert none.kept(clips) == clips


def test_bad_clips_are_an_error_or_left_out(clips: ClipList) -> None:
    found = check_clips(clips, "full")
    error = found.error()
    assert isinstance(error, MediaError)
    assert "(and 2 more clips)" in str(error)
    assert str(clips.clips[1].path) in str(error)
    assert "on_bad_clip to skip" in str(error)
    kept = found.kept(clips)
    assert [clip.path.name for clip in kept.clips] == ["0.mp4", "2.mp4", "5.mp4"]


def test_a_list_of_bad_clips_only_is_an_error_even_if_they_may_be_skipped(clips: ClipList) -> None:
    bad = ClipList(clips.path, clips.clips[1:2], clips.labels)
    with pytest.raises(MediaError, match=r"1\.mp4"):
        check_clips(bad).kept(bad)
