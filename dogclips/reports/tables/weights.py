"""What a file of weights holds and what became of it, in words."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group

from dogclips.records.weights import LoadedWeights, Triple, WeightsFacts
from dogclips.reports.tables.style import filled_table

# Of a block or a stage.
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)|(?<=_res)\d+|(?<=^s)\d")


def loaded_lines(report: LoadedWeights) -> list[str]:
    """Return line by line what was loaded, resized, made, dropped and left as it was."""
    share = f"{100 * report.share:.1f} % of the parameters before the head"
    lines = [f"weights: {report.path}: {report.source}; {share}"]
    lines += _lines("loaded", report.loaded)
    for what, notes in (
        ("resized", report.resized),
        ("made from others", report.made),
        ("dropped", report.dropped),
    ):
        for why in dict.fromkeys(note.why for note in notes):
            names = [note.name for note in notes if note.why == why]
            lines += _lines(f"{what} ({why})", names)
    lines += _lines("left at their initial value", report.fresh)
    normalisation = _normalisation(report.mean, report.std)
    lines.append(f"weights: normalisation: {normalisation} (from {report.said_by})")
    return lines + [f"weights: {note}" for note in report.notes]


def facts_table(facts: WeightsFacts) -> Group:
    """Return one row for each thing that is known of a file."""
    classes = "no head" if facts.num_classes is None else str(facts.num_classes)
    if facts.labels:
        classes += f": {printable(', '.join(facts.labels))}"
    normalisation = "unknown"
    if facts.mean is not None and facts.std is not None:
        normalisation = f"{_normalisation(facts.mean, facts.std)} (from {facts.said_by})"
    rows = (
        ("file", facts.kind),
        ("names", facts.source or "unknown"),
        ("architecture", facts.architecture or "unknown"),
        ("parameters", f"{facts.num_parameters:,} in {facts.num_tensors} tensors"),
        ("classes", classes),
        ("normalisation", normalisation),
        ("unknown keys", folded(facts.unknown) or "none"),
    )
    return filled_table(str(facts.path), ("what", "value"), rows, "\n".join(facts.notes))


def facts_document(facts: WeightsFacts) -> dict[str, Any]:
    """Return the facts as one JSON document."""
    return {**asdict(facts), "path": str(facts.path)}


def folded(names: Iterable[str]) -> str:
    """Return names in a line: those that differ only in numbers or in their last word once.

    >>> folded(["norm.weight", "norm.bias", "blocks.0.fc.bias", "blocks.11.fc.bias"])
    'norm.{weight,bias}, blocks.*.fc.bias (2)'
    """
    groups: dict[str, Counter[str]] = {}
    for name in names:
        stem, _, leaf = _NUMBER.sub("*", printable(name)).rpartition(".")
        groups.setdefault(stem, Counter())[leaf] += 1
    found = []
    for stem, leaves in groups.items():
        leaf = next(iter(leaves)) if len(leaves) == 1 else f"{{{','.join(leaves)}}}"
        name = f"{stem}.{leaf}" if stem else ", ".join(leaves)
        found.append(f"{name} ({leaves.total()})" if leaves.total() > len(leaves) else name)
    return ", ".join(found)


def printable(text: str) -> str:
    r"""Return a text from a file without what would steer a terminal.

    >>> printable("a\x1b[2Jb")
    'a?[2Jb'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _lines(what: str, names: Sequence[str]) -> list[str]:
    tensors = "tensor" if len(names) == 1 else "tensors"
    return [f"weights: {len(names)} {tensors} {what}: {folded(names)}"] if names else []


def _normalisation(mean: Triple, std: Triple) -> str:
    shown = (" ".join(f"{value:.4g}" for value in values) for values in (mean, std))
    return "mean {}, std {}".format(*shown)
