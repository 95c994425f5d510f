"""Inspect replies fill in missing fields and only move tasks forward."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.export.encoding.json import encode
from celtop.export.snapshot.snapshot import take_snapshot
from celtop.model.entities.states import FROM_EVENT, FROM_INSPECT
from celtop.model.entities.worker import Limits, WorkerQueue
from celtop.model.ingest.redaction import Redaction
from celtop.model.ingest.workers.worker_store import FINAL_EVENT_DELAY
from celtop.model.observations import InspectReply
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from hypothesis import given
from hypothesis import strategies as st

from ...streams import NOW, OTHER, WORKER, Script, event, play

COMMANDS = (
    "stats", "active", "reserved", "scheduled", "query_task", "registered", "active_queues",
    "conf", "ping", "enable_events", "disable_events", "no such command",
)  # fmt: skip


def observe_reply(
    command: str,
    reply: Any,
    state: ClusterState | None = None,
    at: float = NOW,
    worker: str = WORKER,
) -> ClusterState:
    state = state or ClusterState()
    state.observe(InspectReply(worker, command, reply, at))
    return state


def item(id_: str = "a", time_start: float | None = NOW - 5, **fields: Any) -> dict[str, Any]:
    delivery = {"exchange": "", "routing_key": "mail", "priority": 3, "redelivered": False}
    common = {"id": id_, "name": "shop.bill", "args": [1, "b"], "kwargs": {"c": None}}
    ran = {"time_start": time_start, "acknowledged": True, "worker_pid": 77}
    return {**common, **ran, "hostname": WORKER, "delivery_info": delivery, **fields}


def test_a_running_task_without_events() -> None:
    state = observe_reply("active", [item()])
    task = state.tasks["a"]
    assert (task.state, task.started_at, task.worker) == ("STARTED", NOW - 5, WORKER)
    assert (task.args, task.kwargs, task.queue) == ("(1, 'b')", "{'c': None}", "mail")
    assert task.extra is not None
    assert (task.extra.pid, task.extra.priority, task.extra.acknowledged) == (77, 3, True)
    assert task.sources == FROM_INSPECT
    assert list(state.workers[WORKER].active_ids) == ["a"]
    assert state.totals.by_state == {"STARTED": 1}
    assert state.totals.text_bytes == task.text_bytes


@pytest.mark.parametrize(
    ("reported_at", "queues", "expected"),
    [
        (NOW - 9, ["only"], "only"),
        (NOW - 9, ["only", "first"], "first"),
        (NOW - 9, ["only", "other"], "first"),
        (NOW + 1, ["only"], "first"),
    ],
    ids=["dead-lettered", "consumes it by now", "unclear", "no longer consumed it then"],
)
def test_the_queue_of_a_task_is_the_only_one_of_a_worker_that_does_not_consume_its_own(
    reported_at: float, queues: list[str], expected: str
) -> None:
    state = observe_reply("active_queues", [{"name": "only"}], at=reported_at)
    for seen in Script("a", at=NOW, step=0.1).sent(queue="first").received().events:
        state.observe(EventBatch((event(seen),), NOW + 1.5))
    assert state.tasks["a"].queue == "first"
    reply = [{"name": name} for name in queues]
    observe_reply("active_queues", reply, state, NOW + 1.6)
    assert state.tasks["a"].queue == "first", "the reply may be from before"
    observe_reply("active_queues", reply, state, NOW + 9)
    assert state.tasks["a"].queue == expected
    assert not state.workers[WORKER].rerouted


@pytest.mark.parametrize(
    ("scale", "slots"),
    [
        ({"min": 1, "max": 4, "current": 1}, 4),
        (None, 1),
        ("odd", 1),
        ({"max": "many"}, 1),
        ({"max": 10**30}, 1),
    ],
)
def test_a_pool_with_autoscale_has_as_many_slots_as_it_grows_to(scale: object, slots: int) -> None:
    """Otherwise it would run four tasks in one slot until its next reply."""
    pool = {"max-concurrency": 1, "processes": [77]}
    state = observe_reply("stats", {"pid": 7, "pool": pool, "autoscaler": scale})
    assert state.workers[WORKER].slots == slots
    observe_reply("stats", {"pid": 7, "pool": pool}, state, NOW + 1)
    assert state.workers[WORKER].slots == 1


def test_the_event_of_a_known_start_is_no_new_attempt() -> None:
    state = observe_reply("active", [item(time_start=NOW + 1.98)])
    play(Script("a").received().started().succeeded().events, state)
    task = state.tasks["a"]
    assert (task.state, task.attempts, task.started_at) == ("SUCCESS", (), NOW + 2)
    assert task.sources == FROM_INSPECT | FROM_EVENT


def test_the_event_of_a_known_start_is_no_new_attempt_even_after_progress() -> None:
    state = observe_reply("active", [item(time_start=NOW + 1.98)])
    play([Script("a", at=NOW + 0.99).progress(progress=3).events[0]], state)
    play(Script("a").received().started().events, state)
    assert state.tasks["a"].attempts == ()


@pytest.mark.parametrize(
    ("script", "command", "state_after"),
    [
        (Script("a").received().started().succeeded(), "active", "SUCCESS"),
        (Script("a").received().started().progress(progress=1), "active", "PROGRESS"),
        (Script("a").received(), "active", "STARTED"),
        (Script("a").sent(), "reserved", "RECEIVED"),
        (Script("a").received().started(), "reserved", "STARTED"),
        (Script("a").received().started().received(1).retried(), "reserved", "RETRY"),
        (Script("a").received().started().failed(), "reserved", "FAILURE"),
    ],
)
def test_a_reply_only_moves_a_task_forward(script: Script, command: str, state_after: str) -> None:
    state = play(script.events)
    observe_reply(command, [item(time_start=NOW + 2)], state)
    assert state.tasks["a"].state == state_after


def test_reserved_and_scheduled_tasks_are_waiting() -> None:
    state = observe_reply("reserved", [item("a", None)])
    scheduled = {"eta": "2026-11-21T02:00:00+00:00", "priority": 6, "request": item("b", None)}
    observe_reply("scheduled", [scheduled], state)
    assert [task.state for task in state.tasks.values()] == ["RECEIVED", "RECEIVED"]
    assert state.tasks["b"].eta_at == 1_795_226_400.0
    worker = state.workers[WORKER]
    assert worker.reserved_ids is not None
    assert worker.scheduled_ids is not None
    play(Script("c").received().events, state)
    play(Script("d").received(eta="2200-01-01T00:00:00").events, state)
    assert list(worker.reserved_ids) == ["a", "c"]
    assert list(worker.scheduled_ids) == ["b", "d"]
    for name in "ac":
        play(Script(name, at=NOW + 1).started().events, state)
    for name in "bd":
        play(Script(name, at=NOW + 1).revoked().events, state)
    assert (worker.reserved_ids, worker.scheduled_ids) == ({}, {})


def test_active_tasks_are_those_of_the_latest_reply_and_the_events_since() -> None:
    state = play(Script("old").received().started().events)
    play(Script("young", at=NOW + 10).received().started().events, state)
    play(Script("ended", at=NOW + 5).received().started().succeeded().events, state)
    observe_reply("active", [item("ended", NOW + 7), item("new", NOW + 9)], state, at=NOW + 11)
    worker = state.workers[WORKER]
    assert list(worker.active_ids) == ["new", "young"]
    # The end of "old" is unknown: a reply does not decide it.
    assert state.tasks["old"].state == "STARTED"


def test_stats() -> None:
    reply = {
        "total": {"shop.bill": 9},
        "pid": 12,
        "clock": "25",
        "uptime": 60,
        "prefetch_count": 16,
        "pool": {
            "implementation": "celery.concurrency.prefork:TaskPool",
            "max-concurrency": 4,
            "processes": [21, 22],
        },
        "rusage": {"utime": 1.5, "stime": 0.5, "maxrss": 2048, "nvcsw": 3},
    }
    worker = observe_reply("stats", reply).workers[WORKER]
    assert (worker.pool, worker.concurrency, worker.processes) == ("prefork", 4, (21, 22))
    assert (worker.pid, worker.uptime, worker.prefetch) == (12, 60, 16)
    assert worker.totals == {"shop.bill": 9}
    assert worker.rusage is not None
    assert (worker.rusage.user_s, worker.rusage.rss_bytes) == (1.5, 2048 * 1024)
    assert worker.stats == reply


@pytest.mark.parametrize(
    ("implementation", "pool"),
    [
        ("celery.concurrency.thread:TaskPool", "threads"),
        ("celery.concurrency.solo:TaskPool", "solo"),
        ("celery.concurrency.gevent:TaskPool", "gevent"),
        ("my.pools:FancyPool", "FancyPool"),
        ("odd", "odd"),
    ],
)
def test_pools(implementation: str, pool: str) -> None:
    worker = observe_reply("stats", {"pool": {"implementation": implementation}}).workers[WORKER]
    assert worker.pool == pool


def test_queues_conf_and_registered() -> None:
    queue = {"name": "mail", "exchange": {"name": "mail", "type": "direct"}, "routing_key": "mail"}
    state = observe_reply("active_queues", [queue])
    observe_reply("conf", {"task_routes": {"a": "b"}}, state)
    observe_reply("registered", ["b.two", "a.one [rate_limit=10/m]"], state)
    worker = state.workers[WORKER]
    assert worker.queues == (WorkerQueue("mail", "mail", "direct", "mail"),)
    assert worker.conf == {"task_routes": {"a": "b"}}
    assert worker.registered == ("a.one", "b.two")
    assert worker.limits == {"a.one": Limits(rate="10/m")}


@pytest.mark.parametrize(
    ("line", "name", "limits"),
    [
        ("a.b", "a.b", Limits()),
        ("a.b [rate_limit=10/m]", "a.b", Limits("10/m")),
        ("a.b [time_limit=60 soft_time_limit=30.5]", "a.b", Limits(None, 30.5, 60.0)),
        ("a.b [rate_limit=0 time_limit=x]", "a.b", Limits()),
        ("a.b [exchange=x routing_key=y]", "a.b", Limits()),
        ("odd [name]", "odd [name]", Limits()),
        ("odd [a=1] [rate_limit=5]", "odd [a=1]", Limits("5")),
        ("a.b [", "a.b [", Limits()),
        ("a.b [time_limit=nan]", "a.b", Limits()),
    ],
)
def test_limits_are_parsed_from_registered_tasks(line: str, name: str, limits: Limits) -> None:
    state = ClusterState()
    observe_reply("registered", [line], state)
    worker = state.workers[WORKER]
    assert worker.registered == (name,)
    assert worker.limits.get(name, Limits()) == limits


def test_the_initial_limits_are_those_since_the_worker_started() -> None:
    state = ClusterState()
    for text in ("a [rate_limit=1/s]", "a [rate_limit=2/s]"):
        observe_reply("registered", [text], state)
    worker = state.workers[WORKER]
    assert worker.initial_limits == {"a": Limits("1/s")}
    for pid in (1, 2):
        beat = {"type": "worker-heartbeat", "hostname": WORKER, "timestamp": NOW + pid, "pid": pid}
        state.observe(
            EventBatch((event({**beat, "freq": 2.0, "active": 0, "processed": 0}),), NOW + pid)
        )
    restarted = state.workers[WORKER]
    assert restarted.limits == {}
    assert restarted.initial_limits is None
    observe_reply("registered", ["a"], state)
    assert restarted.initial_limits is not None


def test_the_only_queue_of_a_worker_is_that_of_its_tasks() -> None:
    state = play(Script("a").received().events)
    play(Script("b").on(OTHER).received().events, state)
    observe_reply("active_queues", [{"name": "mail"}], state)
    assert [task.queue for task in state.tasks.values()] == ["mail", None]


def test_a_routing_key_may_differ_from_the_queue() -> None:
    queue = {"name": "geo", "exchange": {"name": "topics"}, "routing_key": "geo.#"}
    state = observe_reply("active_queues", [{"name": "mail"}, queue])
    info = {"exchange": "topics", "routing_key": "geo.#"}
    observe_reply("active", [item("a", delivery_info=info), item("b")], state)
    assert [task.queue for task in state.tasks.values()] == ["geo", "mail"]


def test_the_queue_of_a_task_that_was_delayed() -> None:
    queues = [
        {"name": "mail", "exchange": {"name": "mail"}, "routing_key": "mail"},
        {"name": "geo", "exchange": {"name": "topics"}, "routing_key": "geo.eu"},
    ]
    state = observe_reply("active_queues", queues)
    bits = "0." * 27 + "1."
    infos = [
        {"exchange": "celery_delayed_27", "routing_key": bits + key} for key in ("mail", "geo.eu")
    ]
    observe_reply(
        "active", [item(id_, delivery_info=infos[n]) for n, id_ in enumerate("ab")], state
    )
    assert [task.queue for task in state.tasks.values()] == ["mail", "geo"]


def test_a_queried_task() -> None:
    state = observe_reply(
        "query_task", {"a": ["active", item("a")], "b": ["reserved", item("b", None)]}
    )
    assert [task.state for task in state.tasks.values()] == ["STARTED", "RECEIVED"]


def test_an_error_is_kept_with_the_worker() -> None:
    worker = observe_reply("stats", {"error": "KeyError('stats')"}).workers[WORKER]
    fact = worker.fact("stats")
    assert fact.is_failed and not fact.is_answered
    assert fact.reason == "stats failed on the worker: KeyError('stats')"


def test_events_enabled() -> None:
    state = observe_reply("enable_events", {"ok": "task events enabled"})
    assert state.workers[WORKER].events_enabled is True
    state = observe_reply("enable_events", {"error": "event dispatcher unavailable"})
    assert state.workers[WORKER].events_enabled is False


def test_a_reply_proves_that_the_worker_is_online() -> None:
    state = observe_reply("ping", {"ok": "pong"})
    assert state.workers[WORKER].last_seen_at == NOW


def test_long_arguments_are_cut() -> None:
    task = observe_reply("active", [item(args=["x" * 10_000_000])]).tasks["a"]
    assert task.args is not None
    assert len(task.args) < 300_000
    assert task.args.endswith("more characters]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "name", "args", "request", "pool", "processes", "rusage", "total", "error",
                 "delivery_info", "routing_key", "eta", "exchange", "time_start", "a"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.sampled_from(COMMANDS), JSON | st.lists(JSON, max_size=3))
def test_any_reply_is_accepted(command: str, reply: Any) -> None:
    state = observe_reply(command, reply)
    assert state.totals.text_bytes == sum(task.text_bytes for task in state.tasks.values())


def test_lone_surrogates_are_replaced() -> None:
    """JSON may hold them, but no terminal, file or clipboard takes them."""
    state = observe_reply(
        "active", [item("a\ud800", name="\udfff", args="\ud800")], worker="w\ud800@h"
    )
    assert list(state.tasks) == ["a\ufffd"]
    assert (state.tasks["a\ufffd"].name, state.tasks["a\ufffd"].args) == ("\ufffd", "\ufffd")
    assert list(state.workers) == ["w\ufffd@h"]
    encode(take_snapshot(state, NOW))


def test_a_task_that_is_no_longer_active_is_lost_unless_its_final_event_follows() -> None:
    """`raise Ignore()` sends no final event, and an end may fall into a gap."""
    state = play(Script("a").received().started().events)
    state.take_changes()
    observe_reply("active", [], state, at=NOW + 20)
    state.tick(NOW + 20 + FINAL_EVENT_DELAY - 0.5)
    task = state.tasks["a"]
    assert task.running
    state.tick(NOW + 20 + FINAL_EVENT_DELAY)
    assert (task.state, task.running, task.lost_at) == (
        "STARTED",
        False,
        NOW + 20 + FINAL_EVENT_DELAY,
    )
    assert task.elapsed(NOW + 60) is None
    assert "a" in state.take_changes().tasks


def test_a_late_final_event_is_still_applied() -> None:
    events = Script("a").received().started().succeeded().events
    state = play(events[:-1])
    observe_reply("active", [], state, at=NOW + 20)
    state.tick(NOW + 40)
    assert state.tasks["a"].lost_at is not None
    play(events[-1:], state)
    task = state.tasks["a"]
    assert (task.state, task.lost_at) == ("SUCCESS", None)


def test_a_task_that_ended_or_is_active_is_not_lost() -> None:
    events = Script("a").received().started().succeeded().events
    state = play(events[:-1])
    observe_reply("active", [], state, at=NOW + 20)
    play(events[-1:], state)
    state.tick(NOW + 40)
    assert state.tasks["a"].lost_at is None

    state = play(events[:-1])
    observe_reply("active", [], state, at=NOW + 20)
    observe_reply("active", [item(time_start=NOW + 2)], state, at=NOW + 21)
    state.tick(NOW + 30)
    assert state.tasks["a"].running


def test_settings_have_celerys_defaults_once_they_are_known() -> None:
    state = observe_reply("ping", {"ok": "pong"})
    worker = state.workers[WORKER]
    assert worker.setting("task_acks_late") is None
    observe_reply("conf", {"CELERY_RESULT_EXTENDED": True}, state)
    assert worker.setting("result_extended") is True
    assert worker.setting("task_acks_late") is False
    assert worker.fact("conf").is_answered


def test_patterns_mask_settings_but_not_the_result_backend() -> None:
    state = ClusterState(redaction=Redaction(["card", "6379"]))
    schedule = {"pay": {"task": "shop.pay", "kwargs": {"card": "4111"}}}
    observe_reply("conf", {"beat_schedule": schedule, "result_backend": "redis://h:6379/1"}, state)
    conf = state.workers[WORKER].conf or {}
    assert "4111" not in str(conf)
    assert conf["result_backend"] == "redis://h:6379/1"
