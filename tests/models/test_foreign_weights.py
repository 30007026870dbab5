"""Weights as other code bases name them, into our networks: the same logits."""

import json
import pickle
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from timm.layers import resample_abs_pos_embed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torchvision.models import resnet, vision_transformer
from transformers import TimesformerConfig as TheirConfig
from transformers import TimesformerForVideoClassification

from dogclips.errors import CheckpointError
from dogclips.models import (
    I3DConfig,
    ModelConfig,
    MViTConfig,
    SlowConfig,
    SlowFastConfig,
    TimeSformerConfig,
    UniFormerV2Config,
    VideoModel,
    X3DConfig,
    build_model,
)
from dogclips.models.weights.fitting import convert_weights, inspect_weights, load_weights
from dogclips.records.weights import TensorNote
from dogclips.reports.tables.weights import loaded_lines
from tests.models import foreign
from tests.models.foreign import filled

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own imports use what torch calls outdated
    from pytorchvideo.models.slowfast import create_slowfast

TIMESFORMER = TimeSformerConfig(patch_size=8, dim=16, depth=2, heads=2)
SLOWFAST = SlowFastConfig(depths=(2, 1, 1, 1), width=8)
KINETICS = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # nets so small wait longer for other threads than they compute
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def clips_for(model: VideoModel) -> Tensor:
    expects = model.expects
    return torch.randn(2, 3, expects.clip_len, expects.size, expects.size)


def saved(held: object, path: Path) -> Path:
    if path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(held, protocol=2))
    else:
        torch.save(held, path)
    return path


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


PYSLOWFAST_CFG = "DATA:\n  MEAN: [0.4, 0.5, 0.6]\n  STD: [0.1, 0.2, 0.3]\n"
LAYOUTS: dict[str, tuple[ModelConfig, Callable[[Any], object], str, Any]] = {
    "TimeSformer .pyth": (
        TIMESFORMER,
        lambda s: {"model_state": prefixed(s, "model."), "cfg": "TIMESFORMER: {}"},
        "TimeSformer timesformer",
        KINETICS,
    ),
    "MMAction2 TimeSformer": (
        TIMESFORMER,
        foreign.timesformer_of_mmaction2,
        "MMAction2 timesformer",
        HALF,
    ),
    "Hugging Face .bin": (
        TIMESFORMER,
        foreign.timesformer_of_hugging_face,
        "Hugging Face timesformer",
        KINETICS,
    ),
    "PySlowFast .pyth": (
        SLOWFAST,
        lambda s: {"model_state": s, "cfg": PYSLOWFAST_CFG, "epoch": 3},
        "PySlowFast slowfast",
        ((0.4, 0.5, 0.6), (0.1, 0.2, 0.3)),
    ),
    "PySlowFast with split norms": (
        SLOWFAST,
        lambda s: {"model_state": foreign.with_split_norms(s)},
        "PySlowFast slowfast",
        KINETICS,
    ),
    "pytorchvideo .pyth": (
        SLOWFAST,
        lambda s: {"model_state": foreign.slowfast_of_pytorchvideo(s)},
        "pytorchvideo slowfast",
        KINETICS,
    ),
    "MMAction2 SlowFast with lateral norms": (
        SLOWFAST,
        lambda s: foreign.slowfast_of_mmaction2(s, lateral_norm=True),
        "MMAction2 slowfast",
        IMAGENET,
    ),
    "caffe2 .pkl": (SLOWFAST, foreign.blobs_of_caffe2, "caffe2 slowfast", KINETICS),
}


