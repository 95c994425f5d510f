"""The pages of the metrics server: they are made of models that belong to the loop's thread."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from .. import __version__
from ..metrics.cluster_metrics import ClusterMetrics
from ..metrics.exposition import Exposition, exposition, version_family
from ..metrics.families import Family
from ..metrics.health import Health, health_of
from ..model.state import ClusterState
from .loop import CollectorLoop

ANSWER_TIMEOUT: Final = 5.0
"""Seconds for the loop to answer: Prometheus gives up after ten."""


class ClusterPages:
    """The metrics and the health of clusters; to be made before the loop runs.

    Args:
        loop: The loop that keeps the models up to date.
        states: The models by the names of their clusters.
        labelled: Whether the metrics have the label `cluster`.
    """

    def __init__(
        self, loop: CollectorLoop, states: Mapping[str, ClusterState], *, labelled: bool
    ) -> None:
        self._loop = loop
        self._states = dict(states)
        self._metrics = [
            ClusterMetrics(state, name if labelled else "") for name, state in states.items()
        ]

    def metrics(self, accept: str) -> Exposition:
        """Return the metrics; reading the values is all that the loop has to do for it."""
        return exposition(self._loop.ask(self._families, ANSWER_TIMEOUT), accept)

    def health(self) -> Health:
        """Return whether the brokers can be reached."""
        return self._loop.ask(lambda: health_of(self._states), ANSWER_TIMEOUT)

    def _families(self) -> list[Family]:
        now = time.time()
        found = [family for metrics in self._metrics for family in metrics.families(now)]
        return [*found, version_family(__version__)]
