"""What a network costs, against the same network of those who published it for everybody.

Same input, same precision, same weights' sizes, in turn. On a CPU in single precision, one clip;
on a GPU eight clips under bfloat16, ours eager and compiled.
"""

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from transformers import TimesformerConfig, TimesformerForVideoClassification

from dogclips.models import SlowFastConfig, TimeSformerConfig, build_model
from dogclips.models.slowfast import slow_frames

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pytorchvideo.models.slowfast import create_slowfast

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
ROUNDS = 20 if GPU else 9  # of three, on a shared CPU, the median was off by a tenth
BATCH = 8 if GPU else 1
MEMORY_BATCH = 8
NUM_CLASSES = 400

Row = tuple[str, str, str]
Network = Callable[[Tensor], Tensor]
Build = Callable[[], nn.Module]


def rows() -> Iterator[Row]:
    """Yield (task, against, ratio and speed), medians over rounds in which both take turns."""
    yield from _pair(
        "TimeSformer-B 8x224", "transformers", 8, (_timesformer, transformers_timesformer)
    )
    yield from _pair("SlowFast R50 8x8", "pytorchvideo", 32, (_slowfast, _PyTorchVideo))


def _pair(name: str, other: str, clip_len: int, builds: tuple[Build, Build]) -> Iterator[Row]:
    ours, theirs = (build().to(DEVICE) for build in builds)
    ways: dict[str, Network] = {"bf16" if GPU else "eager": ours}
    if GPU:
        ways["bf16, ours compiled"] = torch.compile(ours)
    clips = torch.randn(BATCH, 3, clip_len, 224, 224, device=DEVICE)
    for way, network in ways.items():
        for task, work in (("forward", _forward), ("forward and backward", _backward)):
            for model in (ours, theirs):
                model.train(work is _backward)
            ratio, seconds = _ratio(work, network, theirs, clips)
            found = f"{ratio:.2f} ({1 / ratio:.2f} times as fast, {seconds:.2f} s)"
            yield f"{name}, {task}, {way}, batch {BATCH}, {DEVICE}", other, found
    yield _memory(name, other, clip_len, (ours, theirs))


def _ratio(
    work: Callable[[Network, Tensor], None], ours: Network, theirs: Network, clips: Tensor
) -> tuple[float, float]:
    """Return the median of our time in multiples of theirs, and of our seconds."""
    _seconds(work, ours, clips), _seconds(work, theirs, clips)  # the first of each warms up
    rounds = [(_seconds(work, ours, clips), _seconds(work, theirs, clips)) for _ in range(ROUNDS)]
    ratio = statistics.median(mine / other for mine, other in rounds)
    return ratio, statistics.median(mine for mine, _ in rounds)


def _seconds(work: Callable[[Network, Tensor], None], network: Network, clips: Tensor) -> float:
    _wait()
    began = time.perf_counter()
    with torch.autocast(DEVICE, torch.bfloat16, enabled=GPU):
        work(network, clips)
    _wait()
    return time.perf_counter() - began


def _wait() -> None:
    if GPU:
        torch.cuda.synchronize()


def _forward(network: Network, clips: Tensor) -> None:
    with torch.no_grad():
        network(clips)


def _backward(network: Network, clips: Tensor) -> None:
    network(clips).float().square().sum().backward()


def _memory(name: str, other: str, clip_len: int, networks: tuple[nn.Module, nn.Module]) -> Row:
    """Compare what stays in memory between forward and backward; nothing is computed for it."""
    mine, theirs = (_gigabytes_kept(network.train(), clip_len) for network in networks)
    task = f"{name}, kept for backward, batch {MEMORY_BATCH}, single precision"
    return task, other, f"{mine / theirs:.2f} ({mine:.1f} of {theirs:.1f} GB)"


def _gigabytes_kept(network: nn.Module, clip_len: int) -> float:
    kept: dict[int, Any] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage  # noqa: SLF001 (tells views of one storage from copies)
        return tensor

    fake = FakeTensorMode()
    values = network.state_dict(keep_vars=True)
    state = {name: fake.from_tensor(value) for name, value in values.items()}
    with fake:
        clips = torch.empty(MEMORY_BATCH, 3, clip_len, 224, 224, device=DEVICE)
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            torch.func.functional_call(network, state, clips)
        weights = {value.untyped_storage()._cdata for value in state.values()}  # noqa: SLF001
    return sum(storage.nbytes() for key, storage in kept.items() if key not in weights) / 1e9


def _timesformer() -> nn.Module:
    return build_model(TimeSformerConfig(drop_path=0.0), NUM_CLASSES, 8, 224)


def _slowfast() -> nn.Module:
    return build_model(SlowFastConfig(), NUM_CLASSES, 32, 224)


def transformers_timesformer() -> nn.Module:
    """Return their network, which takes a clip in our form."""
    return _Transformers()


class _Transformers(nn.Module):
    """Their network behind our form of a clip."""

    def __init__(self) -> None:
        super().__init__()
        config = TimesformerConfig(num_labels=NUM_CLASSES)
        self.network = TimesformerForVideoClassification(config)

    def forward(self, clips: Tensor) -> Tensor:
        return self.network(clips.transpose(1, 2)).logits


class _PyTorchVideo(nn.Module):
    """Their network behind our form of a clip."""

    def __init__(self) -> None:
        super().__init__()
        self.network = create_slowfast(model_num_class=NUM_CLASSES)
        self.slow = slow_frames(32, 4)

    def forward(self, clips: Tensor) -> Tensor:
        return self.network([clips[:, :, self.slow], clips])


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ", flush=True)