MVIT = MViTConfig(depths=(1, 1, 1, 1), dim=8)
OLD_MVIT = MViTConfig(version=1, depths=(1, 1, 1, 1), dim=8)
I3D = I3DConfig(depths=(2, 1, 1, 1), width=4)
SLOW = SlowConfig(depths=(2, 1, 1, 1), width=4)
X3D = X3DConfig(depths=(2, 1, 1, 1), width=8, head_width=16)
UNIFORMER = UniFormerV2Config(patch_size=8, dim=16, depth=2, heads=2, global_blocks=1)
SPACE = TIMESFORMER.model_copy(update={"attention": "space"})
JOINT = TIMESFORMER.model_copy(update={"attention": "joint"})
LAYOUTS |= {
    "TimeSformer .pyth, space alone": (
        SPACE,
        lambda s: {"model_state": prefixed(s, "model.")},
        "TimeSformer timesformer",
        KINETICS,
    ),
    "MMAction2 TimeSformer, space alone": (
        SPACE,
        foreign.plain_timesformer_of_mmaction2,
        "MMAction2 timesformer",
        HALF,
    ),
    "MMAction2 TimeSformer, joint": (
        JOINT,
        foreign.plain_timesformer_of_mmaction2,
        "MMAction2 timesformer",
        HALF,
    ),
    "Hugging Face, joint": (
        JOINT,
        foreign.timesformer_of_hugging_face,
        "Hugging Face timesformer",
        KINETICS,
    ),
    "torchvision MViT": (MVIT, dict, "torchvision mvit", KINETICS),
    "PySlowFast MViTv2": (
        MVIT,
        lambda s: {"model_state": foreign.mvit_of_pyslowfast(s)},
        "PySlowFast mvit",
        KINETICS,
    ),
    "PySlowFast MViT": (
        OLD_MVIT,
        lambda s: {"model_state": foreign.mvit_of_pyslowfast(s)},
        "PySlowFast mvit",
        KINETICS,
    ),
    "MMAction2 MViT": (
        MVIT,
        lambda s: {"state_dict": foreign.mvit_of_mmaction2(s)},
        "MMAction2 mvit",
        KINETICS,
    ),
    "MMAction2 I3D": (I3D, foreign.resnet_of_mmaction2, "MMAction2 i3d", IMAGENET),
    "MMAction2 SlowOnly": (SLOW, foreign.resnet_of_mmaction2, "MMAction2 slow", IMAGENET),
    "pytorchvideo I3D": (
        I3D,
        lambda s: foreign.resnet_of_pytorchvideo(s, pool=True),
        "pytorchvideo i3d",
        KINETICS,
    ),
    "pytorchvideo Slow": (
        SLOW,
        lambda s: foreign.resnet_of_pytorchvideo(s, pool=False),
        "pytorchvideo slow",
        KINETICS,
    ),
    "caffe2 I3D": (I3D, foreign.blobs_of_caffe2, "caffe2 i3d", KINETICS),
    "PySlowFast X3D": (X3D, dict, "PySlowFast x3d", KINETICS),
    "pytorchvideo X3D": (X3D, foreign.x3d_of_pytorchvideo, "pytorchvideo x3d", KINETICS),
    "MMAction2 UniFormerV2": (
        UNIFORMER,
        lambda s: {"state_dict": foreign.uniformer_of_mmaction2(s)},
        "MMAction2 uniformerv2",
        KINETICS,
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_logits_of_its_weights_under_any_file_name(
    layout: str, tmp_path: Path
) -> None:
    config, layer, source, (mean, std) = LAYOUTS[layout]
    theirs = filled(config, 3, 8, 32)
    ours = build_model(config, 3, 8, 32).eval()
    held = layer(theirs.state_dict())
    path = saved(held, tmp_path / ("weights.pkl" if "caffe2" in layout else "weights.bin"))
    path = path.rename(tmp_path / "weights.dat")

    report = load_weights(ours, path)

    clips = clips_for(ours)
    assert torch.allclose(ours(clips), theirs(clips), atol=1e-5)
    assert (report.source, report.share, report.dropped, report.fresh) == (source, 1, (), ())
    assert ours.expects.mean == pytest.approx(mean, abs=1e-3)
    assert ours.expects.std == pytest.approx(std, abs=1e-3)


@pytest.mark.parametrize(
    "layout",
    ["MMAction2 TimeSformer", "Hugging Face .bin", "caffe2 .pkl", "PySlowFast MViT", "caffe2 I3D"],
)
def test_a_layout_converts_to_a_file_that_loads_the_same(layout: str, tmp_path: Path) -> None:
    config, layer, source, (mean, _) = LAYOUTS[layout]
    theirs = filled(config, 3, 8, 32)
    held = layer(theirs.state_dict())
    path = saved(held, tmp_path / ("in.pkl" if "caffe2" in layout else "in.pth"))

    convert_weights(path, tmp_path / "out.safetensors")
    facts = inspect_weights(tmp_path / "out.safetensors")
    ours = build_model(config, 3, 8, 32).eval()
    report = load_weights(ours, tmp_path / "out.safetensors")

    clips = clips_for(ours)
    assert torch.allclose(ours(clips), theirs(clips), atol=1e-5)
    assert f"{facts.source} {facts.architecture}" == source == report.source
    assert (facts.num_classes, facts.unknown) == (3, ())
    assert facts.num_parameters == sum(p.numel() for p in theirs.parameters())
    assert facts.mean == ours.expects.mean == pytest.approx(mean, abs=1e-3)


def test_norms_that_mmaction2_leaves_out_change_nothing_and_are_named(tmp_path: Path) -> None:
    theirs = filled(SLOWFAST, 3, 8, 32)
    for k in range(1, 5):
        norm = theirs.get_submodule(f"s{k}_fuse.bn")
        norm.eps = 0.0
        for name, value in norm.state_dict().items():
            value.fill_(1 if name in ("weight", "running_var") else 0)
    held = foreign.slowfast_of_mmaction2(theirs.state_dict(), lateral_norm=False)
    ours = build_model(SLOWFAST, 3, 8, 32).eval()

    report = load_weights(ours, saved(held, tmp_path / "w.pth"))

    clips = clips_for(ours)
    assert torch.allclose(ours(clips), theirs(clips), atol=1e-5)
    assert len(report.made) == 4 * 4
    assert {fate.why for fate in report.made} == {"a batch norm without effect"}
    assert any("no batch norm" in note for note in report.notes)
    assert any("head's columns" in note for note in report.notes)


def their_timesformer() -> TimesformerForVideoClassification:
    config = TheirConfig(
        image_size=32,
        patch_size=8,
        num_frames=4,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        drop_path_rate=0,
        id2label={0: "sit", 1: "walk", 2: "run"},
    )
    model = TimesformerForVideoClassification(config).eval()
    for parameter in model.parameters():
        parameter.normal_(std=0.2)
    return model


def test_a_hugging_face_folder_gives_the_logits_of_transformers(tmp_path: Path) -> None:
    theirs = their_timesformer()
    theirs.save_pretrained(tmp_path)
    preprocessor = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    ours = build_model(TIMESFORMER, 3, 4, 32).eval()

    report = load_weights(ours, tmp_path)

    clips = clips_for(ours)
    wanted = theirs(pixel_values=clips.transpose(1, 2)).logits
    assert torch.allclose(ours(clips), wanted, atol=1e-5)
    assert (report.share, report.dropped, report.fresh) == (1, (), ())
    assert (ours.expects.mean, ours.expects.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert inspect_weights(tmp_path).labels == ("sit", "walk", "run")
    alone = build_model(TIMESFORMER, 3, 4, 32).eval()
    load_weights(alone, tmp_path / "model.safetensors")
    assert torch.equal(alone(clips), ours(clips))
    assert alone.expects.mean == ours.expects.mean


def test_a_pytorchvideo_slowfast_gives_the_logits_of_pytorchvideo(tmp_path: Path) -> None:
    theirs = create_slowfast(
        slowfast_channel_reduction_ratio=(8,),
        model_depth=50,
        model_num_class=3,
        slowfast_fusion_conv_kernel_size=(7, 1, 1),
        stem_dim_outs=(8, 1),
        head_pool_kernel_sizes=((2, 1, 1), (8, 1, 1)),
        dropout_rate=0,
    ).eval()
    for name, value in theirs.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif value.is_floating_point():
            value.normal_(std=0.3 if value.ndim < 2 else value[0].numel() ** -0.5)
    ours = build_model(SlowFastConfig(width=8), 3, 8, 32).eval()

    report = load_weights(ours, saved(theirs.state_dict(), tmp_path / "w.pyth"))

    clips = clips_for(ours)
    slow = clips[:, :, [0, 7]]  # the first and last of 8 frames, alpha 4
    assert torch.allclose(ours(clips), theirs([slow, clips]), atol=1e-4)
    assert (report.source, report.dropped, report.fresh) == ("pytorchvideo slowfast", (), ())


def their_vit(num_patches_side: int = 4) -> VisionTransformer:
    model = VisionTransformer(
        img_size=8 * num_patches_side,
        patch_size=8,
        embed_dim=16,
        depth=2,
        num_heads=2,
        num_classes=5,
    ).eval()
    for parameter in model.parameters():
        parameter.normal_(std=0.2)
    return model


def features(model: nn.Module, clips: Tensor) -> Tensor:
    """Return what goes into the head."""
    seen = []
    hook = model.get_submodule("head").register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    model(clips)
    hook.remove()
    return seen[0]


def test_copies_of_a_frame_are_that_frame_to_a_timesformer_from_an_image_vit(
    tmp_path: Path,
) -> None:
    theirs = their_vit()
    ours = build_model(TIMESFORMER, 5, 4, 32).eval()

    report = load_weights(ours, saved(theirs.state_dict(), tmp_path / "vit.pth"))

    frame = torch.randn(1, 3, 32, 32)
    seen = features(ours, frame[:, :, None].expand(-1, -1, 4, -1, -1))
    assert torch.allclose(seen, features(theirs, frame), atol=1e-5)
    state = ours.state_dict()
    assert torch.equal(
        state["blocks.1.temporal_attn.qkv.weight"], state["blocks.1.attn.qkv.weight"]
    )
    assert torch.equal(state["blocks.1.temporal_norm1.bias"], state["blocks.1.norm1.bias"])
    assert (
        TensorNote("blocks.0.temporal_attn.proj.bias", "copy of blocks.0.attn.proj.bias")
        in report.made
    )
    assert {name.rpartition(".")[0] for name in report.fresh} == {
        "",
        "blocks.0.temporal_fc",
        "blocks.1.temporal_fc",
        "head",
    }
    assert {fate.why for fate in report.dropped} == {"classes of images"}
    assert (ours.expects.mean, ours.expects.std) == HALF


def test_a_torchvision_vit_is_the_vit_of_timm(tmp_path: Path) -> None:
    theirs = vision_transformer.VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=64
    ).eval()
    for parameter in theirs.parameters():
        parameter.normal_(std=0.2)
    ours = build_model(TIMESFORMER, 5, 4, 32).eval()

    load_weights(ours, saved(theirs.state_dict(), tmp_path / "vit.pth"))

    seen = []
    theirs.heads.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    frame = torch.randn(1, 3, 32, 32)
    theirs(frame)
    clip = frame[:, :, None].expand(-1, -1, 4, -1, -1)
    assert torch.allclose(features(ours, clip), seen[0], atol=1e-5)
    assert (ours.expects.mean, ours.expects.std) == IMAGENET


def test_positions_of_another_grid_are_resized_as_timm_resizes_them(tmp_path: Path) -> None:
    theirs = their_vit(num_patches_side=6).state_dict()
    ours = build_model(TIMESFORMER, 5, 4, 32)
    report = load_weights(ours, saved(theirs, tmp_path / "vit.pth"))
    wanted = resample_abs_pos_embed(theirs["pos_embed"], (4, 4), num_prefix_tokens=1)
    assert torch.allclose(ours.state_dict()["pos_embed"], wanted, atol=1e-6)
    assert report.resized == (TensorNote("pos_embed", "1x37x16 to 1x17x16"),)


@pytest.mark.parametrize(("held", "wanted"), [(8, 4), (4, 8), (1, 3), (5, 1)])
def test_times_are_resized_along_a_line(held: int, wanted: int, tmp_path: Path) -> None:
    theirs = filled(TIMESFORMER, 3, held, 32)
    theirs.state_dict()["time_embed"].copy_(
        ((torch.arange(held) + 0.5) / held)[None, :, None].expand(1, held, 16)
    )
    ours = build_model(TIMESFORMER, 3, wanted, 32)
    report = load_weights(ours, saved(theirs.state_dict(), tmp_path / "w.pth"))
    middles = (torch.arange(wanted) + 0.5) / wanted
    middles = middles.clamp(0.5 / held, 1 - 0.5 / held)  # nothing is known beyond the ends
    assert torch.allclose(ours.state_dict()["time_embed"][0, :, 3], middles, atol=1e-6)
    assert [fate.name for fate in report.resized] == ["time_embed"]


def test_an_image_resnet_becomes_the_slow_pathway(tmp_path: Path) -> None:
    theirs = resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1], num_classes=3)
    ours = build_model(SlowFastConfig(depths=(1, 1, 1, 1)), 3, 8, 32)

    report = load_weights(ours, saved(theirs.state_dict(), tmp_path / "resnet50.pth"))

    state, image = ours.state_dict(), theirs.state_dict()
    kernel = state["s5.pathway0_res0.branch2.a.weight"]
    assert kernel.shape[2] == 3
    assert torch.allclose(kernel[:, :1024].sum(2), image["layer4.0.conv1.weight"], atol=1e-6)
    assert torch.allclose(kernel[:, :, 0], kernel[:, :, 2])
    lateral = state["s3.pathway0_res0.branch2.a.weight"]
    assert lateral.shape[1] == 256 + 64
    assert torch.equal(lateral[:, :256, 0], image["layer2.0.conv1.weight"])
    assert not lateral[:, 256:].any()
    assert torch.equal(
        state["s2.pathway0_res0.branch1_bn.bias"], image["layer1.0.downsample.1.bias"]
    )
    assert {fate.name for fate in report.dropped} == {
        "head.projection.weight",
        "head.projection.bias",
    }
    assert all("pathway1" in name or "_fuse" in name or "head" in name for name in report.fresh)
    assert ours.expects.mean == IMAGENET[0]


