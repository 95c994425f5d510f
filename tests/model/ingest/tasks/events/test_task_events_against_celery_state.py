"""Compares the merge with `celery.events.state.State`, on streams in any order.

Where Celery's is right, both must agree. Each of its known faults is a function here that
recognises a stream which meets it, and has a test of its own that shows what is right.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from celery.events.state import State
from celtop.model.entities.states import FINISHED
from hypothesis import given
from hypothesis import strategies as st

from ....streams import NOW, OTHER, WORKER, Fields, Script, play

FINAL = ("task-succeeded", "task-failed", "task-revoked", "task-rejected")
BEGIN = ("task-received", "task-started")


def times(events: list[Fields], *types: str) -> list[float]:
    return [fields["timestamp"] for fields in events if fields["type"] in types]


def disordered(events: list[Fields]) -> bool:
    stamps = [fields["timestamp"] for fields in events]
    return stamps != sorted(set(stamps))


# The known faults of State: each returns whether a stream triggers it.


def custom_outranks_revoked(events: list[Fields]) -> bool:
    """A custom state never gives way to REVOKED or REJECTED."""
    return bool(times(events, "task-progress") and times(events, "task-revoked", "task-rejected"))


def received_outranks_rejected(events: list[Fields]) -> bool:
    """RECEIVED and STARTED never give way to REJECTED."""
    return bool(times(events, *BEGIN) and times(events, "task-rejected"))


def end_outranks_new_run(events: list[Fields]) -> bool:
    """A task that ended never begins again, whether delivered again or run again."""
    ends, begins = times(events, *FINAL), times(events, *BEGIN)
    return bool(ends and begins) and max(begins) > min(ends)


def success_outranks_terminated(events: list[Fields]) -> bool:
    """A terminated task whose greenlet reports success counts as succeeded."""
    return bool(times(events, "task-succeeded") and times(events, "task-revoked"))


def run_outranks_redelivery(events: list[Fields]) -> bool:
    """A task that runs stays STARTED when it is received or started again, until it retries."""
    if times(events, "task-retried") and not disordered(events):
        last = max(i for i, fields in enumerate(events) if fields["type"] == "task-retried")
        events = events[last:]
    received, started = set(times(events, "task-received")), set(times(events, "task-started"))
    again = len(received) > 1 or len(started) > 1
    return again or bool(received and started and max(received) > min(started))


def one_record_for_all_attempts(events: list[Fields]) -> bool:
    """Fields that the current attempt has not set keep the values of an earlier attempt.

    A task that starts after a retry is in its next attempt, even without an event about that.
    """
    return bool(times(events, "task-retried"))


def retry_gives_way_to_anything(events: list[Fields]) -> bool:
    """What comes late after a retry takes the task backwards."""
    return bool(times(events, "task-retried")) and disordered(events)


def late_repetition_sets_times_back(events: list[Fields]) -> bool:
    """A time is always that of the event that came last, not of the latest."""
    for type_ in {fields["type"] for fields in events}:
        stamps = times(events, type_)
        if len(set(stamps)) > 1 and stamps != sorted(stamps):
            return True
    return False


def late_event_sets_timestamp_back(events: list[Fields]) -> bool:
    """An event that comes late moves no state, but sets the state's time to its own."""
    return disordered(events)


FAULTS: tuple[Callable[[list[Fields]], bool], ...] = (
    custom_outranks_revoked,
    received_outranks_rejected,
    end_outranks_new_run,
    success_outranks_terminated,
    run_outranks_redelivery,
    retry_gives_way_to_anything,
    late_repetition_sets_times_back,
)

