"""A queue: whether it is paused."""

from __future__ import annotations

from celtop.model.entities.queue import Pause, Queue


def test_a_queue_of_a_drained_worker_is_not_paused_while_others_consume_it() -> None:
    queue = Queue("q", pause=Pause(("w1",), drained=True))
    assert queue.paused
    queue.receivers = frozenset({"w2"})
    assert not queue.paused


def test_a_queue_is_paused_until_all_its_paused_workers_consume_it_again() -> None:
    queue = Queue("q", pause=Pause(("w1", "w2")), receivers=frozenset({"w1", "w3"}))
    assert queue.paused
    queue.receivers = frozenset({"w1", "w2"})
    assert not queue.paused
