"""What a training decided before its first step."""

from dataclasses import dataclass

from dogclips.events import Event
from dogclips.records.weights import LoadedWeights


@dataclass(frozen=True)
class LayerRate:
    """Neighbouring layers that learn alike."""

    name: str  #: Of the layer, or of the first and the last
    num_params: int  #: Learnt numbers
    lr: float | None  #: At the top of the schedule; None where they are frozen
    weight_decay: float  #: Of matrices and kernels


@dataclass(frozen=True)
class LearningRates:
    """The learning rates of a run, before its first step."""

    rows: tuple[LayerRate, ...]  #: From the first layer to the head
    #: As the settings say, and what it was multiplied by.
    lr: float
    factor: float
    #: Clips of a step on all devices, and those for which `lr` was chosen; None if that is not
    #: asked.
    clips: int
    base_batch: int | None
    #: Of the parameters that learn, those in norms, biases, embeddings and tokens; 0 if nothing
    #: decays.
    num_without_decay: int
    still_norms: bool  #: Whether batch norms keep their mean and variance

    @property
    def num_params(self) -> int:
        """Return how many numbers the network has."""
        return sum(row.num_params for row in self.rows)

    @property
    def num_trained(self) -> int:
        """Return how many of them learn."""
        return sum(row.num_params for row in self.rows if row.lr is not None)


LEARNED = 0.02  # loss at which a few clips count as learned by heart


@dataclass(frozen=True)
class Machine:
    """What a run trains on."""

    device: str  #: GPU or CPU by name
    devices: int  #: Devices of each machine
    num_nodes: int  #: Machines
    strategy: str  #: `auto` for a single device, ddp or fsdp
    backend: str | None  #: What processes talk through; None for a single one
    precision: str  #: As Lightning calls it, such as bf16-mixed
    remark: str = ""  #: What the user should know about that; empty if nothing

    @property
    def num_processes(self) -> int:
        """Return how many there are on all machines."""
        return self.devices * self.num_nodes


@dataclass(frozen=True)
class RunStart(Event):
    """What a run has decided before its first step, and why."""

    machine: Machine  #: What it trains on
    #: Clips of a batch on each device, and batches of a step.
    batch_size: int
    accumulate: int
    learning: LearningRates  #: Parameters, and how fast each layer learns
    #: Clips of the lists.
    num_train: int
    num_val: int
    #: Clips that are left out, each with the reason.
    skipped: tuple[tuple[str, str], ...] = ()
    loading: str = ""  #: How clips are loaded, in words
    warning: str | None = None  #: What the user should know about the clips
    #: What was taken from the file of initial weights, if one was given.
    weights: LoadedWeights | None = None
    #: Settings that a run that goes on has changed, each with its old value.
    changes: tuple[str, ...] = ()
    note: str = ""  #: What the run does without, and what would bring it; empty if nothing
