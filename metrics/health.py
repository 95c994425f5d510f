"""Whether the brokers can be reached, for load balancers and container platforms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from ..model.entities.broker import BrokerPhase
from ..model.state import ClusterState

SCHEMA: Final = "celtop.health/1"


class ClusterHealth(msgspec.Struct, frozen=True):
    """The connection to the broker of one cluster."""

    cluster: str
    broker: BrokerPhase
    reason: str | None
    """Why it is not live; None if it is."""


class Health(msgspec.Struct, frozen=True):
    """The answer of `/health`: `failed` is answered with status 503."""

    schema: str
    status: Literal["ok", "failed"]
    reason: str | None
    """Why it failed, in one line; None if it is ok."""
    clusters: tuple[ClusterHealth, ...]


def health_of(states: Mapping[str, ClusterState]) -> Health:
    """Return whether the brokers of clusters, by name, can be reached.

    A blocked broker can: it accepts no messages, which is a finding and not a fault of celtop.
    """
    clusters = tuple(_cluster_health(name, state) for name, state in states.items())
    failed = [one for one in clusters if one.broker not in ("live", "blocked")]
    reason = "; ".join(f"{one.cluster}: {one.reason}" for one in failed) or None
    return Health(SCHEMA, "failed" if failed else "ok", reason, clusters)


def failure(reason: str) -> Health:
    """Return the answer if nothing is known of the clusters."""
    return Health(SCHEMA, "failed", reason, ())


def _cluster_health(name: str, state: ClusterState) -> ClusterHealth:
    broker = state.broker
    if broker.phase == "live":
        return ClusterHealth(name, broker.phase, None)
    reason = str(broker.fault) if broker.fault is not None else f"the broker is {broker.phase}"
    return ClusterHealth(name, broker.phase, reason)
