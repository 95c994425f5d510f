"""Messages waiting in a queue become pending tasks."""

from __future__ import annotations

import msgspec
import pytest
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.states import source_names
from celtop.model.entities.task import TaskExtra
from celtop.model.ingest.queues.visibility_timeout import VISIBILITY_TIMEOUT
from celtop.model.observations import (
    InspectReply,
    QuestionsAnswered,
    QueueGone,
    QueueMeasured,
    QueuePeeked,
    ResultsRead,
    WaitingMessage,
)
from celtop.model.query.language import parse_query
from celtop.model.state import ClusterState

from ...operation_cases import cluster, task
from ...streams import NOW, OTHER, WORKER, Script, play

WHOLE = WaitingMessage(
    "a", "geo.resize", "geo", "(1,)", "{'b': 2}", "root", "parent", "group", NOW + 9, NOW + 99, 2, 3
)


def peek(state: ClusterState, *messages: WaitingMessage, queue: str = "geo") -> None:
    state.observe(QueuePeeked(queue, messages, NOW, True))


def test_a_waiting_message_is_a_pending_task_with_the_fields_of_its_headers() -> None:
    state = ClusterState()
    peek(state, WHOLE)
    held = state.tasks["a"]
    assert (held.state, held.name, held.queue) == ("PENDING", "geo.resize", "geo")
    assert (held.args, held.kwargs) == ("(1,)", "{'b': 2}")
    assert (held.root_id, held.parent_id, held.group_id) == ("root", "parent", "group")
    assert (held.eta_at, held.expires_at, held.retries) == (NOW + 9, NOW + 99, 2)
    assert held.extra is not None and held.extra.priority == 3
    assert source_names(held.sources) == ("queue",)
    assert parse_query("group:group queue:geo state:pending").matches(held, NOW)
    assert "a" in state.take_changes().tasks
    assert "geo" in state.queues


def test_a_queue_that_is_gone_does_not_come_back_with_an_answer_without_messages() -> None:
    # A broker lost it while it was being read, and its answer arrives after the next measurement.
    state = ClusterState()
    peek(state, WHOLE)
    state.observe(QueueGone("geo", NOW))
    peek(state)
    state.observe(QueuePeeked("geo", (), NOW, True, is_listing=True))
    assert "geo" not in state.queues
    assert state.listing("geo") is not None


def test_a_place_stays_known_if_the_broker_does_not_show_messages_later() -> None:
    state = ClusterState()
    peek(state, msgspec.structs.replace(WHOLE, before=4))
    state.observe(QueuePeeked("geo", (), NOW + 1, complete=False, notes=("not shown",)))
    position = state.position(state.tasks["a"])
    assert position is not None and (position.before, position.at) == (4, NOW)
    state.observe(QueuePeeked("geo", (), NOW + 2, complete=True))
    assert state.position(state.tasks["a"]) is None


def test_only_missing_fields_are_filled_in() -> None:
    state = cluster()
    task(state, "a", until="started")
    before = state.tasks["a"]
    args, queue = before.args, before.queue
    peek(state, WHOLE)
    held = state.tasks["a"]
    assert (held.state, held.args, held.retries, held.eta_at) == ("STARTED", args, 0, None)
    assert held.queue == queue or queue is None
    assert held.group_id == "group"
    assert source_names(held.sources) == ("event", "queue")


def test_a_task_is_not_its_own_parent() -> None:
    state = ClusterState()
    peek(
        state,
        WaitingMessage("a", "x", "geo", root_id="a", parent_id="a"),
        WaitingMessage("b", "x", "geo"),
    )
    assert (state.tasks["a"].root_id, state.tasks["a"].parent_id) == ("a", None)
    assert state.tasks["b"].root_id is None


def test_a_retry_from_another_session_is_linked_both_ways() -> None:
    state = cluster()
    task(state, "a", until="started")
    again = WaitingMessage("b", "x", "geo", priority=3, retry_of="a")
    peek(
        state,
        again,
        WaitingMessage("c", "x", "geo", retry_of="gone"),
        WaitingMessage("d", "x", "geo", None, "d"),
    )
    extras = {id_: state.tasks[id_].extra or TaskExtra() for id_ in "abc"}
    assert (extras["b"].retry_of, extras["b"].priority) == ("a", 3)
    assert extras["a"].retried_as == "b"
    assert extras["c"].retry_of == "gone"
    state.take_changes()
    peek(state, again, WaitingMessage("e", "x", "geo", retry_of="e"))
    assert "a" not in state.take_changes().tasks
    assert state.tasks["e"].extra is None


def test_the_store_stays_bounded() -> None:
    state = ClusterState(max_tasks=100)
    peek(state, *(WaitingMessage(f"id-{n}", "x", "geo", args=f"({n},)") for n in range(1_000)))
    assert len(state.tasks) <= 100
    assert state.totals.text_bytes == sum(held.text_bytes for held in state.tasks.values())
    assert state.types["x"].states == {"PENDING": len(state.tasks)}


def test_hostile_messages_are_cut_or_ignored() -> None:
    state = ClusterState()
    long = "x" * 300_000
    peek(
        state,
        WaitingMessage("", "x", "geo"),
        WaitingMessage(long, "x", "geo"),
        WaitingMessage("a", long, long, long),
    )
    assert list(state.tasks) == ["a"]
    held = state.tasks["a"]
    assert len(held.name or "") == 1024
    assert len(held.args or "") < 300_000