def test_a_head_for_as_many_classes_is_kept_and_another_is_dropped(tmp_path: Path) -> None:
    theirs = filled(SLOWFAST, 4, 8, 32)
    held = foreign.slowfast_of_pytorchvideo(theirs.state_dict())
    path = saved(held, tmp_path / "w.pyth")
    kept, other = (build_model(SLOWFAST, classes, 8, 32) for classes in (4, 2))
    fresh = other.state_dict()["head.projection.weight"].clone()

    assert load_weights(kept, path).dropped == ()
    report = load_weights(other, path)

    assert torch.equal(
        kept.state_dict()["head.projection.weight"], theirs.state_dict()["head.projection.weight"]
    )
    assert torch.equal(other.state_dict()["head.projection.weight"], fresh)
    assert {fate.why for fate in report.dropped} == {"4 classes, the model has 2"}
    assert report.fresh == ("head.projection.weight", "head.projection.bias")
    assert "2 tensors dropped (4 classes, the model has 2): head.projection.{weight,bias}" in (
        "\n".join(loaded_lines(report))
    )


def test_weights_trained_on_bgr_see_rgb_as_they_saw_bgr(tmp_path: Path) -> None:
    theirs = filled(SLOWFAST, 3, 8, 32)
    cfg = "DATA:\n  REVERSE_INPUT_CHANNEL: True\n"
    path = saved({"model_state": theirs.state_dict(), "cfg": cfg}, tmp_path / "w.pyth")
    ours = build_model(SLOWFAST, 3, 8, 32).eval()
    report = load_weights(ours, path)
    clips = clips_for(ours)
    assert torch.allclose(ours(clips), theirs(clips.flip(1)), atol=1e-5)
    assert any("BGR" in note for note in report.notes)


