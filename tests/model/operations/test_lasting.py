"""What undoes an operation, and which changes are in force."""

from __future__ import annotations

from celtop.model.entities.queue import Pause, Queue
from celtop.model.entities.worker import Limits, Worker, WorkerQueue
from celtop.model.operations.commands import (
    AddConsumer,
    CancelConsumer,
    Consumer,
    Drain,
    Operation,
    PauseQueue,
    Ping,
    RateLimit,
    ResumeQueue,
    TimeLimit,
)
from celtop.model.operations.inverse import inverse
from celtop.model.operations.kept_change import KeptChange
from celtop.model.operations.lasting import lasting
from celtop.model.operations.outcome import Outcome

BOTH = ("w1", "w2")


def workers(**limits: Limits) -> dict[str, Worker]:
    """Return two workers that consume `mail`; the limits of task `t` by worker."""
    found = {}
    for name in BOTH:
        worker = found[name] = Worker(name)
        worker.queues = (WorkerQueue("mail", "mail", "direct", "mail"),)
        worker.initial_limits = {}
        if name in limits:
            worker.limits = {"t": limits[name]}
    return found


def in_force(now: dict[str, Worker], *operations: Operation) -> list[str]:
    """Return the texts of the changes, as of workers that had no limits before."""
    before = workers()
    outcomes = {
        number: Outcome(number, one, 0.0, inverse=inverse(one, before))
        for number, one in enumerate(operations)
    }
    return [change.text for change in lasting(outcomes, (), {}, now)]


def test_a_rate_limit_is_undone_by_the_previous_one_of_each_worker() -> None:
    before = workers(w1=Limits(rate="100/m"))
    assert inverse(RateLimit(workers=BOTH, task="t", rate="10/m"), before) == (
        RateLimit(workers=("w1",), task="t", rate="100/m"),
        RateLimit(workers=("w2",), task="t", rate="0"),
    )


def test_a_worker_whose_limits_are_unknown_or_the_same_is_left_out() -> None:
    before = workers(w1=Limits(rate="10/m"))
    before["w2"].initial_limits = None
    assert inverse(RateLimit(workers=BOTH, task="t", rate="10/m"), before) == ()


def test_time_limits_are_undone_together() -> None:
    before = workers(w1=Limits(soft=5.0), w2=Limits(soft=5.0))
    assert inverse(TimeLimit(workers=BOTH, task="t", soft=None, hard=9.0), before) == (
        TimeLimit(workers=BOTH, task="t", soft=5.0, hard=None),
    )


def test_a_cancelled_consumer_is_added_with_its_exchange_and_key() -> None:
    before = workers()
    before["w2"].queues = ()
    assert inverse(CancelConsumer(workers=BOTH, queue="mail"), before) == (
        AddConsumer(
            workers=("w1",),
            queue="mail",
            exchange="mail",
            exchange_type="direct",
            routing_key="mail",
        ),
    )


def test_an_added_consumer_is_cancelled_where_it_was_new() -> None:
    before = workers()
    before["w2"].queues = ()
    assert inverse(AddConsumer(workers=BOTH, queue="mail"), before) == (
        CancelConsumer(workers=("w2",), queue="mail"),
    )


def test_nothing_undoes_a_question() -> None:
    assert inverse(Ping(workers=BOTH), workers()) == ()


def test_an_operation_that_undoes_another_has_no_inverse() -> None:
    before = workers(w1=Limits(rate="100/m"), w2=Limits(rate="100/m"))
    undo = inverse(RateLimit(workers=BOTH, task="t", rate="10/m"), before)
    now = workers(w1=Limits(rate="10/m"), w2=Limits(rate="10/m"))
    for names in (BOTH, ("w1",)):
        assert inverse(RateLimit(workers=names, task="t", rate="100/m"), now, [undo]) == ()
    for names, rate in ((("w1", "w3"), "100/m"), (BOTH, "7/m")):
        assert inverse(RateLimit(workers=names, task="t", rate=rate), now, [undo]) != ()


