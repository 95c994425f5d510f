"""Slots, backlog and run times of queues, from their consumers and latest tasks."""

from __future__ import annotations

from math import inf
from typing import Any

from celtop.model.entities.queue import Queue
from celtop.model.observations import InspectReply, QuestionsAnswered, QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, OTHER, WORKER, Script, play


def request(id_: str, queue: str) -> dict[str, Any]:
    return {"id": id_, "name": "shop.bill", "delivery_info": {"routing_key": queue}}


def worker(
    state: ClusterState,
    name: str,
    queues: tuple[str, ...],
    reserved: tuple[tuple[str, str], ...] = (),
    slots: int = 4,
    running: int = 0,
) -> None:
    active = [request(f"{name}-{n}", queues[0]) for n in range(running)]
    replies: dict[str, Any] = {
        "stats": {"pool": {"max-concurrency": slots, "processes": list(range(slots))}},
        "active_queues": [{"name": queue} for queue in queues],
        "active": active,
        "reserved": [request(id_, queue) for id_, queue in reserved],
        "scheduled": [],
    }
    for command, reply in replies.items():
        state.observe(InspectReply(name, command, reply, NOW))


def cluster() -> ClusterState:
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    return state


def measured(state: ClusterState, name: str, waiting: int | None) -> Queue:
    state.observe(QueueMeasured(name, NOW, waiting))
    state.tick(NOW + 1)
    return state.queues[name]


def test_slots_of_workers_with_several_queues_are_shared() -> None:
    state = cluster()
    worker(state, WORKER, ("mail",), running=3)
    worker(state, OTHER, ("mail", "bill"), running=1)
    mail = measured(state, "mail", 5)
    assert (mail.slots_busy, mail.slots_total, mail.slots_shared) == (4, 8, True)
    bill = state.queues["bill"]
    assert (bill.slots_busy, bill.slots_total, bill.slots_shared) == (1, 4, True)


def test_the_backlog_includes_what_waits_in_workers() -> None:
    state = cluster()
    worker(state, WORKER, ("mail",), reserved=(("a", "mail"), ("b", "mail")))
    worker(state, OTHER, ("mail", "bill"), reserved=(("c", "mail"), ("d", "bill"), ("e", "bill")))
    mail = measured(state, "mail", 10)
    assert (mail.reserved, mail.backlog) == (3, 13)
    assert state.queues["bill"].reserved == 2
    assert state.queues["bill"].backlog is None  # not measured


def test_without_the_reserved_tasks_of_a_consumer_the_backlog_is_unknown() -> None:
    state = cluster()
    worker(state, WORKER, ("mail",))
    state.observe(InspectReply(OTHER, "active_queues", [{"name": "mail"}], NOW))
    mail = measured(state, "mail", 10)
    assert (mail.slots_busy, mail.slots_total, mail.backlog) == (None, None, None)


def test_a_queue_without_consumers_has_no_slots() -> None:
    state = cluster()
    lonely = measured(state, "lonely", 10)
    assert (lonely.slots_busy, lonely.slots_total, lonely.backlog) == (0, 0, 10)
    assert lonely.capacity == 0.0


def test_the_run_time_is_that_of_its_latest_tasks() -> None:
    state = cluster()
    for number, runtime in enumerate((1.0, 2.0, 3.0)):
        script = Script(f"t{number}").sent(queue="mail").received().started()
        play(script.succeeded(runtime=runtime).events, state)
    play(Script("t9").sent(queue="mail").received().events, state)  # 2 s, like its type
    mail = measured(state, "mail", 1)
    assert mail.runtime == 2.0


def test_more_processes_empty_a_queue_sooner() -> None:
    queue = Queue("mail", waiting=100, in_per_s=5.0, out_per_s=3.0, runtime=2.0, slots_total=6)
    assert queue.capacity == 3.0
    assert queue.drain == float("inf")
    assert (queue.more_processes(inf), queue.more_processes(50.0)) == (4, 8)
    queue.out_per_s = 6.0
    assert (queue.drain, queue.more_processes(inf)) == (100.0, 0)
    queue.in_per_s, queue.runtime = 5.0, None
    assert queue.more_processes(inf) is None
