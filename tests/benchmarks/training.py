"""What a GPU reaches in training: clips a second, share of its peak, and time without data.

Whole steps on clips that are loaded as in training: forward, backward and AdamW, in bfloat16. Our
network and that of transformers get the same batches from the same loader, in turn.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dogclips.lists import ListedClip, read_list, write_labels, write_list
from dogclips.training import TrainConfig
from dogclips.training.data import ClipData
from tests.benchmarks.models import transformers_timesformer
from tests.painted import write_clip

GPU = torch.cuda.is_available()
BATCH, STEPS, ROUNDS, NUM_CLIPS = 32, 8, 3, 96
# Dense bfloat16 operations a second, as the makers' data sheets say, by a part of the name.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L4": 121e12, "4090": 165e12}

Row = tuple[str, str, str]
Network = Callable[[Tensor], Tensor]


def rows() -> Iterator[Row]:
    """Yield (task, against, what was measured)."""
    if not GPU:
        yield "training steps in bfloat16", "-", "no GPU is at hand"
        return
    with tempfile.TemporaryDirectory() as folder:
        list_path = _painted_list(Path(folder))
        yield from _timesformer(list_path)
        yield from _slowfast(list_path)


def _timesformer(list_path: Path) -> Iterator[Row]:
    config = _config("timesformer", list_path, 8)
    ours, theirs = _ours(config), transformers_timesformer().cuda().train()
    found = _medians(config, {"ours": ours, "transformers": theirs})
    ratio = found["ours"].seconds / found["transformers"].seconds
    shown = f"{ratio:.2f} ({found['ours'].shown()}; theirs {found['transformers'].shown()})"
    yield f"TimeSformer-B 8x224, training steps, batch {BATCH}", "transformers", shown


def _slowfast(list_path: Path) -> Iterator[Row]:
    config = _config("slowfast", list_path, 32)
    found = _medians(config, {"ours": _ours(config)})["ours"]
    yield f"SlowFast R50 8x8, training steps, batch {BATCH}", "-", found.shown()


class Measured:
    """Steps of a network.

    Parameters
    ----------
    seconds
        Of a step.
    waiting
        Share of them in which there was no batch.
    operations
        Of a step.
    """

    def __init__(self, seconds: float, waiting: float, operations: int) -> None:
        self.seconds = seconds
        self.waiting = waiting
        self.operations = operations

    def shown(self) -> str:
        name = torch.cuda.get_device_name()
        peak = next((peak for part, peak in PEAKS.items() if part in name), None)
        speed = f"{BATCH / self.seconds:.0f} clips/s, {self.waiting:.0%} of the time without data"
        if peak is None:
            return f"{speed}, {self.operations / self.seconds / 1e12:.0f} TFLOP/s"
        return f"{speed}, {self.operations / self.seconds / peak:.0%} of {name}'s peak"


def _medians(config: TrainConfig, networks: dict[str, nn.Module]) -> dict[str, Measured]:
    """Return what each network reaches, medians over rounds in which all take turns."""
    clips = read_list(config.data.train or Path())
    loader = ClipData(config, train=clips).train_dataloader()
    batch = next(iter(loader))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in networks}
    operations = {name: _operations(network, batch) for name, network in networks.items()}
    for _ in range(ROUNDS + 1):
        for name, network in networks.items():
            found[name].append(_round(network, loader))
    return {
        name: Measured(
            statistics.median(seconds for seconds, _ in rounds[1:]),  # the first warms up
            statistics.median(waiting for _, waiting in rounds[1:]),
            operations[name],
        )
        for name, rounds in found.items()
    }


def _round(network: nn.Module, loader: Iterator[dict[str, Tensor]]) -> tuple[float, float]:
    """Return the seconds of a step, and the share of them spent waiting for its batch."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    batches = _endless(loader)
    next(batches)  # the loading processes have begun
    torch.cuda.synchronize()
    began, waited = time.perf_counter(), 0.0
    for _ in range(STEPS):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        _step(network, batch)
        optimizer.step()
        optimizer.zero_grad()
        torch.cuda.synchronize()  # else waiting for the GPU would look like waiting for data
    seconds = time.perf_counter() - began
    return seconds / STEPS, waited / seconds


def _endless(loader: Iterator[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    while True:
        yield from loader


def _step(network: Network, batch: dict[str, Tensor]) -> None:
    pixels = batch["video"][:, 0].cuda(non_blocking=True)
    with torch.autocast("cuda", torch.bfloat16):
        network(pixels / 127.5 - 1).float().square().mean().backward()


def _operations(network: nn.Module, batch: dict[str, Tensor]) -> int:
    """Return the operations of a step; multiplying and adding are two."""
    with FlopCounterMode(display=False) as counter:
        _step(network, batch)
    network.zero_grad()
    return int(counter.get_total_flops())


def _ours(config: TrainConfig) -> nn.Module:
    from dogclips.models import build_model  # noqa: PLC0415 (only with a GPU)

    return build_model(config.model, 400, config.data.sampling.clip_len, 224).cuda().train()


def _config(name: str, list_path: Path, clip_len: int) -> TrainConfig:
    data = {"train": list_path, "sampling": {"clip_len": clip_len}, "batch_size": BATCH}
    return TrainConfig.model_validate({"model": {"name": name}, "data": data})


def _painted_list(folder: Path) -> Path:
    """Write clips of 4 seconds, their short side 256, as `cut` makes them for training."""
    rng = np.random.default_rng(0)

    def paint(number: int, pixels: NDArray[np.uint8]) -> None:
        blocks = rng.integers(0, 255, (8, 15, 3), np.uint8)
        pixels[:] = np.kron(blocks, np.ones((32, 32, 1), np.uint8))[:256, :456]
        pixels[number : number + 40, number : number + 40] = 255

    first = write_clip(folder / "0.mp4", 80, paint=paint, size=(456, 256))
    clips = [ListedClip(first, (0,))]
    for number in range(1, NUM_CLIPS):
        path = folder / f"{number}.mp4"
        path.hardlink_to(first)
        clips.append(ListedClip(path, (number % 2,)))
    write_labels(folder / "labels.txt", ("a", "b"))
    write_list(folder / "train.txt", clips)
    return folder / "train.txt"


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ", flush=True)
