"""What settings are made of: closed sections, and numbers that know their unit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Unit:
    """What a number is counted in, as metadata of its type; see `unit_of`."""

    symbol: str


Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0), Unit("s")]
SecondsFromZero = Annotated[float, Field(ge=0), Unit("s")]
Pixels = Annotated[int, Field(ge=1), Unit("px")]
Frames = Annotated[int, Field(ge=1), Unit("frames")]
FrameRate = Annotated[float, Field(gt=0), Unit("frames/s")]
Epochs = Annotated[int, Field(ge=1), Unit("epochs")]
EpochsFromZero = Annotated[float, Field(ge=0), Unit("epochs")]


def _ascend(pair: tuple[float, float]) -> tuple[float, float]:
    if not 0 < pair[0] <= pair[1]:
        raise ValueError("has to be two ascending numbers above 0: correct the value")
    return pair


Ascending = Annotated[tuple[float, float], AfterValidator(_ascend)]


def _last(pair: tuple[float, float]) -> tuple[float, float]:
    if not pair[0] < pair[1]:
        raise ValueError("has to be a start and a later end: correct the value")
    return pair


Stretch = Annotated[tuple[SecondsFromZero, SecondsFromZero], AfterValidator(_last)]


class Config(BaseModel):
    """Base of every configuration: unknown keys are refused and values never change."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )


def unit_of(field: FieldInfo) -> str:
    """Return the unit of the numbers that a setting takes; empty where they have none."""
    found = _units((*field.metadata, field.annotation))
    return next(found, "")


def _units(parts: Iterable[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Unit):
            yield part.symbol
        elif not isinstance(part, type):
            yield from _units((*getattr(part, "__metadata__", ()), *getattr(part, "__args__", ())))
