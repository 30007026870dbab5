"""Models: list the networks that can be trained, and describe one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dogclips.events import Result
from dogclips.records.models import Layer, ModelFacts, published_models


@dataclass(frozen=True, eq=False)
class NetworkResult(Result):
    """Size, cost and layers of a network, and what differs from the defaults to train with it."""

    facts: ModelFacts
    layers: Layer
    settings: Mapping[str, Any]


def list_models() -> list[ModelFacts]:
    """Return size, cost, input and licence of every published network that can be trained."""
    return published_models()


def show_model(name: str, overrides: Sequence[str] = (), *, classes: int = 400) -> NetworkResult:
    """Return the layers of a published network, and settings to train with it.

    Parameters
    ----------
    overrides
        Changes such as `data.size=256`.

    Raises
    ------
    UsageError
        The name is unknown; the nearest one is given.
    ConfigError, ModelError
        A setting is wrong, or no network can be built with it.
    """
    # Torch takes seconds to import, and the list does without it.
    from dogclips.models.catalogue import NetworkConfig, variant  # noqa: PLC0415
    from dogclips.models.facts import measure_network  # noqa: PLC0415

    published = variant(name)
    settings = NetworkConfig.of(published, overrides)
    wanted = settings.applied(published)
    facts, layers = measure_network(name, wanted, classes)
    return NetworkResult(facts, layers, settings.difference())


def model_settings(
    name: str, overrides: Sequence[str] = (), *, classes: int = 400
) -> Mapping[str, Any]:
    """Return settings to train a published network with; refuse what `show_model` refuses.

    Nothing is measured, which takes most of the time of `show_model`.
    """
    from dogclips.models.catalogue import NetworkConfig, variant  # noqa: PLC0415
    from dogclips.models.facts import try_network  # noqa: PLC0415

    published = variant(name)
    settings = NetworkConfig.of(published, overrides)
    try_network(settings.applied(published), classes)
    return settings.difference()