def test_only_workers_that_still_have_a_change_are_named_and_undone() -> None:
    cancel, before, now = CancelConsumer(workers=BOTH, queue="mail"), workers(), workers()
    now["w2"].queues = ()
    outcome = Outcome(1, cancel, 0.0, inverse=inverse(cancel, before))
    (change,) = lasting({1: outcome}, (), {}, now)
    assert change.text == "mail not consumed by w2"
    (add,) = change.inverse
    assert isinstance(add, AddConsumer) and add.workers == ("w2",)


def test_kept_changes_are_in_force_like_those_of_this_session_in_the_order_of_time() -> None:
    def limit(task: str) -> RateLimit:
        return RateLimit(workers=("w1",), task=task, rate="10/m")

    now = workers()
    now["w1"].limits = dict.fromkeys("tuv", Limits(rate="10/m"))
    own = Outcome(1, limit("t"), 5.0, inverse=inverse(limit("t"), workers()))
    kept = [
        KeptChange(limit(task), inverse(limit(task), workers()), at)
        for task, at in (("u", 3.0), ("t", 5.0), ("v", 7.0), ("gone", 8.0))
    ]
    changes = lasting({1: own}, kept, {}, now)
    assert [one.badge for one in changes] == ["u limited", "t limited", "v limited"]
    assert changes[-1].inverse == (RateLimit(workers=("w1",), task="v", rate="0"),)


def test_a_limit_is_in_force_while_a_worker_has_it() -> None:
    limit = RateLimit(workers=BOTH, task="t", rate="10/m")
    assert in_force(workers(w2=Limits(rate="10/m")), limit) == ["t limited to 10/m"]
    assert in_force(workers(), limit) == []


def test_a_cancelled_consumer_is_in_force_until_the_worker_consumes_again() -> None:
    cancel, now = CancelConsumer(workers=("w1",), queue="mail"), workers()
    assert in_force(now, cancel) == []
    now["w1"].queues = ()
    assert in_force(now, cancel) == ["mail not consumed by w1"]
    now["w1"].queues = None
    assert in_force(now, cancel) == []


def test_a_paused_queue_is_resumed_and_stands_where_it_was_paused() -> None:
    limit = RateLimit(workers=("w1",), task="t", rate="10/m")
    pause = PauseQueue(queue="mail", consumers=(Consumer("w1"),))
    old = PauseQueue(queue="old", consumers=(Consumer("w9"),))
    undo = inverse(limit, workers())
    outcomes = {1: Outcome(1, limit, 0.0, inverse=undo), 2: Outcome(2, pause, 1.0)}
    changes = lasting(
        outcomes,
        (),
        {"mail": pause, "old": old},
        workers(w1=Limits(rate="10/m")),
    )
    assert [one.text for one in changes] == ["old paused", "t limited to 10/m", "mail paused on w1"]
    assert changes[-1].inverse == (ResumeQueue(queue="mail", consumers=pause.consumers),)


def test_a_pause_names_its_workers_if_others_consume_the_queue() -> None:
    consumer = Consumer(worker="w1", exchange="mail", exchange_type="direct", routing_key="mail")
    paused = {"mail": PauseQueue(queue="mail", consumers=(consumer,))}
    now = workers()
    assert [one.text for one in lasting({}, (), paused, now)] == ["mail paused on w1"]
    del now["w2"]
    assert [one.text for one in lasting({}, (), paused, now)] == ["mail paused"]


def test_a_drain_stands_for_the_queues_of_its_workers_while_it_is_running() -> None:
    paused = {
        name: PauseQueue(queue=name, consumers=tuple(Consumer(one) for one in consumers))
        for name, consumers in {"mail": ("w1",), "both": BOTH, "by_hand": ("w1",)}.items()
    }
    queues = {"by_hand": Queue("by_hand", pause=Pause(("w1",)))}
    drain = Outcome(1, Drain(workers=("w1",)), 0.0)
    changes = lasting({1: drain}, (), paused, workers(), queues)
    assert [(one.text, one.drain) for one in changes] == [
        ("both paused", None),
        ("by_hand paused", None),
        ("w1 draining", 1),
    ]
    ended = Outcome(1, drain.operation, 0.0, ended_at=1.0)
    assert len(lasting({1: ended}, (), paused, workers(), queues)) == 3
