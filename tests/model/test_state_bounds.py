"""Every dimension of the model is bounded, and its cost does not grow with a flood.

Each row floods one dimension with far more than its bound; the bounds are made small for that. Cost
is the number of Python calls, so that no clock is involved.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from celtop.model.entities.series.time_series import MAX_MARKS
from celtop.model.entities.task import Task
from celtop.model.observations import (
    HistoryRead,
    InspectReply,
    LogMessage,
    Observation,
    OperationChanged,
    QueueGone,
    QueueMeasured,
    QueuePeeked,
    ScheduleRead,
    UnackedMessage,
    UnackedRead,
    WaitingMessage,
)
from celtop.model.operations.commands import Ping
from celtop.model.operations.outcome import Outcome
from celtop.model.query.task_view import TaskView
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from celtop.model.wire.signatures import PendingSignature
from celtop.tests.model.schedules import entry as schedule_entry

from .streams import NOW, WORKER, Fields, Script, event

BOUND = 20
MAX_TASKS = 60
FLOOD = 240

Make = Callable[[int], Observation]
Measure = Callable[[ClusterState], int]


def batch(events: list[Fields]) -> EventBatch:
    return EventBatch(tuple(map(event, events)), NOW)


def script(number: int, **options: Any) -> Script:
    return Script(f"task-{number}", at=NOW + number, step=0.01, **options)


def only(events: list[Fields], **fields: Any) -> EventBatch:
    """Return the last event with some fields changed."""
    return batch([{**events[-1], **fields}])


def beat(number: int, worker: str, skew: float = 0.0) -> EventBatch:
    fields = {"freq": 2.0, "active": 0, "processed": 0, "pid": number, "timestamp": NOW + skew}
    return batch([{"type": "worker-heartbeat", "hostname": worker, **fields}])


def failed(number: int, exception: str, traceback: str) -> EventBatch:
    end = script(number).received().started()
    return batch(end.failed(exception=exception, traceback=traceback).events)


def reply(command: str, content: Any) -> InspectReply:
    return InspectReply(WORKER, command, content, NOW)


def waiting(number: int, **fields: Any) -> QueuePeeked:
    message = WaitingMessage(f"task-{number}", "shop.bill", "celery", **fields)
    return QueuePeeked("celery", (message,), NOW, complete=False)


def unacked(number: int, *queues: str) -> UnackedRead:
    """Return unacknowledged messages, one of each queue."""
    messages = [UnackedMessage(NOW, name, f"{number}-{n}") for n, name in enumerate(queues)]
    return UnackedRead(tuple(messages), len(messages), NOW)


@dataclass(frozen=True)
class Flood:
    """One dimension: how to make more of it, how much there is, and what bounds it."""

    what: str
    make: Make
    measure: Measure
    bound: int = BOUND
    constant: str = ""
    """The constant that is set to `BOUND`, as `module.NAME` within `celtop.model`."""


def worker(state: ClusterState) -> Any:
    return state.workers[WORKER]


_ONLINE: Fields = {"type": "worker-online", "hostname": WORKER, "freq": 2.0, "pid": 1}

FLOODS = (
    Flood(
        "unacknowledged messages",
        lambda n: unacked(n, *(f"queue-{n}-{place}" for place in range(FLOOD))),
        lambda s: len(s.unacked),
        constant="ingest.queues.unacked_messages.MAX_HELD",
    ),
    Flood(
        "unacknowledged messages of a queue",
        lambda n: unacked(n, *["celery"] * FLOOD),
        lambda s: len(s.queues["celery"].held) if s.queues else 0,
        constant="ingest.queues.unacked_messages.MAX_HELD_PER_QUEUE",
    ),
    Flood("tasks", lambda n: batch(script(n).received().events), lambda s: len(s.tasks), MAX_TASKS),
    Flood(
        "states",
        lambda n: batch(script(n).received().say(f"state{n}").events),
        lambda s: len(s.totals.by_state),
        BOUND + 1,
        "ingest.tasks.store.task_store.MAX_STATES",
    ),
    Flood(
        "states of a type",
        lambda n: batch(script(n % 50).received().say(f"state{n}").events),
        lambda s: len(s.types["shop.bill"].states),
        BOUND + 1,
        "ingest.tasks.store.task_store.MAX_STATES",
    ),
    Flood(
        "types",
        lambda n: batch(script(n).received(name=f"name-{n}").events),
        lambda s: len(s.types),
        constant="ingest.tasks.store.task_types.MAX_TYPES",
    ),
    Flood(
        "exceptions of a type",
        lambda n: failed(n, f"Error{n}()", "tb"),
        lambda s: len(s.types["shop.bill"].exceptions),
        BOUND + 1,
        "entities.task_type.MAX_EXCEPTION_CLASSES",
    ),
    Flood(
        "failure groups",
        lambda n: failed(n, f"Error{n}()", f'  File "/srv/a{n}.py", line 1, in f\n'),
        lambda s: len(list(s.failures)),
        constant="ingest.tasks.failure_groups.MAX_GROUPS",
    ),
    Flood(
        "long texts",
        lambda n: failed(n, "Oops()", f"{n}" * 5_000),
        lambda s: len(s._tasks.texts._long),
        MAX_TASKS,
    ),
    Flood(
        "routes",
        lambda n: batch(script(n).sent(exchange=f"exchange-{n}").events),
        lambda s: len(s._tasks._routes),
        constant="ingest.tasks.store.task_store.MAX_ROUTES",
    ),
    Flood(
        "shared texts",
        lambda n: batch(script(n).received(args=f"({n},)").events),
        lambda s: len(s._tasks.texts._texts),
        constant="ingest.tasks.store.task_texts.MAX_SHARED_TEXTS",
    ),
    Flood(
        "hosts of clients",
        lambda n: only(script(n).sent().events, hostname=f"gen{n}@host-{n}"),
        lambda s: len(s._tasks._routes),
        constant="ingest.tasks.store.task_store.MAX_ROUTES",
    ),
    Flood(
        "roots",
        lambda n: batch(script(n).received(root_id=f"root-{n}").events),
        lambda s: len(s._tasks.relations._families),
        MAX_TASKS,
    ),
    Flood(
        "children of a root",
        lambda n: batch(script(n).received(root_id="root", parent_id="root").events),
        lambda s: len(s.family("root")),
        MAX_TASKS,
    ),
    Flood(
        "groups",
        lambda n: waiting(n, group_id=f"group-{n}"),
        lambda s: len(s._tasks.relations._groups),
        MAX_TASKS,
    ),
    Flood(
        "members of a group",
        lambda n: waiting(n, group_id="group"),
        lambda s: len(s.group("group")),
        MAX_TASKS,
    ),
    Flood(
        "pending signatures",
        lambda n: waiting(
            n, pending_signatures=(PendingSignature(f"next-{n}", "f", "callback", None),)
        ),
        lambda s: len(s.pending_signatures),
        constant="ingest.queues.queue_peeks.MAX_PENDING_SIGNATURES",
    ),
    Flood(
        "priorities",
        lambda n: waiting(n, priority=n),
        lambda s: len(s._queue_peeks._extras),
        constant="ingest.queues.queue_peeks.MAX_PRIORITIES",
    ),
    Flood(
        "attempts",
        lambda n: batch(Script("task", at=NOW + 10 * n).received(n).started().retried().events),
        lambda s: len(s.tasks["task"].attempts),
        50,
    ),
    Flood(
        "fields of custom events",
        lambda n: batch(Script("task", at=NOW + n).say("note", **{f"field-{n}": n}).events),
        lambda s: len((s.tasks["task"].extra and s.tasks["task"].extra.fields) or ()),
        constant="ingest.tasks.store.task_texts.MAX_FIELDS",
    ),
    Flood(
        "progress",
        lambda n: batch(script(n).received().started().progress(current=1, total=9).events),
        lambda s: len(s._progress_rates._histories),
        constant="ingest.tasks.progress_rate.MAX_HISTORIES",
    ),
    Flood(
        "queues of tasks",
        lambda n: batch(script(n).sent(queue=f"queue-{n}").events),
        lambda s: len(s.queues),
        constant="ingest.queues.queue_store.MAX_QUEUES",
    ),
    Flood(
        "measured queues",
        lambda n: QueueMeasured(f"queue-{n}", NOW, waiting=1),
        lambda s: len(s.queues),
        constant="ingest.queues.queue_store.MAX_QUEUES",
    ),
    Flood(
        "deleted queues",
        lambda n: (
            QueueMeasured(f"queue-{n // 2}", NOW, waiting=1)
            if n % 2 == 0
            else QueueGone(f"queue-{n // 2}", NOW)
        ),
        lambda s: len(s._queues.gone_at),
        constant="ingest.queues.queue_store.MAX_QUEUES",
    ),
    Flood(
        "starts of a worker",
        lambda n: batch([{**_ONLINE, "timestamp": NOW + n / 1000}]),
        lambda s: len(worker(s).starts),
        constant="entities.worker_starts.MAX_STARTS",
    ),
    Flood(
        "workers",
        lambda n: beat(n, f"celery@worker-{n}"),
        lambda s: len(s.workers),
        constant="ingest.workers.worker_store.MAX_WORKERS",
    ),
    Flood(
        "workers of tasks",
        lambda n: batch(script(n, worker=f"celery@worker-{n}").received().events),
        lambda s: len(s.workers),
        constant="ingest.workers.worker_store.MAX_WORKERS",
    ),
    Flood(
        "skewed clocks",
        lambda n: beat(n, f"celery@worker-{n}", skew=100.0 + n),
        lambda s: len(s.skews),
        constant="ingest.workers.worker_store.MAX_WORKERS",
    ),
    Flood(
        "running tasks of a worker",
        lambda n: batch(script(n).received().started().events),
        lambda s: len(worker(s).active_ids),
        constant="ingest.workers.worker_store.MAX_ACTIVE_IDS",
    ),
    Flood(
        "tasks from unknown queues of a worker",
        lambda n: batch(script(n).received().events),
        lambda s: len(worker(s).unattributed),
        constant="ingest.workers.unattributed.MAX_UNATTRIBUTED",
    ),
    Flood(
        "tasks of a worker from queues that it does not consume",
        lambda n: (
            reply("active_queues", [{"name": "only"}])
            if n < 2
            else batch(script(n).sent().received().events)
        ),
        lambda s: len(worker(s).rerouted),
        constant="ingest.workers.unattributed.MAX_UNATTRIBUTED",
    ),
    Flood(
        "registered tasks of a worker",
        lambda n: reply("registered", [f"task-{each} [rate_limit=1/m]" for each in range(n)]),
        lambda s: len(worker(s).registered) + len(worker(s).limits),
        2 * BOUND,
        "ingest.workers.inspect_replies.MAX_NAMES",
    ),
    Flood(
        "queues of a worker",
        lambda n: reply("active_queues", [{"name": f"queue-{each}"} for each in range(n)]),
        lambda s: len(worker(s).queues or ()),
        constant="ingest.workers.inspect_replies.MAX_QUEUES",
    ),
    Flood(
        "counts of a worker",
        lambda n: reply("stats", {"total": {f"task-{each}": 1 for each in range(n)}}),
        lambda s: len(worker(s).totals),
        constant="ingest.workers.inspect_replies.MAX_NAMES",
    ),
    Flood(
        "settings of a worker",
        lambda n: reply("conf", {f"key_{each}": each for each in range(n)}),
        lambda s: len(worker(s).conf or ()),
        constant="wire.conf.MAX_SETTINGS",
    ),
    Flood("log", lambda n: LogMessage("info", "x", str(n), NOW), lambda s: len(s.log), 5_000),
    Flood(
        "malformed events",
        lambda n: EventBatch((), NOW, (f"reason {n}",)),
        lambda s: len(s.totals.malformed_reasons),
        BOUND + 1,
        "ingest.event_stream.MAX_MALFORMED_REASONS",
    ),
    Flood(
        "recorded types",
        lambda n: batch(script(n).received(name=f"name-{n}").events),
        lambda s: len(s.series.types),
        constant="ingest.series_recorder.MAX_SUBJECTS",
    ),
    Flood(
        "recorded queues",
        lambda n: QueueMeasured(f"queue-{n % 50}", NOW + n, waiting=1),
        lambda s: len(s.series.queues),
        constant="ingest.series_recorder.MAX_SUBJECTS",
    ),
    Flood(
        "delayed messages",
        lambda n: only(script(n).sent().events, routing_key=f"{'0.' * 26}1.1.billing"),
        lambda s: len(s.delayed._known),
        constant="ingest.queues.delayed_messages.MAX_KNOWN",
    ),
    Flood(
        "recorded workers",
        lambda n: EventBatch(beat(n, f"celery@worker-{n % 50}").events, NOW + n),
        lambda s: len(s.series.workers),
        constant="ingest.series_recorder.MAX_SUBJECTS",
    ),
    Flood(
        "interrupted tasks",
        lambda n: batch(script(n).received().started().rejected().received().events),
        lambda s: len(s.interrupted),
        constant="ingest.tasks.store.task_store.MAX_INTERRUPTED",
    ),
    Flood(
        "entries of the schedule",
        lambda n: ScheduleRead("app", NOW, tuple(map(schedule_entry, map(str, range(n, n + 30))))),
        lambda s: len(s.schedule.entries),
        constant="ingest.schedule_store.MAX_ENTRIES",
    ),
    Flood(
        "marks",
        lambda n: batch([{**_ONLINE, "timestamp": NOW + n}]),
        lambda s: len(s.series.marks),
        MAX_MARKS,
    ),
    Flood(
        "versions of workers that were marked as deployed",
        lambda n: reply("registered", ["shop.bill", f"shop.task-{n}"]),
        lambda s: len(s.deploys.marked),
        constant="ingest.workers.deploys.MAX_VERSIONS",
    ),
    Flood(
        "tasks that were searched for in the history",
        lambda n: HistoryRead((Task(f"stored-{n}", state="FAILURE", state_at=NOW - n),), NOW, True),
        lambda s: len(s.tasks),
        MAX_TASKS,
    ),
    Flood(
        "operations",
        lambda n: OperationChanged(Outcome(n, Ping((WORKER,)), NOW, ended_at=NOW), NOW),
        lambda s: len(s.operations),
        constant="ingest.operation_log.MAX_OPERATIONS",
    ),
)


def calls(act: Callable[[], object]) -> int:
    """Return how many calls of functions an action makes."""
    count = 0

    def on_call(frame: object, kind: str, argument: object) -> None:
        nonlocal count
        count += kind.endswith("call")

    before = sys.getprofile()
    sys.setprofile(on_call)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture(params=FLOODS, ids=lambda each: each.what)
def flood(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Flood:
    """A dimension, with its bound made small."""
    flood: Flood = request.param
    if flood.constant:
        module, _, name = flood.constant.rpartition(".")
        monkeypatch.setattr(importlib.import_module(f"celtop.model.{module}"), name, BOUND)
    monkeypatch.setattr("celtop.model.ingest.workers.worker_store.EVICTED_AT_ONCE", BOUND // 2)
    return flood


def test_it_is_bounded_and_so_is_its_cost(flood: Flood) -> None:
    state = ClusterState(max_tasks=MAX_TASKS)
    view = TaskView(state, now=NOW)
    costs: list[int] = []
    for number in range(1, FLOOD + 1):
        observation = flood.make(number)
        cost = calls(lambda: state.observe(observation))  # noqa: B023
        if number % 10 == 0:
            cost += calls(lambda: state.tick(NOW + number))  # noqa: B023
            cost += calls(lambda: view.apply(state.take_changes(), NOW + number))  # noqa: B023
        costs.append(cost)
        assert flood.measure(state) <= flood.bound
    assert flood.measure(state) >= min(BOUND // 2, flood.bound)
    quarter = FLOOD // 4
    assert sum(costs[-quarter:]) < 1.5 * sum(costs[quarter : 2 * quarter])
