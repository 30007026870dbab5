"""What a training decided before its first step."""

from dataclasses import dataclass

from dogclips.events import Event
from dogclips.records.weights import LoadedWeights


@dataclass(frozen=True)
class LayerRate:
    """Neighbouring layers that learn alike.

    Parameters
    ----------
    name
        Of the layer, or of the first and the last.
    num_params
        Learnt numbers.
    lr
        At the top of the schedule; None where they are frozen.
    weight_decay
        Of matrices and kernels.
    """

    name: str
    num_params: int
    lr: float | None
    weight_decay: float


@dataclass(frozen=True)
class LearningRates:
    """The learning rates of a run, before its first step.

    Parameters
    ----------
    rows
        From the first layer to the head.
    lr, factor
        As the settings say, and what it was multiplied by.
    clips, base_batch
        Clips of a step on all devices, and those for which `lr` was chosen; None if that is not
        asked.
    num_without_decay
        Of the parameters that learn, those in norms, biases, embeddings and tokens; 0 if nothing
        decays.
    still_norms
        Whether batch norms keep their mean and variance.
    """

    rows: tuple[LayerRate, ...]
    lr: float
    factor: float
    clips: int
    base_batch: int | None
    num_without_decay: int
    still_norms: bool

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
    """What a run trains on.

    Parameters
    ----------
    device
        GPU or CPU by name.
    devices, num_nodes
        On each machine; machines.
    strategy
        `auto` for a single device, ddp or fsdp.
    backend
        What processes talk through; None for a single one.
    precision
        As Lightning calls it, such as bf16-mixed.
    remark
        What the user should know about that; empty if nothing.
    """

    device: str
    devices: int
    num_nodes: int
    strategy: str
    backend: str | None
    precision: str
    remark: str = ""

    @property
    def num_processes(self) -> int:
        """Return how many there are on all machines."""
        return self.devices * self.num_nodes


@dataclass(frozen=True)
class RunStart(Event):
    """What a run has decided before its first step, and why.

    Parameters
    ----------
    machine
        What it trains on.
    batch_size, accumulate
        Clips of a batch on each device, and batches of a step.
    learning
        Parameters, and how fast each layer learns.
    num_train, num_val
        Clips of the lists.
    skipped
        Clips that do not decode, each with the reason; they are left out.
    loading
        How clips are loaded, in words.
    warning
        What the user should know about the clips.
    weights
        What was taken from the file of initial weights, if one was given.
    note
        What the run does without, and what would bring it; empty if nothing.
    """

    machine: Machine
    batch_size: int
    accumulate: int
    learning: LearningRates
    num_train: int
    num_val: int
    skipped: tuple[tuple[str, str], ...] = ()
    loading: str = ""
    warning: str | None = None
    weights: LoadedWeights | None = None
    note: str = ""
