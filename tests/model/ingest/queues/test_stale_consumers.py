"""Workers that seem to consume other queues than they reported."""

from __future__ import annotations

from celtop.model.entities.queue import Pause
from celtop.model.ingest.queues.stale_consumers import MAX_RECHECK_DELAY, MIN_RECHECK_DELAY
from celtop.model.observations import InspectReply, QueueMeasured, QueuesPaused
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, OTHER, WORKER, Script, play


def consume(state: ClusterState, *names: str, worker: str = WORKER) -> None:
    queues = [{"name": name} for name in names]
    state.observe(InspectReply(worker, "active_queues", queues, NOW))


def receive(state: ClusterState, id_: str, queue: str) -> None:
    play(Script(id_).sent(queue=queue).received().events, state)


def test_a_task_of_a_queue_that_the_worker_is_not_known_to_consume() -> None:
    state = ClusterState()
    receive(state, "a", "mail")
    assert state.take_stale_consumers(NOW) == (), "its queues are still unknown"
    consume(state, "mail", "geo")
    receive(state, "b", "mail")
    assert state.take_stale_consumers(NOW) == ()
    receive(state, "c", "reports")
    assert state.take_stale_consumers(NOW) == (WORKER,)
    assert state.take_stale_consumers(NOW + 60) == ()


def test_a_consumed_queue_that_grows_while_nothing_leaves_it() -> None:
    state = ClusterState()
    consume(state, "mail")
    consume(state, "mail", worker=OTHER)
    for at, waiting in enumerate((3, 3, 2)):
        state.observe(QueueMeasured("mail", NOW + at, waiting))
    assert state.take_stale_consumers(NOW) == ()
    state.observe(QueueMeasured("mail", NOW + 5, 4))
    assert state.take_stale_consumers(NOW + 5) == (WORKER, OTHER)


def test_a_queue_that_grows_although_tasks_leave_it() -> None:
    state = ClusterState()
    consume(state, "mail")
    state.observe(QueueMeasured("mail", NOW - 5, 3))
    receive(state, "a", "mail")
    state.observe(QueueMeasured("mail", NOW + 1, 9))
    assert state.take_stale_consumers(NOW) == ()


def test_another_number_of_consumers_by_the_broker() -> None:
    state = ClusterState()
    consume(state, "mail", "geo")
    state.observe(QueueMeasured("mail", NOW, 0, consumer_count=1))
    assert state.take_stale_consumers(NOW) == ()
    state.observe(QueueMeasured("mail", NOW, 0, consumer_count=0))
    assert state.take_stale_consumers(NOW) == (WORKER,)
    state.observe(QueueMeasured("new", NOW, 0, consumer_count=1))
    assert state.take_stale_consumers(NOW + MIN_RECHECK_DELAY) == (WORKER,)


def test_a_queue_that_another_celtop_has_paused_and_resumed() -> None:
    state = ClusterState()
    consume(state, "mail", "geo")
    consume(state, "mail", worker=OTHER)
    state.observe(QueuesPaused({"mail": Pause((WORKER,), NOW)}, NOW))
    state.tick(NOW)
    assert state.take_stale_consumers(NOW) == (WORKER,)
    state.tick(NOW + MIN_RECHECK_DELAY)
    again = state.take_stale_consumers(NOW + MIN_RECHECK_DELAY)
    assert again == (WORKER,), "it was asked before its consumer was cancelled"
    consume(state, "geo")
    state.tick(NOW + 20)
    assert state.take_stale_consumers(NOW + 20) == (), "its reply is up to date"
    state.observe(QueuesPaused({}, NOW + 30))
    assert state.take_stale_consumers(NOW + 30) == (WORKER,)


def test_a_worker_that_was_asked_lately_is_asked_again_later() -> None:
    state = ClusterState()
    consume(state, "mail")
    receive(state, "a", "geo")
    assert state.take_stale_consumers(NOW) == (WORKER,)
    receive(state, "b", "geo")
    assert state.take_stale_consumers(NOW + 1) == ()
    assert state.take_stale_consumers(NOW + MIN_RECHECK_DELAY) == (WORKER,)
    receive(state, "c", "geo")
    consume(state, "mail")
    assert state.take_stale_consumers(NOW + 60) == (), "it has replied since"


def test_a_worker_whose_reply_was_up_to_date_is_asked_less_and_less() -> None:
    state = ClusterState()
    consume(state, "mail", "geo")
    asked, at = [], NOW
    while at < NOW + 4 * MAX_RECHECK_DELAY:
        receive(state, f"{at}", "reports")
        asked += [at] * len(state.take_stale_consumers(at))
        at += 1
    assert len(asked) < 12
    consume(state, "mail", "reports", "geo")
    receive(state, "other", "music")
    assert state.take_stale_consumers(at) == (WORKER,), "its queues have changed"