def test_a_replacement_seen_in_a_queue_waits_there() -> None:
    state = play(Script("a").received().started().events)
    message = WaitingMessage("a", "shop.nap", "nobody", "(1,)", "{}", replaced=True)
    state.observe(QueuePeeked("nobody", (message,), NOW + 2.5, True))
    assert state.tasks["a"].running, "it may have been received since"
    state.observe(QueuePeeked("nobody", (message,), NOW + 9, True))
    task = state.tasks["a"]
    assert (task.state, task.name, task.queue, task.args) == (
        "PENDING", "shop.nap", "nobody", "(1,)",
    )  # fmt: skip
    assert (task.worker, task.elapsed(NOW + 99)) == (None, None)
    assert [attempt.state for attempt in task.attempts] == ["IGNORED"]
    assert state.workers[WORKER].active_ids == {}
    assert state.totals.corrections == {}
    # With `track_started`, the backend keeps the state of the run that was replaced.
    state.observe(ResultsRead((ResultMeta("a", "STARTED"),), NOW + 20, "poll"))
    assert task.state == "PENDING"
    play(Script("a", at=NOW + 30).on(OTHER).received(name="shop.nap").started().events, state)
    assert (task.state, task.worker) == ("STARTED", OTHER)


def test_a_message_returned_to_its_queue_is_redelivered() -> None:
    state = play(Script("a").received().started().events)
    message = WaitingMessage("a", "shop.bill", "celery", "('a',)", "{}")
    seen = QueuePeeked("celery", (message,), NOW + 9, True)
    state.observe(seen)
    assert state.tasks["a"].running, "its worker still has it, as with a short visibility timeout"
    state.observe(InspectReply(WORKER, "active", [], NOW + 8))
    state.observe(seen)
    assert state.tasks["a"].state == "PENDING"
    assert state.totals.corrections == {"redelivered": 1}


@pytest.mark.parametrize("end", ["rejected", "retried", "failed"])
def test_a_message_seen_in_another_queue_is_there(end: str) -> None:
    """Its worker rejected it, and RabbitMQ dead-lettered it; or its retry was sent elsewhere."""
    script = Script("a").sent(queue="first", name="shop.bill").received().started()
    state = play(getattr(script, end)().events)
    task = state.tasks["a"]
    assert task.queue == "first"
    ended_at = task.state_at or 0.0
    message = WaitingMessage("a", "shop.bill", "dead")
    for seen, held, queue in (
        (ended_at, False, "first"),  # it may have been received since
        (ended_at + 9, True, "first"),
        (ended_at + 9, False, "dead"),
    ):
        state.observe(QueuePeeked("dead", (message,), seen, True, held=held))
        assert task.queue == queue
    assert parse_query("queue:dead").matches(task, ended_at)


def test_a_message_that_a_worker_holds_is_received_or_awaits_its_retry() -> None:
    state = ClusterState()
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "geo"}], NOW))
    state.observe(InspectReply(WORKER, "stats", {"uptime": 60}, NOW))
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.observe(QueueMeasured("geo", NOW, 0))
    state.tick(NOW)
    fresh = WaitingMessage("b", "geo.resize", "geo", taken_at=NOW - 5)
    retried = msgspec.structs.replace(WHOLE, taken_at=NOW - 5)
    state.observe(QueuePeeked("", (fresh, retried), NOW, True, held=True))
    tasks = state.tasks
    state.tick(NOW + 1)
    state.tick(NOW + 2)
    assert (tasks["b"].state, tasks["b"].worker) == ("RECEIVED", None)
    assert tasks["b"].received_at == NOW - 5
    assert (tasks["a"].state, tasks["a"].retries, tasks["a"].eta_at) == ("RETRY", 2, NOW + 9)
    assert "" not in state.queues
    # Its worker was killed: the one that consumes the queue now has started since.
    old = WaitingMessage("c", "geo.resize", "geo", taken_at=NOW - 500)
    state.observe(QueuePeeked("", (old,), NOW, True, held=True))
    state.tick(NOW + 3)
    state.tick(NOW + 4)
    assert (tasks["c"].state, tasks["c"].worker) == ("RECEIVED", None)
    for command in ("reserved", "scheduled", "registered"):
        state.observe(InspectReply(WORKER, command, [], NOW + 9))
    state.observe(InspectReply(WORKER, "query_task", {}, NOW + 9, requested_ids=("c",)))
    assert tasks["c"].loss == "worker"
    state.broker.transport = "redis"
    assert state.redelivery_at(tasks["c"]) == NOW - 500 + VISIBILITY_TIMEOUT
    play(Script("b", at=NOW).started().succeeded().events, state)
    state.observe(QueuePeeked("", (fresh,), NOW, True, held=True))
    assert tasks["b"].state == "SUCCESS"


def test_the_message_of_a_running_task_that_is_held_is_acknowledged_late() -> None:
    state = play(Script("a").received().started().events)
    message = WaitingMessage("a", "shop.bill", "celery")
    state.observe(QueuePeeked("", (message,), NOW + 2.5, True, held=True))
    task = state.tasks["a"]
    assert task.extra is None or task.extra.acknowledged is None, "it may have been since"
    state.observe(QueuePeeked("", (message,), NOW + 9, True, held=True))
    assert task.extra is not None and task.extra.acknowledged is False
    assert state.types["shop.bill"].acks_late is True
    assert task.state == "STARTED"
