"""Pending tasks that are gone with the messages of their queue."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from celtop.model.entities.fact import NEVER_ASKED
from celtop.model.entities.queue import Queue
from celtop.model.entities.worker import Worker
from celtop.model.ingest.emptied_queues import EMPTY_SECONDS, PendingTask, loss_of
from celtop.tests.model.streams import NOW, WORKER

SETTLED = NOW + EMPTY_SECONDS
TASK = PendingTask(
    since=NOW, events_complete=True, type_received=True, lacking=frozenset(), absent=False
)


def queue(**fields: Any) -> Queue:
    known = {"waiting": 0, "unacked": 0, "measured_at": SETTLED, "known_consumers": (WORKER,)}
    facts = {"consumers": NEVER_ASKED.answered(NOW)}
    return Queue("mail", facts=facts, **{**known, **fields})


def worker(**fields: Any) -> Worker:
    return Worker(WORKER, **{"last_seen_at": SETTLED, "events_enabled": True, **fields})


def test_a_task_that_no_worker_reported_is_gone() -> None:
    assert loss_of(TASK, queue(), [worker()]) == "emptied"
    assert loss_of(TASK, queue(known_consumers=()), []) == "emptied"


@pytest.mark.parametrize(
    "fields", [{"waiting": 1}, {"waiting": None}, {"measured_at": SETTLED - 0.1}, {"unacked": 1}]
)
def test_the_queue_has_to_be_measured_as_empty(fields: dict[str, Any]) -> None:
    assert loss_of(TASK, queue(**fields), [worker()]) is None


@pytest.mark.parametrize("fields", [{"last_seen_at": NOW}, {"events_enabled": None}])
def test_a_worker_that_cannot_report_it_may_have_it(fields: dict[str, Any]) -> None:
    """A solo pool sends the events of a task, and its heartbeats, after the task."""
    assert loss_of(TASK, queue(), [worker(**fields)]) is None


@pytest.mark.parametrize("fields", [{"events_complete": False}, {"type_received": False}])
def test_its_events_may_have_been_missed(fields: dict[str, Any]) -> None:
    """A type may send no events at all (`Task.send_events`)."""
    task = msgspec.structs.replace(TASK, **fields)
    assert loss_of(task, queue(), [worker()]) is None
    task = msgspec.structs.replace(task, lacking=frozenset({WORKER}))
    assert loss_of(task, queue(), [worker()]) is None
    task = msgspec.structs.replace(task, absent=True)
    assert loss_of(task, queue(), [worker()]) == "unknown"


def test_without_consumers_nothing_can_have_been_received() -> None:
    task = msgspec.structs.replace(TASK, type_received=False)
    assert loss_of(task, queue(known_consumers=()), [worker()]) == "emptied"


def test_unacknowledged_messages_may_be_the_task() -> None:
    for unacked in (None, 3):
        assert loss_of(TASK, queue(unacked=unacked), [worker()]) is None
        task = msgspec.structs.replace(TASK, lacking=frozenset({WORKER}))
        assert loss_of(task, queue(unacked=unacked), [worker()]) == "emptied"
    assert loss_of(TASK, queue(unacked=None, consumer_count=0), [worker()]) == "emptied"
    absent = msgspec.structs.replace(TASK, events_complete=False, absent=True)
    assert loss_of(absent, queue(unacked=None), []) is None
    assert loss_of(absent, queue(unacked=0), []) == "unknown"
