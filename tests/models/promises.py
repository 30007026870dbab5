"""What every network promises, whatever its architecture."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dogclips.models.video_model import VideoModel


def num_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def giga_multiply_adds(model: VideoModel) -> float:
    """Count those of one clip, without computing any: the model is on the meta device."""
    expects = model.expects
    clip = torch.empty(1, 3, expects.clip_len, expects.size, expects.size, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(clip)
    return counter.get_total_flops() / 2e9


def clips_for(model: VideoModel, batch: int = 2) -> Tensor:
    size = model.expects.size
    return torch.randn(batch, 3, model.expects.clip_len, size, size)


def shaken(model: VideoModel) -> VideoModel:
    """Move every parameter and statistic away from where it starts."""
    with torch.no_grad():
        for value in (*model.parameters(), *model.buffers()):
            if value.ndim > 1:
                value.add_(torch.randn_like(value) * 0.3 * value[0].numel() ** -0.5)
            elif value.is_floating_point():
                value.add_(torch.rand_like(value) * 0.2)
    return model


def parameters_without_gradient(model: VideoModel) -> list[str]:
    """Name the parameters that no loss can move, but for rounding."""
    model = shaken(model).double().train()
    model(clips_for(model, batch=3).double()).square().sum().backward()
    return [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or parameter.grad.abs().max() < 1e-13
    ]


def check_evaluation_repeats_itself(model: VideoModel) -> None:
    clips = clips_for(model)
    model.eval()
    assert torch.equal(model(clips), model(clips))
    assert torch.allclose(model(clips)[:1], model(clips[:1]), atol=1e-5)
    model.train()
    assert not torch.equal(model(clips), model(clips))


def check_half_precision(model: VideoModel) -> None:
    model = shaken(model).eval()
    clips = clips_for(model)
    with torch.no_grad():
        exact = model(clips)
        with torch.autocast("cpu", torch.bfloat16):
            rough = model(clips).float()
    assert torch.isfinite(rough).all()
    assert not torch.equal(rough, exact)
    assert (rough - exact).norm() < 0.05 * exact.norm()


def check_compiles_as_one_graph(model: VideoModel) -> None:
    torch.compiler.reset()
    clips = clips_for(model)
    compiled = torch.compile(model.eval(), backend="eager", fullgraph=True)
    assert torch.allclose(compiled(clips), model(clips), atol=1e-5)


def check_checkpointing(build: Callable[[bool], VideoModel]) -> None:
    """Compare gradients, statistics and what is kept, with checkpointing and without."""
    plain, saving = build(False).train(), build(True).train()
    saving.load_state_dict(plain.state_dict())
    clips = clips_for(plain)
    assert _num_kept(saving, clips) < _num_kept(plain, clips)
    ours, theirs = dict(saving.named_parameters()), dict(plain.named_parameters())
    assert all(torch.allclose(ours[k].grad, theirs[k].grad, atol=1e-6) for k in theirs)
    ours, theirs = dict(saving.named_buffers()), dict(plain.named_buffers())
    assert all(torch.allclose(ours[k], theirs[k], atol=1e-6) for k in theirs)


def _num_kept(model: VideoModel, clips: Tensor) -> int:
    """Run forward and backward; return how many values were kept between them."""
    kept: list[int] = []

    def count(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.random.fork_rng(), torch.autograd.graph.saved_tensors_hooks(count, lambda x: x):
        torch.manual_seed(1)
        loss = model(clips).square().sum()
    loss.backward()
    return sum(kept)
