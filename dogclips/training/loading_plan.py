"""How many loading processes there are, and what they hold, from cores and memory."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from dogclips.loading import torchcodec_frames
from dogclips.loading.frames import DecoderName
from dogclips.training.config import DataConfig, TrainConfig

MAX_WORKERS = 8
_PREFETCH = 2

# What a process holds besides its batches: its own pages of Python and torch, a clip's packets, a
# decoder, and frames that wait to be resized.
_PROCESS_BYTES = 300 << 20
# The model, the optimizer and everybody else need memory, too.
_SHARE = 0.5
_CGROUP = Path("/sys/fs/cgroup")
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (where torch passes batches on; only looked at)


@dataclass(frozen=True)
class LoadingPlan:
    """How clips are loaded."""

    workers: int  #: Processes; 0 loads in the training process
    prefetch: int  #: Batches that each loads ahead
    pinned: bool  #: Whether batches wait in memory that a GPU can fetch from itself
    #: About what all processes of this machine hold at most, training and validation together.
    needed: "Memory"
    room: "Memory"  #: What there is for all processes of this machine

    @property
    def fits(self) -> bool:
        """Return whether memory suffices, as far as anybody knows."""
        return self.needed.fits(self.room)


@dataclass(frozen=True)
class Memory:
    """Bytes of memory, and of the part of it that processes share."""

    #: Infinite where nobody knows.
    whole: float
    shared: float

    def fits(self, room: "Memory") -> bool:
        """Return whether this much leaves enough of `room` to everybody else."""
        return self.whole <= _SHARE * room.whole and self.shared <= room.shared


def plan_loading(config: TrainConfig, room: Memory | None = None) -> LoadingPlan:
    """Choose what the settings leave open; what they say is done, even if memory is short.

    The `room` that is left is measured where it is None.
    """
    data = config.data
    room = memory_left() if room is None else room
    workers = num_workers(data.workers, _processes(config))
    prefetch = data.prefetch or _PREFETCH
    while not _needed(config, workers, prefetch).fits(room):
        if data.prefetch is None and prefetch > 1:
            prefetch -= 1
        elif data.workers is None and workers > 0:
            workers -= 1
        else:
            break
    pinned = torch.cuda.is_available() if data.pin_memory is None else data.pin_memory
    return LoadingPlan(workers, prefetch, pinned, _needed(config, workers, prefetch), room)


def loading_line(config: TrainConfig) -> str:
    """Say in a line how clips are loaded, for before training."""
    plan = plan_loading(config)
    how = "in the training process"
    if plan.workers:
        batches = "batch" if plan.prefetch == 1 else "batches"
        processes = "process" if plan.workers == 1 else "processes"
        how = f"{plan.workers} {processes}, {plan.prefetch} {batches} ahead each"
    memory = f"about {plan.needed.whole / 1e9:.1f} GB"
    if plan.room.whole < math.inf:
        memory += f" of {plan.room.whole / 1e9:.1f} GB"
    if not plan.fits:
        memory += ", which may not suffice: lower data.workers or data.batch_size"
    pinned = "pinned" if plan.pinned else "not pinned"
    return f"loading: {how}, {_decoder_text(config.data)}, {memory}, {pinned}"


def decoder_of(data: DataConfig) -> DecoderName:
    """Return what decodes; both give the same frames, so that PyAV can stand in."""
    wanted = data.decoder == "torchcodec"
    return "torchcodec" if wanted and torchcodec_frames.fault() is None else "pyav"


def _decoder_text(data: DataConfig) -> str:
    if data.decoder != "torchcodec":
        return "PyAV"
    fault = torchcodec_frames.fault()
    return "TorchCodec" if fault is None else f"PyAV (TorchCodec: {fault})"


def num_workers(wanted: int | None, processes: int = 1) -> int:
    """Return how many loading processes each of the training processes starts.

    All cores but one for each of those, at most 8; 0 for none.
    """
    if wanted is not None:
        return wanted
    return min(max(num_cores() // processes - 1, 0), MAX_WORKERS)


def num_cores() -> int:
    """Return how many cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores or 1


def memory_left() -> Memory:
    """Return how much memory may still be had: of the machine, and within its cgroup.

    Pages of the page cache count as free. Batches are passed on in shared memory, of which
    containers often have very little.
    """
    shared = math.inf
    if _SHARED_MEMORY.is_dir():
        facts = os.statvfs(_SHARED_MEMORY)
        shared = facts.f_bavail * facts.f_frsize
    return Memory(min([*_machine_bytes(), *_cgroup_bytes()], default=math.inf), shared)


def _machine_bytes() -> Iterator[int]:
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        yield next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))


def _cgroup_bytes(root: Path = _CGROUP) -> Iterator[int]:
    """Yield what the limits of a container leave, by the second version of cgroups or the first."""
    for limit, used, cache in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        with suppress(OSError, ValueError, IndexError):
            text = (root / limit).read_text(encoding="ascii").strip()
            if text == "max":
                continue
            facts = dict(line.split() for line in (root / cache).read_text().splitlines())
            held = int((root / used).read_text()) - int(facts.get("inactive_file", 0))
            yield max(int(text) - held, 0)


def _needed(config: TrainConfig, workers: int, prefetch: int) -> Memory:
    """Return about how many bytes loading takes; both loaders keep their processes."""
    data = config.data
    batch = 3 * data.batch_size * data.sampling.num_views * data.sampling.clip_len * data.size**2
    # One more in each process, in the making; one with the model.
    shared = 2 * workers * (prefetch + 1) * batch
    whole = shared + 2 * (workers * _PROCESS_BYTES + batch)
    return Memory(whole * _processes(config), shared * _processes(config))


def _processes(config: TrainConfig) -> int:
    """Return how many training processes share this machine: one a device."""
    said = os.environ.get("LOCAL_WORLD_SIZE", "")  # of whoever started them
    if said.isdecimal():
        return max(int(said), 1)
    devices = config.trainer.devices
    return max(torch.cuda.device_count(), 1) if devices == "auto" else devices