def test_weights_of_another_network_are_refused_and_named(tmp_path: Path) -> None:
    path = saved(filled(SLOWFAST, 3, 8, 32).state_dict(), tmp_path / "w.pyth")
    ours = build_model(TIMESFORMER, 3, 8, 32)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"only 0 %.*PySlowFast slowfast.*model\.name"):
        load_weights(ours, path)
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())


@pytest.mark.parametrize(("blocks", "fits"), [(2, True), (5, False)])
def test_less_than_half_of_the_parameters_is_too_little(
    blocks: int, fits: bool, tmp_path: Path
) -> None:
    path = saved(filled(TIMESFORMER, 3, 4, 16).state_dict(), tmp_path / "w.pth")
    deeper = build_model(TIMESFORMER.model_copy(update={"depth": blocks}), 3, 4, 16)
    if fits:
        assert load_weights(deeper, path).share == 1
        return
    with pytest.raises(CheckpointError, match="less than 50 %"):
        load_weights(deeper, path)


def test_image_weights_and_unknown_names_are_not_converted(tmp_path: Path) -> None:
    image = saved(their_vit().state_dict(), tmp_path / "vit.pth")
    with pytest.raises(CheckpointError, match="dogclips train --weights"):
        convert_weights(image, tmp_path / "out.safetensors")
    unknown = saved({"encoder.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"encoder\.weight"):
        convert_weights(unknown, tmp_path / "out.safetensors")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.pth", "vit.pth"]


def test_keys_that_mean_nothing_to_us_are_named(tmp_path: Path) -> None:
    state = filled(SLOWFAST, 3, 8, 32).state_dict() | {"s6.extra.weight": torch.zeros(2)}
    path = saved({"model_state": state}, tmp_path / "w.pyth")
    assert inspect_weights(path).unknown == ("s6.extra.weight",)
    report = load_weights(build_model(SLOWFAST, 3, 8, 32), path)
    assert report.dropped == (TensorNote("s6.extra.weight", "unknown name"),)


MMACTION2_CFG = """
model = dict(data_preprocessor=dict(
    type='ActionDataPreprocessor', mean=[114.75, 114.75, 102.0], std=[57.375, 51, 57.375]))
"""


def test_mean_std_and_classes_come_from_the_configuration_that_mmaction2_saves(
    tmp_path: Path,
) -> None:
    held = foreign.slowfast_of_mmaction2(
        filled(SLOWFAST, 3, 8, 32).state_dict(), lateral_norm=True
    ) | {"meta": {"cfg": MMACTION2_CFG, "dataset_meta": {"classes": ["a", "b", "c"]}}}
    facts = inspect_weights(saved(held, tmp_path / "w.pth"))
    assert facts.mean == pytest.approx((0.45, 0.45, 0.4))
    assert facts.std == pytest.approx((0.225, 0.2, 0.225))
    assert (facts.labels, facts.said_by) == (("a", "b", "c"), "the file's cfg")


def test_mixed_precision_weights_fill_a_model_of_whole_ones(tmp_path: Path) -> None:
    theirs = filled(TIMESFORMER, 3, 8, 32).half()
    ours = build_model(TIMESFORMER, 3, 4, 16)
    report = load_weights(ours, saved(theirs.state_dict(), tmp_path / "w.pth"))
    assert {value.dtype for value in ours.state_dict().values()} == {torch.float32}
    assert [fate.name for fate in report.resized] == ["pos_embed", "time_embed"]
