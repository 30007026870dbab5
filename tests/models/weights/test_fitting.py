from pathlib import Path

import pytest
import torch

from dogclips.errors import CheckpointError
from dogclips.models import TimeSformerConfig, VideoModel, build_model
from dogclips.models.weights.fitting import load_weights

TINY = TimeSformerConfig(patch_size=8, dim=16, depth=1, heads=2)


def tiny(num_classes: int = 3) -> VideoModel:
    return build_model(TINY, num_classes, 4, 16)


@pytest.mark.parametrize(
    ("wrapper", "prefix"),
    [
        pytest.param(None, "", id="bare"),
        pytest.param("state_dict", "model.", id="as Lightning saves"),
        pytest.param("model_state", "model.", id="as TimeSformer saves"),
        pytest.param("model_state", "", id="as PySlowFast saves"),
        pytest.param("state_dict", "module.model.", id="as distributed training saves"),
    ],
)
def test_weights_load_out_of_every_wrapper(
    tmp_path: Path, wrapper: str | None, prefix: str
) -> None:
    theirs, ours = tiny(), tiny()
    state = {prefix + name: value for name, value in theirs.state_dict().items()}
    torch.save({wrapper: state, "epoch": 3} if wrapper else state, tmp_path / "w.pth")
    report = load_weights(ours, tmp_path / "w.pth")
    assert (report.dropped, report.fresh) == ((), ())
    assert all(torch.equal(v, theirs.state_dict()[k]) for k, v in ours.state_dict().items())


def test_a_head_for_other_classes_stays_fresh_and_is_named(tmp_path: Path) -> None:
    torch.save(tiny(5).state_dict(), tmp_path / "w.pth")
    report = load_weights(tiny(3), tmp_path / "w.pth")
    assert {fate.name for fate in report.dropped} == set(report.fresh)
    assert report.fresh == ("head.weight", "head.bias")
    assert {fate.why for fate in report.dropped} == {"5 classes, the model has 3"}


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    torch.save({"layer1.weight": torch.zeros(3)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"layer1\.weight"):
        load_weights(tiny(), tmp_path / "w.pth")


class Trap:
    """What an attacker would pickle."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("executed",)


def test_code_in_a_checkpoint_is_never_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"state_dict": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(CheckpointError, match=r"trap\.pth"):
        load_weights(tiny(), tmp_path / "trap.pth")
    assert capsys.readouterr().out == ""


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.pth"):
        load_weights(tiny(), tmp_path / "gone.pth")
