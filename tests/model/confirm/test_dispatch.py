"""The confirmation of each operation."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from celtop.model.confirm.dispatch import Confirmation, confirm
from celtop.model.observations import InspectReply, ScheduleRead
from celtop.model.operations.call import Call, SentTask
from celtop.model.operations.commands import (
    AddConsumer,
    Autoscale,
    CancelConsumer,
    Consumer,
    DisableEvents,
    Drain,
    EnableEvents,
    Heartbeat,
    Memdump,
    Operation,
    PauseQueue,
    Ping,
    PoolGrow,
    PoolRestart,
    PoolShrink,
    Purge,
    PurgeResults,
    RateLimit,
    ReadMessages,
    Report,
    ResumeQueue,
    Retry,
    Revoke,
    RevokeStamped,
    Shutdown,
    TimeLimit,
    Trigger,
)
from celtop.model.operations.schedule_commands import SwitchEntries
from celtop.model.state import ClusterState

from ..operation_cases import POOLS, cluster, kinds, original, reply, task
from ..schedules import entry
from ..streams import NOW, WORKER, Script, play

ALL = tuple(POOLS)

OPERATIONS: tuple[Operation, ...] = (
    Revoke(("a",), ALL),
    RevokeStamped("mtask", ("a",), ALL),
    Retry((original("a"),)),
    Trigger((Call("geo.resize", queue="geo"),)),
    PoolGrow(("p@h",)),
    PoolShrink(("p@h",)),
    PoolRestart(("p@h",)),
    Autoscale(("p@h",), 6, 3),
    AddConsumer(ALL, "other"),
    CancelConsumer(ALL, "geo"),
    RateLimit(ALL, "geo.resize", "5/m"),
    TimeLimit(ALL, "geo.resize", 10.0, 20.0),
    Ping(ALL),
    Report(ALL),
    Memdump(ALL),
    Heartbeat(ALL),
    EnableEvents(ALL),
    DisableEvents(ALL),
    Shutdown(ALL),
    Drain(ALL),
    PauseQueue("geo", tuple(Consumer(name) for name in ALL)),
    ResumeQueue("geo", tuple(Consumer(name) for name in ALL)),
    Purge("geo"),
    Purge("geo", ids=("a",)),
    ReadMessages("geo", 50),
    SwitchEntries(entries=("nightly",), enabled=False),
    PurgeResults(filter="state:success finished:>30d", at=NOW, count=12_340, examples=("a", "b")),
)


def asked(command: Operation, state: ClusterState | None = None) -> Confirmation:
    return confirm(command, state or cluster(), NOW)


def text(confirmation: Confirmation) -> str:
    return "\n".join((*confirmation.effects, *confirmation.warnings, *confirmation.caveats))


def test_every_operation_has_a_confirmation() -> None:
    assert {type(operation) for operation in OPERATIONS} == set(kinds())


@pytest.mark.parametrize("command", OPERATIONS, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("known", [True, False])
def test_every_confirmation_is_complete_with_and_without_a_reply(
    command: Operation, known: bool
) -> None:
    confirmation = asked(command, cluster(autoscaler={"min": 1, "max": 2}) if known else None)
    assert confirmation.verb
    assert confirmation.title
    assert confirmation.targets
    assert confirmation.effects or confirmation.refusal
    workers = getattr(command, "workers", None)
    if workers is not None:
        assert confirmation.expected_workers == workers


@pytest.mark.parametrize(
    "command",
    [
        Revoke(("a",), ()),
        Revoke((), ALL),
        RevokeStamped("mtask", (), ALL),
        Retry(()),
        Trigger(()),
        Trigger((Call("geo.resize"),)),
        PoolGrow(()),
        PoolRestart(()),
        Autoscale(("p@h",), 1, 3),
        Ping(()),
        Shutdown(()),
        RateLimit(ALL, "", "1/s"),
        TimeLimit(ALL, "geo.resize", 20.0, 10.0),
        RateLimit(ALL, "nobody.knows", "1/s"),
        PauseQueue("geo", ()),
        ResumeQueue("geo", ()),
        Purge(""),
        AddConsumer(ALL, "geo"),
        CancelConsumer(ALL, "nobody"),
    ],
    ids=repr,
)
def test_an_operation_without_effect_is_refused(command: Operation) -> None:
    assert asked(command).refusal


def test_revoking_names_the_first_five_and_counts_the_rest() -> None:
    state = cluster()
    ids = tuple(task(state, f"{number:08d}-and-so-on") for number in range(12))
    confirmation = asked(Revoke(ids, ALL), state)
    assert confirmation.title == "Revoke 12 tasks"
    assert confirmation.targets[0] == "00000000-and-so-on geo.resize RECEIVED"
    assert len(confirmation.targets) == 6
    assert confirmation.targets[-1] == "and 7 more"
    assert (confirmation.must_type, confirmation.destructive, confirmation.refusal) == (
        None,
        False,
        None,
    )
    assert "until then the messages stay in the queue" in text(confirmation)
    assert "50,000 revoked ids for 3 hours" in text(confirmation)


def test_more_than_twenty_targets_require_their_count_typed() -> None:
    ids = tuple(f"id-{number}" for number in range(21))
    assert asked(Revoke(ids[:20], ALL)).must_type is None
    assert asked(Revoke(ids, ALL)).must_type == "21"
    assert asked(Revoke(ids[:20], ALL, terminate=True)).must_type is None
    assert asked(Revoke(ids, ALL, terminate=True)).must_type == "21"
    assert asked(Retry(tuple(map(original, ids)))).must_type == "21"


def test_revoking_counts_running_and_finished_tasks() -> None:
    state = cluster()
    ids = (
        task(state, "waits"),
        task(state, "runs", until="started"),
        task(state, "over", until="succeeded"),
    )
    told = text(asked(Revoke(ids, ALL), state))
    assert "1 of them is running and will not stop" in told
    assert "1 of them is already finished" in told
    assert (
        asked(Revoke(ids[2:], ALL), state).refusal
        == f"{state.tasks[ids[2]].name} over has already finished"
    )
    too_many = asked(Revoke(tuple(map(str, range(50_001))), ALL), state).refusal
    assert too_many is not None and "50,000" in too_many


def test_terminating_shows_which_pools_can() -> None:
    state = cluster()
    ids = tuple(task(state, name, on=name, until="started") for name in ALL)
    confirmation = asked(Revoke(ids, ALL, terminate=True, signal="SIGKILL"), state)
    assert confirmation.title == "Terminate 4 tasks with SIGKILL"
    assert confirmation.destructive
    assert any(
        "p@h (prefork): SIGKILL to the task's process" in line for line in confirmation.effects
    )
    assert any("g@h (gevent)" in line and "ignored" in line for line in confirmation.effects)
    assert "3 running tasks" not in text(confirmation)
    assert "2 running tasks will be terminated" in text(confirmation)
    assert any("t@h (threads) cannot" in line for line in confirmation.caveats)
    assert any("s@h (solo) reads the command only when" in line for line in confirmation.caveats)
    assert "if it runs another task by then, that task is stopped" in text(confirmation)


def test_terminating_is_refused_if_no_pool_can() -> None:
    state = cluster()
    ids = tuple(task(state, name, on=name, until="started") for name in ("t@h", "s@h"))
    assert "s@h and t@h cannot" in (asked(Revoke(ids, ALL, terminate=True), state).refusal or "")
    waiting = (*ids, task(state, "waits"))
    assert asked(Revoke(waiting, ALL, terminate=True), state).refusal is None


def test_retrying_names_the_source_of_the_arguments_and_what_is_missing() -> None:
    state = cluster()
    alive = task(state, "alive", until="started")
    found = (
        original(alive),
        original("b", source="backend", missing=("ETA",)),
        original("c", None),
    )
    confirmation = asked(Retry(found), state)
    told = text(confirmation)
    assert confirmation.title == "Retry 3 tasks"
    origins = "the message in the queue (2), the result backend (1)"
    assert f"The arguments come from {origins}" in told
    assert "Unknown, so not sent: ETA (for 1 of 3 tasks)" in told
    assert "2 tasks may not have finished" in told
    assert "1 task whose queue is unknown will not be sent" in told
    assert "each under a new id" in told
    assert "Callbacks and the rest of a chain are not sent" in told
    assert "No task rejoins its chord" in text(asked(Retry(found, with_links=True), state))


def test_triggering_warns_of_unregistered_names_and_queues_without_consumers() -> None:
    known = asked(Trigger((Call("geo.resize", queue="geo"),)))
    assert known.warnings == ()
    strange = text(asked(Trigger((Call("geo.rezise", queue="goe", countdown=60.0),))))
    assert "No worker that replied has registered geo.rezise" in strange
    assert "No known worker consumes goe; the message will wait" in strange
    assert "Starts in 1 m at the earliest" in strange


def test_triggering_warns_of_workers_that_do_not_accept_json() -> None:
    state = cluster()
    command = Trigger((Call("geo.resize", queue="geo"),))
    assert "JSON" not in text(asked(command, state))
    state.workers["p@h"].conf = {"accept_content": ["pickle"]}
    state.workers["t@h"].conf = {"accept_content": ["pickle", "application/json"]}
    assert "p@h does not accept JSON (accept_content) and will discard it" in text(
        asked(command, state)
    )


def test_resizing_shows_old_and_new_sizes_and_refusing_workers() -> None:
    confirmation = asked(PoolGrow(ALL, 3))
    assert "p@h (prefork): 2 -> 5" in confirmation.targets
    assert "t@h and s@h will refuse" in text(confirmation)
    assert [line.partition(": ")[2][:5] for line in confirmation.targets[1:3]] == ["stays"] * 2
    assert confirmation.refusal is None
    assert asked(PoolGrow(("t@h",), 3)).refusal
    assert asked(PoolShrink(("p@h",), 1)).refusal is None
    assert "no process would be left" in (asked(PoolShrink(("p@h",), 2)).refusal or "")
    scaling = cluster(autoscaler={"min": 1, "max": 4})
    assert "autoscale is on" in (asked(PoolGrow(("p@h",)), scaling).refusal or "")
    assert asked(Autoscale(("p@h",), 6, 3), scaling).targets == ("p@h: 1-4 -> 3-6",)
    assert "without --autoscale" in (asked(Autoscale(("p@h",), 6, 3)).refusal or "")


def test_restarting_pools_needs_a_setting_and_prefork() -> None:
    state = cluster()
    assert asked(PoolRestart(("p@h",)), state).refusal is None
    reply(state, "p@h", "conf", {"task_default_queue": "geo"})
    assert "worker_pool_restarts is off" in (asked(PoolRestart(("p@h",)), state).refusal or "")
    reply(state, "p@h", "conf", {"worker_pool_restarts": True})
    assert asked(PoolRestart(("p@h",)), state).refusal is None
    assert "prefork" in (asked(PoolRestart(("t@h",)), state).refusal or "")


def test_limits_show_old_and_new_per_worker() -> None:
    assert asked(RateLimit(("p@h",), "geo.resize", "5/s")).targets == ("p@h: 10/m -> 5/s",)
    assert asked(RateLimit(("p@h",), "mail.send", "0")).targets == ("p@h: no limit -> no limit",)
    timed = asked(TimeLimit(("p@h",), "geo.resize", 30.0, None))
    assert timed.warnings == ()
    told = text(asked(TimeLimit(ALL, "geo.resize", 30.0, None)))
    assert "t@h and s@h: threads, solo and eventlet pools enforce no time limits" in told
    assert "gevent pools enforce only the hard limit" in told
    assert timed.targets == ("p@h: soft none -> 30 s, hard 1 m -> none",)
    unasked = asked(
        TimeLimit((WORKER,), "geo.resize", 30.0, None), play(Script("x").received().events)
    )
    assert unasked.targets == (f"{WORKER}: soft ? -> 30 s, hard ? -> none",)


def test_draining_one_worker_is_confirmed_by_a_word_only_if_a_queue_is_left_alone() -> None:
    alone, one_of_two = asked(Drain(("p@h",))), asked(Drain(("t@h",)))
    assert alone.must_type == "drain" and "No other worker consumes mail" in text(alone)
    assert not one_of_two.must_type and not one_of_two.warnings


@pytest.mark.parametrize("operation", [Drain, PoolGrow, Shutdown, EnableEvents])
def test_operations_on_offline_workers_say_that_no_reply_is_expected(
    operation: Callable[[tuple[str, ...]], Operation],
) -> None:
    state = cluster()
    warning = "t@h is offline; no reply is expected"
    assert warning not in asked(operation(("t@h", "s@h")), state).warnings
    play([{"type": "worker-offline", "hostname": "t@h", "timestamp": NOW}], state)
    assert warning in asked(operation(("t@h", "s@h")), state).warnings
    assert warning not in asked(Ping(("t@h",)), state).warnings


@pytest.mark.parametrize("operation", [Drain, PoolGrow, Shutdown])
def test_operations_on_a_shared_name_say_that_several_workers_receive_them(
    operation: Callable[[tuple[str, ...]], Operation],
) -> None:
    state = cluster()
    warning = "t@h is the name of several workers; all of them receive the command"
    assert warning not in asked(operation(("t@h",)), state).warnings
    for at in (NOW + 4, NOW + 5):
        state.observe(InspectReply("t@h", "active", [], at, repeated=True))
    assert warning in asked(operation(("t@h", "s@h")), state).warnings


def test_stopping_workers_requires_a_word_or_their_count() -> None:
    assert asked(Shutdown(("p@h",))).must_type == "shutdown"
    assert asked(Shutdown(ALL)).must_type == "4"
    assert asked(Drain(ALL)).must_type == "4"
    assert asked(Shutdown(ALL)).destructive
    assert "use your process supervisor" in text(asked(Shutdown(ALL)))
    assert "No other worker consumes mail" in text(asked(Shutdown(("p@h",))))


def test_disabling_events_is_destructive() -> None:
    assert asked(DisableEvents(ALL)).destructive
    assert "Monitors no longer receive task events" in text(asked(DisableEvents(ALL)))
    assert not asked(EnableEvents(ALL)).destructive


def test_a_priority_that_the_broker_does_not_have_is_refused() -> None:
    state = cluster()
    for transport, priority, refused in (("redis", 9, False), ("redis", 12, True), ("amqp", 12, 0)):
        state.broker.transport = transport
        call = Call("geo.resize", queue="geo", priority=priority)
        refusal = asked(Trigger(calls=(call,)), state).refusal
        assert refusal == ("priorities on this broker are 0 to 9, not 12" if refused else None)


def test_retrying_a_revoked_task_is_warned_about() -> None:
    sent = SentTask("x", Call("geo.resize", queue="geo"), "event", NOW, revoked_by=("p@h", "t@h"))
    placed = msgspec.structs.replace(sent, revoked_by=(), queue_reason="the app's routes")
    assert "The task is revoked on p@h and t@h; the retry has a new id" in text(
        asked(Retry(originals=(sent,)))
    )
    several = asked(Retry(originals=(sent, placed)))
    assert "1 task is revoked on p@h and t@h" in text(several)
    assert "The queue is taken from the app's routes for 1 task" in several.effects


def test_purging_requires_the_queue_name_and_shows_what_stays() -> None:
    state = cluster()
    confirmation = asked(Purge("geo"), state)
    assert (confirmation.must_type, confirmation.destructive) == ("geo", True)
    assert "(1,204 messages now)" in text(confirmation)
    resumed = asked(ResumeQueue("geo", (Consumer("p@h"),)), state)
    assert "consumes geo again (1,204 messages now)" in text(resumed)
    assert "not acknowledged are not deleted (3 now)" in text(confirmation)
    assert confirmation.warnings == ()
    assert "Unknown queue goe" in text(asked(Purge("goe"), state))
    state.broker.transport = "amqp"
    assert "only on Redis" in (asked(Purge("geo", "geo.resize"), state).refusal or "")
    state.broker.transport = "redis"
    picked = asked(Purge("geo", "geo.resize"), state)
    assert picked.refusal is None
    assert "Deletes only the messages of geo.resize waiting in geo" in picked.effects


def test_deleting_results_requires_their_number_and_lists_examples() -> None:
    confirmation = asked(OPERATIONS[-1])
    assert (confirmation.must_type, confirmation.destructive) == ("12340", True)
    assert confirmation.title == "Delete 12,340 results matching state:success finished:>30d"
    assert confirmation.targets == ("a", "b", "and 12,335 more")
    assert "This cannot be undone; no copy is kept" in confirmation.caveats
    none = asked(PurgeResults(filter="state:success", at=NOW, count=0))
    assert none.refusal == "no result matches"
    some = asked(PurgeResults(filter="state:success", at=NOW, note="1 result too large to search"))
    assert some.warnings == ("1 result too large to search",) and some.must_type == "delete"


def test_commands_go_to_present_workers() -> None:
    state = cluster()
    assert state.present_workers(NOW) == tuple(sorted(ALL))
    play(Script("x", worker="celerybeat@h").received().events, state)
    state.workers["p@h"].left_at = NOW
    assert state.present_workers(NOW) == ("g@h", "s@h", "t@h")


def test_only_entries_of_django_celery_beat_can_be_switched() -> None:
    state = cluster()
    rows = (entry("nightly", source="django-celery-beat"), entry("twin"))
    for row in rows:
        state.observe(ScheduleRead(row.source, NOW, (row,)))
    assert asked(SwitchEntries(entries=("nightly",), enabled=True), state).refusal is None
    refusal = "only entries of django-celery-beat can be enabled and disabled"
    assert asked(SwitchEntries(entries=("nightly", "twin"), enabled=True), state).refusal == refusal
    refusal = "the schedule has no entry gone"
    assert asked(SwitchEntries(entries=("gone",), enabled=True), state).refusal == refusal
