"""Checks for a broker that is not reached, or has no workers and tasks, as labels and values."""

from __future__ import annotations

from typing import Final

from ...model.state import ClusterState
from ...model.text import units
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ..text.unknown import not_known_yet

GRACE: Final = 5.0
"""Seconds after connecting in which workers may still reply."""
_MAX_URL: Final = 200
"""Characters."""
_MAX_REMEDIES: Final = 2


def is_empty(state: ClusterState, now: float) -> bool:
    """Return whether the broker has been connected for a while without any sign of a cluster."""
    since = state.broker.live_since
    if state.broker.phase != "live" or since is None or now - since < GRACE:
        return False
    waiting = any(queue.waiting for queue in state.queues.values())
    return not (state.workers or state.tasks or waiting or not_known_yet(state))


def is_unreachable(state: ClusterState) -> bool:
    """Return whether connecting has failed, and never succeeded, so that nothing is known."""
    broker = state.broker
    if broker.fault is None or broker.live_since is not None:
        return False
    return not (state.workers or state.tasks or state.totals.first_event_at)


def unreachable_fields(state: ClusterState, source: str) -> list[Field]:
    """Return the broker and the source of its URL, in words, and what else can be tried."""
    return [
        Field("Broker", visible(state.broker.url or "", _MAX_URL), "bad"),
        Field("URL from", visible(source, _MAX_URL)),
        Field("Another broker?", "celtop -b URL, or CELTOP_BROKER_URL"),
        Field("That of your app?", "celtop -A PROJECT"),
        Field("Why does it fail?", "celtop doctor"),
        Field("Only trying it out?", "celtop demo"),
    ]


def empty_cluster_fields(state: ClusterState, now: float) -> list[Field]:
    """Return the facts, then the checks, the most likely cause first."""
    since = units.duration(int(now - (state.broker.live_since or now)))
    return [
        Field("Connected to", visible(state.broker.url or "", _MAX_URL), "good"),
        Field("Found", f"no workers, no task events in {since}", "warn"),
        _other_cluster(state) or Field("", ""),
        Field("Is a worker running?", "celery -A PROJECT worker -E"),
        Field("On the same broker?", "Compare the broker_url of the worker"),
        Field("Same key prefix?", "Start celtop with -A PROJECT"),
        Field("Remote control on?", "worker_enable_remote_control is True"),
        Field("Only messages?", "Name the queues: celtop -Q NAME,NAME"),
    ]


def _other_cluster(state: ClusterState) -> Field | None:
    """Return how to monitor another cluster on this broker, of which there are traces."""
    remedies = list(dict.fromkeys(one.remedy for one in state.other_clusters))[:_MAX_REMEDIES]
    if not remedies:
        return None
    text = visible("; or ".join(remedies), _MAX_URL)
    return Field("Another cluster?", text[:1].upper() + text[1:], "warn")