LIVES: dict[str, Callable[[Script], Script]] = {
    "succeeds": lambda s: s.sent().received().started().succeeded(),
    "succeeds unseen by its client": lambda s: s.received().started().succeeded(),
    "fails": lambda s: s.sent().received().started().failed(),
    "still runs": lambda s: s.sent().received().started(),
    "still waits": lambda s: s.sent().received(),
    "was only sent": lambda s: s.sent(),
    "ignored": lambda s: s.received().started(),
    "retries and succeeds": lambda s: (
        s.received().started().received(1).retried().started().succeeded()
    ),
    "retries and fails": lambda s: (
        s.sent()
        .received()
        .started()
        .retried()
        .received(1)
        .started()
        .received(2)
        .retried()
        .started()
        .failed()
    ),
    "waits for its retry": lambda s: s.received().started().received(1).retried(),
    "revoked while waiting": lambda s: s.sent().received().revoked(),
    "expired": lambda s: s.sent().revoked(expired=True),
    "terminated": lambda s: s.received().started().revoked(terminated=True, signum=15),
    "rejected": lambda s: s.received().started().rejected(),
    "reports progress": lambda s: (
        s.received().started().progress(current=1, total=3).progress(current=2, total=3).succeeded()
    ),
    "reports progress and fails": lambda s: s.received().started().progress(progress=5).failed(),
    "terminated in progress": lambda s: (
        s.received().started().progress(current=1, total=3).revoked(terminated=True, signum=9)
    ),
    "hard time limit": lambda s: (
        s.received().started().failed().failed(exception="ExceptionWithTraceback()")
    ),
    "delivered again": lambda s: s.received().started().received().started().succeeded(),
    "run again after a failure": lambda s: (
        s.received().started().failed().received().started().succeeded()
    ),
    "run again after success": lambda s: s.received().started().succeeded().received().started(),
    "killed greenlet": lambda s: s.received().started().revoked(terminated=True).succeeded(),
    "killed eventlet": lambda s: s.received().started().succeeded().revoked(terminated=True),
}


def oracle(events: list[Fields]) -> State:
    state = State()
    for fields in events:
        state.event({**fields, "local_received": NOW})
    return state


def known_faults(events: list[Fields]) -> list[str]:
    return [fault.__name__ for fault in FAULTS if fault(events)]


def view_of_oracle(task: Any) -> dict[str, Any]:
    ended = {
        "SUCCESS": task.succeeded,
        "FAILURE": task.failed,
        "REVOKED": task.revoked,
        "REJECTED": task.rejected,
    }
    return {
        "state": task.state,
        "state_at": task.timestamp,
        "worker": task.worker.hostname if task.worker else None,
        "name": task.name,
        "args": task.args,
        "retries": task.retries or 0,
        "sent_at": task.sent,
        "received_at": task.received,
        "started_at": task.started,
        "finished_at": ended.get(task.state),
        "result": task.result,
    }


def view_of_ours(task: Any, like: dict[str, Any]) -> dict[str, Any]:
    view = {name: getattr(task, name) for name in like}
    if task.state not in FINISHED:
        view["finished_at"] = None
    return view


