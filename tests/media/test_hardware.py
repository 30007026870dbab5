"""What a graphics card does where there is one, and what is done without it, is the same clips."""

from pathlib import Path

import pytest

from dogclips.media.hardware import decoder_fault, encoder_fault
from tests.cli.program import dogclips
from tests.sessions import write_session
from tests.videos import numbers_in, steady

YEAR = ("--set", "name.year=2024")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base_dir = tmp_path_factory.mktemp("sessions") / "2_2_kt"
    return write_session(base_dir, [(4, 8, "1")], [steady(240)])


@pytest.fixture(scope="module")
def in_software(session: Path) -> bytes:
    """The session's one clip without any hardware."""
    assert dogclips("cut", session, *YEAR).returncode == 0
    return clip_of(session).read_bytes()


def clip_of(session: Path) -> Path:
    [clip] = (session / "output" / "0205").glob("*.mp4")
    return clip


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("encoder.codec=h264_nvenc", encoder_fault("h264_nvenc")),
        ("encoder.codec=hevc_nvenc", encoder_fault("hevc_nvenc")),
        ("decoder=cuda", decoder_fault("cuda")),
        ("decoder=nonsense", "no such thing"),
    ],
    ids=["encoder", "another encoder", "decoder", "no decoder at all"],
)
def test_a_card_cuts_the_same_frames_or_software_does_with_a_warning(
    session: Path, in_software: bytes, setting: str, fault: str | None
) -> None:
    shown = dogclips("cut", session, *YEAR, "--force", "--set", setting)

    assert shown.returncode == 0, shown.stderr
    assert numbers_in(clip_of(session)) == list(range(80, 160))
    if fault is None:
        assert shown.stderr == ""
    else:
        name = setting.partition("=")[2]
        assert shown.stderr.startswith(f"warning: {name} does not ")
        assert shown.stderr.count("\n") == 1
        assert clip_of(session).read_bytes() == in_software


def test_an_encoder_that_does_not_exist_has_its_reason() -> None:
    assert encoder_fault("libx264") is None
    assert decoder_fault("software") is None
    assert "nonsense" in str(encoder_fault("nonsense"))
