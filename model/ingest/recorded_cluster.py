"""Fills the model with what the history last recorded, without a connection to the broker.

Workers and queues have the values of their last recorded minute, and the status that they had then:
nothing is concluded from the time since. What is not recorded, such as consumers or pools, is
unknown.
"""

from __future__ import annotations

from typing import Final

from ..entities.broker import Broker
from ..entities.fact import NEVER_ASKED, Fact
from ..entities.fault import Fault
from ..entities.queue import Queue
from ..entities.recorded import RecordedCluster, RecordedType, RecordedValues
from ..entities.task_type import TaskType
from ..entities.worker import Rusage, Worker
from ..text import units
from .queues.queue_store import MAX_QUEUES, QueueStore
from .tasks.task_types import MAX_TYPES, TaskTypes
from .workers.worker_store import MAX_WORKERS, WorkerStore

NOT_RECORDED: Final = Fault("history", "not in the history", "")
_INSPECTED: Final = ("stats", "active", "reserved", "scheduled", "active_queues", "registered")


def restore(
    recorded: RecordedCluster,
    now: float,
    broker: Broker,
    workers: WorkerStore,
    queues: QueueStore,
    types: TaskTypes,
) -> None:
    """Fill empty stores with what was recorded; `now` is in epoch seconds."""
    broker.phase = "lost"
    # Statuses are those at this time; a worker that is late by then was so when it was recorded.
    times = [each.at for each in recorded.workers] or [recorded.at]
    broker.live_since, broker.event_at = min(times), max(times)
    broker.lost_at = broker.event_at
    listening, unknown = broker.listening(now), NEVER_ASKED.failed(recorded.at, NOT_RECORDED)
    for each in recorded.workers[:MAX_WORKERS]:
        left_at, lost_at = recorded.left_at.get(each.name), recorded.lost_at.get(each.name)
        workers.add_recorded(_worker(each, left_at, lost_at, unknown), listening)
    for each in recorded.queues[:MAX_QUEUES]:
        queues.queues[each.name] = _queue(each, now, unknown)
    for kind in recorded.types[:MAX_TYPES]:
        _count(types.setdefault(kind.name, TaskType(kind.name)), kind)


def _worker(
    recorded: RecordedValues, left_at: float | None, lost_at: float | None, unknown: Fact
) -> Worker:
    values = recorded.values
    rss, load = values.get("rss"), values.get("load")
    gone_at = left_at if lost_at is None else lost_at
    return Worker(
        recorded.name,
        last_seen_at=recorded.at if gone_at is None else min(recorded.at, gone_at),
        left_at=left_at,
        lost_at=lost_at,
        sends_heartbeats=True,
        active=_whole(values, "busy") if gone_at is None else 0,
        concurrency=_whole(values, "slots"),
        rusage=None if rss is None else Rusage(rss_bytes=round(rss)),
        load=None if load is None else (load,),
        succeeded=_whole(values, "n_succeeded") or 0,
        failed=_whole(values, "n_failed") or 0,
        retried=_whole(values, "n_retried") or 0,
        facts=dict.fromkeys(_INSPECTED, unknown),
    )


def _queue(recorded: RecordedValues, now: float, unknown: Fact) -> Queue:
    values = recorded.values
    return Queue(
        recorded.name,
        waiting=_whole(values, "waiting"),
        in_per_s=values.get("in_per_s"),
        out_per_s=values.get("out_per_s"),
        # Ages that are only known to be at least so long are recorded, too.
        oldest_age_at_least=values.get("oldest") or None,
        runnable_age_at_least=values.get("runnable") or None,
        delayed=None,
        measured_at=recorded.at,
        facts={"depth": NEVER_ASKED.answered(recorded.at), "consumers": unknown},
        notes=(f"measured {units.ago(recorded.at, now)}",),
    )


def _count(kind: TaskType, recorded: RecordedType) -> None:
    kind.received, kind.succeeded = recorded.received, recorded.succeeded
    kind.failed, kind.retried = recorded.failed, recorded.retried
    kind.revoked, kind.last_at = recorded.revoked, recorded.last_at


def _whole(values: dict[str, float], name: str) -> int | None:
    value = values.get(name)
    return None if value is None else round(value)