@st.composite
def streams(draw: st.DrawFn) -> list[Fields]:
    """The events of a few tasks, mingled, and perhaps shuffled, repeated and cut."""
    lives = draw(st.lists(st.sampled_from(sorted(LIVES)), min_size=1, max_size=4))
    events: list[Fields] = []
    for number, life in enumerate(lives):
        start = NOW + draw(st.integers(0, 5)) + number / 100
        worker = draw(st.sampled_from((WORKER, OTHER)))
        events += LIVES[life](Script(f"task-{number}", start, worker=worker)).events
    events.sort(key=lambda fields: fields["timestamp"])
    chance = draw(st.randoms(use_true_random=False))
    if draw(st.booleans()):
        events = [fields for fields in events if chance.random() > 0.2]
    if draw(st.booleans()):
        events += chance.sample(events, len(events) // 3)
        events.sort(key=lambda fields: fields["timestamp"])
    reach = draw(st.sampled_from((0, 2, 100)))
    places = {id(fields): i for i, fields in enumerate(events)}
    return sorted(events, key=lambda fields: places[id(fields)] + chance.uniform(0, reach))


def recount(state: Any) -> tuple[dict[str, int], int, dict[str, dict[str, int]]]:
    by_state: dict[str, int] = {}
    by_type: dict[str, dict[str, int]] = {}
    for task in state.tasks.values():
        by_state[task.state] = by_state.get(task.state, 0) + 1
        if task.name is not None:
            counts = by_type.setdefault(task.name, {})
            counts[task.state] = counts.get(task.state, 0) + 1
    return by_state, sum(task.text_bytes for task in state.tasks.values()), by_type


@given(streams())
def test_agrees_with_celery_except_for_its_known_faults(events: list[Fields]) -> None:
    theirs, ours = oracle(events), play(events)
    assert set(ours.tasks) == set(theirs.tasks)
    assert set(ours.workers) == set(theirs.workers)
    for uuid, task in ours.tasks.items():
        saw_event = [fields for fields in events if fields["uuid"] == uuid]
        if known_faults(saw_event):
            continue
        expected = view_of_oracle(theirs.tasks[uuid])
        if late_event_sets_timestamp_back(saw_event):
            del expected["state_at"]
        if one_record_for_all_attempts(saw_event):
            del expected["retries"]
            expected = {
                name: value
                for name, value in expected.items()
                if name not in ("received_at", "started_at") or getattr(task, name) is not None
            }
        assert view_of_ours(task, expected) == expected, saw_event
    by_state, text_bytes, by_type = recount(ours)
    assert ours.totals.by_state == by_state
    assert ours.totals.text_bytes == text_bytes
    assert {name: kind.states for name, kind in ours.types.items() if kind.states} == by_type


@given(st.sampled_from(sorted(LIVES)), st.randoms(use_true_random=False), st.booleans())
def test_the_events_of_one_host_give_the_same_state_in_any_order(
    life: str, chance: random.Random, repeated: bool
) -> None:
    events = LIVES[life](Script("a")).events
    straight = play(events).tasks["a"]
    shuffled = events * 2 if repeated else list(events)
    chance.shuffle(shuffled)
    task = play(shuffled).tasks["a"]
    assert (task.state, task.state_at) == (straight.state, straight.state_at), shuffled
    assert task.finished_at == straight.finished_at


@pytest.mark.parametrize("life", sorted(LIVES))
def test_repeated_events_change_nothing(life: str) -> None:
    events = LIVES[life](Script("a")).events
    once = play(events).tasks["a"]
    twice = play([fields for fields in events for _ in range(2)]).tasks["a"]
    for name in ("state", "state_at", "attempts", "started_at", "finished_at", "received_at"):
        assert getattr(once, name) == getattr(twice, name), name


# What is right where State is not.


def states(script: Script) -> tuple[str, str]:
    return oracle(script.events).tasks["a"].state, play(script.events).tasks["a"].state


def test_custom_outranks_revoked() -> None:
    script = Script("a").received().started().progress(current=1).revoked(terminated=True)
    assert custom_outranks_revoked(script.events)
    assert states(script) == ("PROGRESS", "REVOKED")


def test_received_outranks_rejected() -> None:
    script = Script("a").received().rejected()
    assert received_outranks_rejected(script.events)
    assert states(script) == ("RECEIVED", "REJECTED")


def test_end_outranks_new_run() -> None:
    delivered_again = Script("a").received().started().failed().received().started()
    run_again = Script("a").received().started().succeeded().received().started()
    assert end_outranks_new_run(delivered_again.events)
    assert states(delivered_again) == ("FAILURE", "STARTED")
    assert states(run_again) == ("SUCCESS", "STARTED")


def test_success_outranks_terminated() -> None:
    killed_greenlet = Script("a").received().started().revoked(terminated=True).succeeded()
    assert success_outranks_terminated(killed_greenlet.events)
    assert states(killed_greenlet) == ("SUCCESS", "REVOKED")
    killed_eventlet = Script("a").received().started().succeeded().revoked(terminated=True)
    assert states(killed_eventlet) == ("SUCCESS", "REVOKED")


def test_run_outranks_redelivery() -> None:
    script = Script("a").received().started().on(OTHER).received()
    assert run_outranks_redelivery(script.events)
    assert states(script) == ("STARTED", "RECEIVED")
    attempt = play(script.events).tasks["a"].attempts[0]
    assert (attempt.worker, attempt.state) == (WORKER, "STARTED")


def test_one_record_for_all_attempts() -> None:
    script = Script("a").received().started().received(1).retried()
    assert one_record_for_all_attempts(script.events)
    assert oracle(script.events).tasks["a"].started == script.events[1]["timestamp"]
    task = play(script.events).tasks["a"]
    assert task.started_at is None
    assert task.attempts[0].started_at == script.events[1]["timestamp"]


def test_retry_gives_way_to_anything() -> None:
    script = Script("a").received().started().retried()
    late = [*script.events[1:], script.events[0]]
    assert retry_gives_way_to_anything(late)
    assert oracle(late).tasks["a"].state == "RECEIVED"
    assert play(late).tasks["a"].state == "RETRY"


def test_late_event_sets_timestamp_back() -> None:
    script = Script("a").received().started().succeeded()
    late = [script.events[0], script.events[2], script.events[1]]
    assert late_event_sets_timestamp_back(late)
    assert oracle(late).tasks["a"].timestamp == script.events[1]["timestamp"]
    assert play(late).tasks["a"].state_at == script.events[2]["timestamp"]


def test_late_repetition_sets_times_back() -> None:
    script = Script("a").received().started().failed().failed()
    late = [*script.events[:2], script.events[3], script.events[2]]
    assert late_repetition_sets_times_back(late)
    assert oracle(late).tasks["a"].failed == script.events[2]["timestamp"]
    assert play(late).tasks["a"].finished_at == script.events[3]["timestamp"]
