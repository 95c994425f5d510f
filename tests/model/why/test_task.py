"""Why a task has not started, is still running, or ended: one situation each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from celtop.model.entities.messages.delayed import Delayed, DelayLevel
from celtop.model.entities.task import Loss, Task
from celtop.model.observations import (
    ConnectionChanged,
    ConnectionProved,
    DelayedMeasured,
    InspectReply,
    QuestionsAnswered,
    QueueMeasured,
    QueuePeeked,
    WaitingMessage,
)
from celtop.model.state import ClusterState
from celtop.model.why.answer import Answer, sentence
from celtop.model.why.why import why
from kombu.transport.native_delayed_delivery import calculate_routing_key

from ..streams import NOW, OTHER, WORKER, Script, play

ID = "aaaaaaaa-0000-4000-8000-000000000000"
NAME = "shop.bill"
REPLIES = {
    "stats": {"pool": {"implementation": "celery.concurrency.prefork:TaskPool",
                       "max-concurrency": 2, "processes": [11, 12]}, "prefetch_count": 8},
    "active": [],
    "reserved": [],
    "scheduled": [],
    "active_queues": [{"name": "mail"}],
    "registered": [NAME],
    "conf": {},
}  # fmt: skip


def cluster(replies: dict[str, dict[str, Any]] | None = None, at: float = NOW) -> ClusterState:
    """Return a connected cluster in which all workers have replied to all questions."""
    state = ClusterState()
    state.observe(ConnectionChanged("live", at - 100, transport="redis"))
    state.observe(ConnectionProved(at))
    for worker, own in (replies if replies is not None else {WORKER: {}}).items():
        for command, reply in {**REPLIES, **own}.items():
            state.observe(InspectReply(worker, command, reply, at))
    state.observe(QuestionsAnswered(("workers", "queues", "depths"), at))
    state.tick(at)
    return state


def delayed(binding: str = "#.mail") -> ClusterState:
    """Let the task wait in delayed delivery on RabbitMQ."""
    key = calculate_routing_key(90, "mail")
    script = Script(ID, at=NOW - 1).sent(routing_key=key, queue=None, eta="2023-11-14T22:14:50Z")
    state = play(script.events, cluster())
    state.observe(DelayedMeasured(Delayed((DelayLevel(6, 1),), NOW, (binding,)), NOW))
    return state


def waits(state: ClusterState, before: int = 0, of: int = 1, **fields: Any) -> ClusterState:
    """Let the task wait in the queue `mail`."""
    message = WaitingMessage(ID, fields.pop("name", NAME), "mail", before=before, **fields)
    state.observe(QueueMeasured("mail", NOW, waiting=of))
    state.observe(QueuePeeked("mail", (message,), NOW, complete=False, read=before + 1))
    state.tick(NOW)
    return state


def active(number: int) -> list[dict[str, Any]]:
    return [{"id": f"running-{n}", "name": NAME, "time_start": NOW - 30 - n} for n in range(number)]


def ran(state: ClusterState, seconds: float, times: int = 20) -> ClusterState:
    for number in range(times):
        done = Script(f"done-{number}", NOW - 200).received().started()
        play(done.succeeded(runtime=seconds).events, state, NOW)
    return state


def no_consumers() -> ClusterState:
    return waits(cluster({WORKER: {"active_queues": [{"name": "other"}], "registered": []}}))


def elsewhere() -> ClusterState:
    return waits(cluster({
        WORKER: {"registered": ["shop.other"]},
        OTHER: {"active_queues": [{"name": "bills"}]},
    }))  # fmt: skip


def revoked_in_queue() -> ClusterState:
    state = waits(cluster())
    state.tasks[ID].set_extra(revoke_requested_at=NOW - 5)
    return state


def full(**fields: Any) -> ClusterState:
    return waits(ran(cluster({WORKER: {"active": active(2)}}), 60.0), **fields)


def in_worker(own: dict[str, Any], **fields: Any) -> ClusterState:
    state = cluster({WORKER: own})
    return play(Script(ID, NOW - 6).received(**fields).events, state, NOW)


def reserved_behind() -> ClusterState:
    item = {"id": ID, "name": NAME}
    return in_worker({"active": active(2), "reserved": [item]})


def lost_with_worker() -> ClusterState:
    state = in_worker({"reserved": [{"id": ID, "name": NAME}]})
    beat = {"type": "worker-heartbeat", "hostname": WORKER, "timestamp": NOW, "utcoffset": 0,
            "pid": 7, "clock": 1, "freq": 2.0, "active": 0, "processed": 0}  # fmt: skip
    play([beat], state, NOW)
    state.observe(ConnectionProved(NOW + 60))
    state.tick(NOW + 60)
    return state


def held_by_limit() -> ClusterState:
    state = in_worker({"registered": [f"{NAME} [rate_limit=1/m]"]})
    state.tasks[ID].set_extra(rate_limit="1/m")
    return state


def running(seconds: float = 30.0) -> ClusterState:
    state = ran(cluster(), 10.0)
    item = {"id": ID, "name": NAME, "time_start": NOW - seconds}
    state.observe(InspectReply(WORKER, "active", [item], NOW))
    return state


def retrying() -> ClusterState:
    script = Script(ID, NOW - 8).received().started()
    script.received(retries=1, eta="2023-11-14T22:14:00+00:00").retried()
    return play(script.events, cluster(), NOW)


def finished(how: str, **fields: Any) -> Callable[[], ClusterState]:
    def build() -> ClusterState:
        script = Script(ID, NOW - 8).received().started()
        return play(script.say(how, **fields).events, cluster(), NOW)

    return build


LOST_WORKER = "WorkerLostError('Worker exited prematurely: signal 9 (SIGKILL) Job: 3.')"

SITUATIONS: list[tuple[str, Callable[[], ClusterState], str, str, str]] = [
    ("next", lambda: waits(cluster()), "next", "it is next in mail", ""),
    ("its turn", lambda: waits(cluster(), before=3, of=9), "next",
     "it waits in mail; 3 messages before it", ""),
    ("no consumers", no_consumers, "queue-without-consumers",
     "it waits in mail: 1 message waiting, no consumers", "Start a worker for it"),
    ("no consumers, registered elsewhere",
     lambda: waits(cluster({WORKER: {"active_queues": [{"name": "other"}]}})),
     "queue-without-consumers", "1 message waiting, no consumers",
     "Start a worker for it, or add a consumer"),
    ("not registered", lambda: waits(cluster({WORKER: {"registered": ["shop.other"]}})),
     "type-unregistered", "no consumer has registered shop.bill (celery@one)",
     "Deploy shop.bill to a worker"),
    ("elsewhere", elsewhere, "type-unregistered", "no consumer has registered",
     "Route shop.bill to bills: celery@two has registered it"),
    ("full", lambda: full(before=3, of=4), "consumers-full",
     "whose consumers are full (2 slots busy); 3 messages before it, about 2 m",
     "Add pool processes"),
    ("expired", lambda: waits(cluster(), expires_at=NOW - 60), "expired", "it expired 1 m ago", ""),
    ("eta in queue", lambda: waits(cluster(), eta_at=NOW + 90), "eta",
     "does not run before its ETA in 1 m 30 s", ""),
    ("revoked in queue", revoked_in_queue, "revoked",
     "it was revoked 5 s ago; its message waits in mail until a worker discards it", ""),
    ("reserved, free slot", lambda: in_worker({}), "reserved",
     "it is reserved by celery@one for 5.0 s, 0 of 2 slots busy: it starts next", ""),
    ("reserved behind", reserved_behind, "reserved-behind-others",
     "behind 2 running tasks (2 of 2 slots busy)", "add pool processes"),
    ("delayed", delayed, "eta",
     "it waits in delayed delivery for mail, and does not run before", ""),
    ("delayed for ever", lambda: delayed("#.other"), "delayed-queue-stuck",
     "1 delayed message cannot be delivered", "Restart a worker of the queue"),
    ("eta", lambda: in_worker({}, eta="2023-11-14T22:14:00+00:00"), "eta",
     "it is held by celery@one until its ETA in 40 s", ""),
    ("rate limit", held_by_limit, "rate-limit", "held by its rate limit 1/m on celery@one",
     "Raise the rate limit"),
    ("retry", retrying, "retry", "its next attempt on celery@one is in 40 s, after Again()", ""),
    ("running", lambda: running(5.0), "running",
     "it has been running on celery@one for 5.0 s; 95 % of", ""),
    ("running long", running, "running-long",
     "it has been running on celery@one for 30 s; 95 % of",
     "Check the log of celery@one"),
    ("failed", finished("failed", exception="ValueError('no')", traceback=""), "failed",
     "it failed: ValueError('no'), 5 s ago", "retry"),
    ("killed", finished("failed", exception=LOST_WORKER, traceback=""), "killed",
     "its pool process was killed with SIGKILL (WorkerLostError)", "kernel log of one"),
    ("time limit", finished("failed", exception="TimeLimitExceeded(60,)", traceback=""),
     "time-limit", "it exceeded its hard time limit", "Raise the time limit"),
    ("terminated", finished("revoked", terminated=True, signum=15, expired=False), "terminated",
     "it was revoked and terminated", ""),
    ("expired, discarded", finished("revoked", terminated=False, signum=None, expired=True),
     "expired", "it expired before a worker started it", ""),
    ("succeeded", finished("succeeded", result="1", runtime=2.0), "succeeded",
     "it succeeded in 2.0 s", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("build", "code", "text", "step"),
    [case[1:] for case in SITUATIONS],
    ids=[case[0] for case in SITUATIONS],
)
def test_a_task(build: Callable[[], ClusterState], code: str, text: str, step: str) -> None:
    answer = ask(build())
    assert (answer.code, text in answer.text) == (code, True), answer
    assert step in answer.next_step if step else not answer.next_step or code == "expired", answer


def ask(state: ClusterState, at: float = NOW) -> Answer:
    answer = why(state, ID, at)
    assert answer is not None
    return answer


def test_the_message_of_a_lost_worker_is_redelivered() -> None:
    answer = ask(lost_with_worker(), NOW + 60)
    assert answer.code == "held-by-lost-worker"
    assert "but that worker is lost: last seen 1 m ago; its message will be redelivered in" in (
        answer.text
    )


def test_a_message_that_was_not_read_is_behind_those_that_were() -> None:
    state = cluster()
    state.observe(QueueMeasured("mail", NOW, waiting=5_000))
    other = WaitingMessage("other", NAME, "mail", before=0)
    state.observe(QueuePeeked("mail", (other,), NOW, complete=False, read=2_000))
    play(Script(ID, NOW - 9).sent(queue="mail").events, state, NOW)
    assert "at least 2,000 messages before it" in ask(state).text


def test_evidence_has_its_age_and_unknown_slots_are_named() -> None:
    state = waits(cluster({WORKER: {"stats": {}, "active": []}}), before=3, of=9)
    texts = {one.text: one.at for one in ask(state).evidence}
    assert texts["9 messages waiting"] == NOW
    assert texts["consumers: celery@one"] == NOW
    assert "slots of celery@one are unknown" in texts
    assert "s before it" not in ask(state).text.partition("messages before it")[2]


def test_a_blocked_broker_is_the_reason() -> None:
    from celtop.model.entities.fault import Fault

    state = waits(cluster())
    state.observe(ConnectionChanged("blocked", NOW, Fault("alarm", "memory alarm", "Free memory")))
    assert ask(state).code == "broker-blocked"


def test_a_name_at_the_beginning_of_a_sentence_stays_as_it_is() -> None:
    assert sentence("it is next in mail") == "It is next in mail."
    assert sentence("shop.bill was started 3 times") == "shop.bill was started 3 times."


def test_an_unknown_name_has_no_answer() -> None:
    assert why(cluster(), "nothing", NOW) is None


def test_a_task_of_which_only_the_id_is_known() -> None:
    state = cluster()
    state.tasks[ID] = Task(ID)
    assert ask(state).code == "queue-unknown"


def test_a_message_that_is_in_no_queue_does_not_wait() -> None:
    state = cluster()
    play(Script(ID, NOW - 9).sent(queue="mail").events, state, NOW)
    state.observe(QueueMeasured("mail", NOW - 8, waiting=0))
    assert ask(state).code != "not-in-queue", "it may have been measured before it was sent"
    state.observe(QueueMeasured("mail", NOW, waiting=0))
    assert ask(state).code == "not-in-queue"
    assert "waits" not in ask(state).text


@pytest.mark.parametrize(
    ("started", "loss", "text", "step"),
    [
        (False, "emptied", "it is lost: its queue was emptied", "Retry it if it must run"),
        (False, "unheard", "it is lost: its message is no longer in the queue", "may have run"),
        (True, "worker", f"no worker runs it any longer: lost with {WORKER}", "Retry it if"),
        (True, "unheard", "no worker runs it any longer: no final event received", "may have run"),
    ],
)
def test_a_retry_of_a_lost_task_is_advised_unless_it_may_have_run(
    started: bool, loss: Loss, text: str, step: str
) -> None:
    script = Script(ID, NOW - 9).sent(queue="mail")
    state = play((script.received().started() if started else script).events, cluster(), NOW)
    state._tasks.mark_lost(state.tasks[ID], NOW, loss)
    answer = ask(state)
    assert answer.code == "lost" and text in answer.text and step in answer.next_step


def test_a_running_task_without_an_earlier_run_has_nothing_to_compare_with() -> None:
    state = cluster()
    play(Script(ID, NOW - 9).sent(queue="mail").received().started().events, state, NOW)
    assert ask(state).text.endswith("; no finished run of shop.bill is known")
