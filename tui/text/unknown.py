"""What is not known yet, or only as a minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...model.state import ClusterState
from ...model.text import units

if TYPE_CHECKING:
    from ..freeze import Freeze

HISTORY_UNAVAILABLE: Final = "history unavailable"
"""The note where values of the history are missing or old, since it could not be read."""


def not_known_yet(state: ClusterState, question: str = "workers") -> str:
    """Return in a few words why an empty list is not conclusive; empty if it is.

    It is not before the first connection, and before the first answer to a question about the
    cluster. A replay has events without a connection.
    """
    if state.broker.live_since is None and state.totals.first_event_at is None:
        return "not connected"
    if state.broker.live_since is None:
        return ""
    fact = state.fact(question)
    return fact.reason if fact.answered_at is None else ""


def rates_known(state: ClusterState, freeze: Freeze) -> bool:
    """Return whether the rates of a shown state are known: not while the broker is lost."""
    return state.broker.phase != "lost" and freeze.rates_known


def counted_rate(state: ClusterState, per_second: float) -> str:
    """Return a rate counted by events; a minimum if they do not report all tasks."""
    if state.observed:
        return units.rate(per_second)
    return f"{units.rate(per_second)}+" if per_second else units.UNKNOWN
