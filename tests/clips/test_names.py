import os
import re
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.clips.names import NameConfig, RecordingName, clip_name, recording_name, safe
from dogclips.errors import ConfigError

SESSION = Path("dog_video/Feb/2_2_kt")
RECORDING = RecordingName("20240202", "kt", "020500")
CREATED = "2024-02-02T02:05:00.000000Z"


def named(
    base_dir: Path | str = SESSION,
    video: str = "020500.mp4",
    created: str | None = CREATED,
    config: NameConfig | None = None,
) -> RecordingName:
    name, warning = recording_name(Path(base_dir), Path(video), created, config or NameConfig())
    assert warning is None
    return name


@pytest.mark.parametrize(
    ("start", "indices", "expected"),
    [
        (Fraction(0), [2], "20240202kt_020500_start0.0_2.mp4"),
        (Fraction(25, 2), [0, 3], "20240202kt_020500_start12.5_0-3.mp4"),
        (Fraction(4), [1], "20240202kt_020500_start4.0_1.mp4"),
        (Fraction("4.35"), [10], "20240202kt_020500_start4.35_10.mp4"),
        (Fraction(1200), [0, 1, 2], "20240202kt_020500_start1200.0_0-1-2.mp4"),
    ],
)
def test_a_clip_is_named_after_its_recording_start_and_labels(
    start: Fraction, indices: list[int], expected: str
) -> None:
    assert clip_name(RECORDING, start, indices, NameConfig()) == expected


def test_a_template_may_put_the_parts_in_another_order() -> None:
    config = NameConfig(template="{video}-{date}.{labels}")
    assert clip_name(RECORDING, Fraction(0), [1], config) == "020500-20240202.1.mp4"


@pytest.mark.parametrize(
    "template",
    ["{dates}", "{}", "{0}", "{date", "date}", "{date!z}", "{start:d}", "{date.x}", "{date[x]}"],
)
def test_a_template_that_cannot_be_filled_is_a_wrong_setting(template: str) -> None:
    with pytest.raises(ConfigError, match=r"name\.template.*\{date\}, \{site\}, \{video\}"):
        clip_name(RECORDING, Fraction(0), [1], NameConfig(template=template))


def test_day_and_site_come_from_the_folder_and_the_year_from_the_recording() -> None:
    assert named() == RECORDING


def test_one_digit_days_and_months_are_filled_up() -> None:
    assert named("Dec/12_31_yard").date == "20241231"
    assert named("Jan/1_9_yard").date == "20240109"


def test_a_site_may_hold_underscores() -> None:
    assert named("2_2_kt_left").site == "kt_left"


def test_a_year_that_is_set_wins_over_the_recordings() -> None:
    assert named(config=NameConfig(year=2023)).date == "20230202"


def test_a_date_that_is_set_wins_over_everything() -> None:
    config = NameConfig(date="19991231", year=2023)
    assert named(config=config) == RecordingName("19991231", "kt", "020500")


@pytest.mark.parametrize("created", [None, "", "unknown"])
def test_without_any_year_the_files_time_is_taken_with_a_warning(
    tmp_path: Path, created: str | None
) -> None:
    video = tmp_path / "020500.mp4"
    video.write_bytes(b"")
    time = datetime(2021, 6, 1, tzinfo=UTC).timestamp()
    os.utime(video, (time, time))
    name, warning = recording_name(SESSION, video, created, NameConfig())
    assert name.date == "20210202"
    assert warning is not None
    assert "020500.mp4" in warning
    assert "2021" in warning


def test_a_year_that_is_set_needs_no_warning() -> None:
    assert named(created=None, config=NameConfig(year=2024)) == RECORDING


def test_a_folder_of_another_shape_gives_its_own_name() -> None:
    assert named("videos/my dogs (new)") == RecordingName("", "my-dogs-new", "020500")
    assert named("videos/dogs", config=NameConfig(date="20240202")).date == "20240202"


def test_the_folder_counts_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "2_2_kt" / "via").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "2_2_kt")
    assert named(".") == RECORDING
    assert named("via/..") == RECORDING


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yard cam/1 (new)", "yard-cam-1-new"),
        ("../../etc/passwd", "etc-passwd"),
        ("-video-with-dash-", "video-with-dash"),
        (".hidden", "hidden"),
        ("象印", "unnamed"),
        ("a\nb\0c", "a-b-c"),
        ("$(rm -rf *)", "rm--rf"),
        ("", "unnamed"),
    ],
)
def test_unsafe_names_are_made_safe(text: str, expected: str) -> None:
    assert safe(text) == expected


@given(st.text())
def test_a_safe_name_is_no_path_no_option_and_not_hidden(text: str) -> None:
    name = safe(text)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    assert name[0] not in ".-"
    assert safe(name) == name


@given(st.text(st.sampled_from("abzAZ019_"), min_size=1))
def test_a_name_that_is_safe_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


names = st.text(max_size=20)


@given(names, names, names, names, st.fractions(0, 10**5), st.lists(st.integers(0, 99)))
def test_a_clip_name_holds_only_safe_characters(
    date: str, site: str, video: str, template: str, start: Fraction, indices: list[int]
) -> None:
    config = NameConfig(template=template.translate({ord("{"): None, ord("}"): None}) + "{video}")
    for own in (config, NameConfig()):
        name = clip_name(RecordingName(date, site, video), start, indices, own)
        assert re.fullmatch(r"[A-Za-z0-9._-]+\.mp4", name)
        assert name[0] not in ".-"
