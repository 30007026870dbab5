"""Names of parameters: whose they are, and which of ours they mean.

A naming is a table from their names to ours, in which `{i}` stands for a number that both sides
have in common and `{x}` for the last word, such as `weight` or `running_mean`. The tables lie
beside this file, one file an architecture.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

Tensors = dict[str, Tensor]
Names = Mapping[str, str]

# Mean and standard deviation that published weights were trained with.
KINETICS = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
PLUS_MINUS_ONE = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of each RGB channel on the scale 0..1, and who says so."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    said_by: str


@dataclass(frozen=True)
class Adapted:
    """Tensors under our names after what a naming needs beside new names."""

    tensors: Tensors  #: Under our names
    #: Names of tensors that the file lacks and that were made up, each with the reason.
    made: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  #: What a user must know about the source


def unchanged(named: Tensors, theirs: Tensors) -> Adapted:
    """Return tensors for which new names are all they need."""
    del theirs
    return Adapted(named)


@dataclass(frozen=True)
class Naming:
    """How one code base names the parameters of one architecture."""

    source: str  #: The code base
    architecture: str  #: One of ours, or `image ViT` and `image ResNet`
    mark: str  #: A name that only its files have
    names: Names  #: From their names to ours
    normalisation: Normalisation  #: What its published weights were trained with
    ignored: tuple[str, ...] = ()  #: Names without meaning for the network
    #: From tensors under our names, and under theirs, to what our network wants.
    adapt: Callable[[Tensors, Tensors], Adapted] = unchanged

    def describes(self, names: Iterable[str]) -> bool:
        """Return whether parameters are named so."""
        mark = _pattern(self.mark)
        return any(mark.fullmatch(name) for name in names)

    def renamed(self, theirs: Tensors) -> tuple[Tensors, tuple[str, ...]]:
        """Return tensors under our names, and those of their names that mean nothing to us."""
        table = [
            (_pattern(name), re.sub(r"\{([ijpx])\}", r"\\g<\1>", ours))
            for name, ours in self.names.items()
        ]
        ignored = [_pattern(name) for name in self.ignored]
        named: Tensors = {}
        unknown = []
        for name, value in theirs.items():
            matches = ((p.fullmatch(name), ours) for p, ours in table)
            found = next((match.expand(ours) for match, ours in matches if match), None)
            if found is not None:
                named[found] = value
            elif not any(pattern.fullmatch(name) for pattern in ignored):
                unknown.append(name)
        return named, tuple(unknown)


# A number, and the end of a name.
_GROUPS = {r"\{x\}": r"(?P<x>[a-z_]+)", r"\{any\}": ".*"}


def _pattern(name: str) -> re.Pattern[str]:
    text = re.escape(name)
    for mark, group in _GROUPS.items():
        text = text.replace(mark, group)
    return re.compile(re.sub(r"\\\{([ijp])\\\}", r"(?P<\1>[0-9]+)", text))


def identity(names: Iterable[str]) -> Names:
    """Return the table of a naming that is ours."""
    return {name: name for name in names}


def in_blocks(theirs: str, names: Names) -> dict[str, str]:
    """Return a table of what stands in the blocks of a transformer, after what they call those."""
    return {f"{theirs}{name}": f"blocks.{{i}}.{own}" for name, own in names.items()}
