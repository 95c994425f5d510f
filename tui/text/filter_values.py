"""The values that a filter is completed with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...model.confirm.targets import known_queues, task_names
from ...model.query.completion import Values
from ...model.query.fields import STATE_NAMES
from ...model.state import ClusterState

_LIKELY_STATES: Final = ("FAILURE", "RETRY", "running", "waiting")


def filter_values(state: ClusterState) -> Values:
    """Return the function for the values that a field has in the cluster."""

    def values(field: str) -> Iterable[str]:
        if field == "state":
            return dict.fromkeys([*_LIKELY_STATES, *state.totals.by_state, *STATE_NAMES])
        if field == "name":
            return task_names(state)
        if field == "worker":
            return sorted(state.workers)
        if field == "queue":
            return known_queues(state)
        if field in ("error", "exception"):  # the text of an exception contains its class
            return dict.fromkeys(group.error for group in state.failures if group.error)
        if field == "place":
            return dict.fromkeys(group.place for group in state.failures if group.place)
        return ()

    return values
