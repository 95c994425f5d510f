"""Ends a command that runs on if only other settings can help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .session import unusable

if TYPE_CHECKING:
    from ..model.entities.changes import Changes
    from ..model.state import ClusterState


class SettingsCheck:
    """Ends the command if no cluster can ever be monitored: wrong URLs, missing drivers.

    Args:
        states: The models of the clusters. While one of them may be usable, the command goes on.
    """

    def __init__(self, *states: ClusterState) -> None:
        self._states = states

    def update(self, state: ClusterState, changes: Changes, now: float) -> None:
        """Check the connections.

        Raises:
            InvalidUsage: The settings or the installation are at fault, of every cluster.
        """
        for each in self._states:
            fault = each.broker.fault
            if each.broker.is_connected or fault is None or not fault.is_configuration:
                return
        first = self._states[0].broker
        raise unusable(first.url, first.fault)
