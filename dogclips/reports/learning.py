"""How fast each layer learns, as plain records and as a table.

The records live here, below the torch line, so that a table needs no torch.
"""

from dataclasses import dataclass

from rich.console import Group

from dogclips.reports.style import new_table, with_remarks


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


def learning_table(rates: LearningRates) -> Group:
    """Return one row for layers that learn alike, and what else decides their rate."""
    table = new_table()
    for head in ("layers", "parameters", "lr", "decay"):
        table.add_column(head, justify="left" if head == "layers" else "right")
    for row in rates.rows:
        pace = ("frozen", "") if row.lr is None else (f"{row.lr:.1e}", f"{row.weight_decay:g}")
        table.add_row(row.name, shown_count(row.num_params), *pace)
    return with_remarks("", table, "\n".join(_remarks(rates)))


def shown_count(number: int) -> str:
    """Return a number of parameters with two or more digits.

    >>> [shown_count(number) for number in (768, 12_345, 7_087_872, 121_274_132)]
    ['768', '12.3 K', '7.1 M', '121.3 M']
    """
    for unit, name in ((1e6, " M"), (1e3, " K")):
        if number >= unit:
            return f"{number / unit:.1f}{name}"
    return str(number)


def _remarks(rates: LearningRates) -> list[str]:
    trained, whole = shown_count(rates.num_trained), shown_count(rates.num_params)
    remarks = [f"{trained} of {whole} parameters learn; {rates.clips} clips a step"]
    if rates.base_batch is not None:
        remarks.append(
            f"lr {rates.lr:.1e} x {rates.factor:g} ({rates.clips} clips a step over "
            f"optimizer.base_batch {rates.base_batch})"
        )
    if rates.num_without_decay:
        number = shown_count(rates.num_without_decay)
        remarks.append(f"{number} in norms, biases, embeddings and tokens do not decay")
    if rates.still_norms:
        remarks.append("batch norms keep their mean and variance")
    return remarks
