import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.errors import UsageError
from dogclips.lists.groups import Grouping, group_clips, grouping_names


def seen(*rows: tuple[str, tuple[str, ...]]) -> pd.DataFrame:
    """Return clips of (recording, subjects)."""
    return pd.DataFrame(
        [
            {
                "path": f"/s/output/{number}.mp4",
                "labels": (0,),
                "recording": f"/s/video/{recording}.mp4",
                "project": "/s/p",
                "session": "/s",
                "subjects": subjects,
            }
            for number, (recording, subjects) in enumerate(rows)
        ]
    )


def parts(grouping: Grouping) -> list[set[int]]:
    """Return the clips of each group, in the order of their first."""
    found: dict[str, set[int]] = {}
    for clip, name in grouping.names.items():
        found.setdefault(name, set()).add(int(str(clip)))
    return list(found.values())


def test_clips_that_share_a_subject_are_one_group() -> None:
    clips = seen(("a", ("rex",)), ("b", ("bella",)), ("c", ("rex",)))
    assert parts(group_clips(clips, "subject")) == [{0, 2}, {1}]


def test_subjects_that_were_seen_together_are_one_group_through_any_number_of_clips() -> None:
    clips = seen(
        ("a", ("rex", "bella")), ("b", ("ace",)), ("c", ("ace", "zoe")), ("d", ("zoe", "bella"))
    )
    assert parts(group_clips(clips, "subject")) == [{0, 1, 2, 3}]


def test_a_clip_without_subject_joins_the_only_group_of_its_recording() -> None:
    clips = seen(("a", ("rex",)), ("a", ()), ("b", ("rex",)))
    grouping = group_clips(clips, "subject")
    assert parts(grouping) == [{0, 1, 2}]
    assert grouping.strays == 1


def test_clips_without_subject_stay_together_where_their_recording_parts() -> None:
    clips = seen(("a", ("rex",)), ("a", ()), ("a", ("bella",)), ("a", ()), ("b", ()))
    grouping = group_clips(clips, "subject")
    assert parts(grouping) == [{0}, {1, 3}, {2}, {4}]
    assert grouping.strays == 3


def test_without_any_subject_recordings_are_the_groups() -> None:
    clips = seen(("a", ()), ("b", ()), ("a", ()))
    assert parts(group_clips(clips, "subject")) == parts(group_clips(clips)) == [{0, 2}, {1}]


def test_any_further_column_groups_clips_and_empty_cells_stay_with_their_recording() -> None:
    clips = seen(("a", ()), ("b", ()), ("c", ()), ("c", ()))
    clips["file:camera"] = ["garden", "garden", "", None]
    grouping = group_clips(clips, "file:camera")
    assert parts(grouping) == [{0, 1}, {2, 3}]
    assert grouping.strays == 2
    assert grouping.ties["kind"].tolist() == ["file:camera"] * 2 + ["recording"] * 2


@pytest.mark.parametrize("by", ["recording", "project", "session", "none"])
def test_clips_are_grouped_by_where_they_come_from(by: str) -> None:
    clips = seen(("a", ("rex",)), ("b", ("rex",)), ("a", ()))
    expected = clips["path" if by == "none" else by]
    assert group_clips(clips, by).names.tolist() == expected.tolist()


@pytest.mark.parametrize("by", ["camera", "labels", "subjects", "path", ""])
def test_what_there_is_to_group_by_is_said(by: str) -> None:
    clips = seen(("a", ())).assign(**{"file:camera": "garden"})
    with pytest.raises(UsageError, match=r"recording, project, session, subject, none, file:cam"):
        group_clips(clips, by)


def test_only_what_all_clips_have_and_columns_of_their_own_can_be_grouped_by() -> None:
    clips = seen(("a", ())).assign(farm="north", sha256="", start_s=0.0)
    assert grouping_names(clips) == ["recording", "project", "session", "subject", "none", "farm"]


names = st.sampled_from(["rex", "bella", "ace", "zoe", "max", "lou"])
clip = st.tuples(st.sampled_from("abcd"), st.lists(names, unique=True, max_size=3).map(tuple))


@settings(deadline=None, max_examples=200)
@given(st.lists(clip, min_size=1, max_size=30))
def test_no_subject_is_in_two_groups_and_no_two_groups_could_be_one_less(
    rows: list[tuple[str, tuple[str, ...]]],
) -> None:
    grouping = group_clips(seen(*rows), "subject")
    groups_of: dict[str, set[str]] = {}
    for (_, subjects), group in zip(rows, grouping.names, strict=True):
        for name in subjects:
            groups_of.setdefault(name, set()).add(group)
    assert all(len(own) == 1 for own in groups_of.values())
    # As slowly as can be: join what shares a subject until nothing changes.
    sets = [set(subjects) for _, subjects in rows if subjects]
    while pair := next(((a, b) for a in sets for b in sets if a is not b and a & b), None):
        sets = [own for own in sets if own is not pair[0] and own is not pair[1]]
        sets.append(pair[0] | pair[1])
    of_subjects = {group for own in groups_of.values() for group in own}
    assert len(of_subjects) == len(sets)


@settings(deadline=None, max_examples=60)
@given(st.lists(clip, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_clips(
    rows: list[tuple[str, tuple[str, ...]]], order: random.Random
) -> None:
    clips = seen(*rows)
    shuffled = clips.sample(frac=1, random_state=order.randrange(1000))
    one = group_clips(clips, "subject").names
    two = group_clips(shuffled, "subject").names
    pd.testing.assert_series_equal(two.sort_index(), one)
