"""Workers are judged by the local clock; their own times are only compared with each other."""

from __future__ import annotations

from typing import Any

from celtop.model.entities.broker import Listening
from celtop.model.entities.fault import NO_REPLY, Fault
from celtop.model.health.findings import findings
from celtop.model.ingest.workers.worker_store import (
    FINAL_EVENT_DELAY,
    MAX_SHARED_AGE,
    MAX_WORKERS,
    UNREPORTED_END_DELAY,
    WARM_SHUTDOWN_SECONDS,
)
from celtop.model.observations import (
    ConnectionChanged,
    InspectReply,
    QuestionsAsked,
    QuestionsFailed,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch

from ...streams import NOW, OTHER, WORKER, Fields, Script, event, play, tick


def beat(type_: str = "heartbeat", at: float = NOW, **fields: Any) -> Fields:
    counts = {"freq": 2.0, "active": 1, "processed": 7, "loadavg": [0.5, 0.25, 0.125]}
    software = {"sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux", "pid": 99}
    envelope = {"type": f"worker-{type_}", "hostname": WORKER, "timestamp": at, "utcoffset": -9}
    return {**envelope, **counts, **software, **fields}


def live(at: float = NOW) -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", at))
    return state


def texts(state: ClusterState) -> list[str]:
    return [entry.text for entry in state.log if entry.source == "worker"]


def test_a_heartbeat_has_all_fields() -> None:
    state = play([beat()])
    worker = state.workers[WORKER]
    assert (worker.active, worker.processed, worker.load) == (1, 7, (0.5, 0.25, 0.125))
    assert (worker.pid, worker.software_version, worker.frequency) == (99, "5.7.0", 2.0)
    assert worker.last_seen_at == NOW


def test_a_heartbeat_on_request_keeps_the_fields_that_it_lacks() -> None:
    forced = beat(at=NOW + 1, freq=5, active=None, processed=None, loadavg=None)
    worker = play([beat(freq=30.0), forced]).workers[WORKER]
    assert (worker.active, worker.processed, worker.frequency) == (1, 7, 30.0)
    assert worker.load == (0.5, 0.25, 0.125)


def test_an_older_heartbeat_overwrites_nothing() -> None:
    worker = play([beat(at=NOW + 2), beat(at=NOW, processed=3)]).workers[WORKER]
    assert worker.processed == 7


def test_status_is_by_the_local_clock() -> None:
    state = live()
    state.observe(EventBatch((event(beat(at=NOW + 3600)),), NOW))
    play(Script("a", at=NOW + 7200).received().events, state)
    tick(state, NOW + 5)
    assert state.workers[WORKER].status(Listening(NOW, NOW + 5)) == "online"
    tick(state, NOW + 10)
    tick(state, NOW + 30)
    assert texts(state) == [
        f"{WORKER} is online",
        f"{WORKER} is late: no heartbeat for 10 s",
        f"{WORKER} lost: no heartbeat for 30 s",
    ]
    state.observe(EventBatch((event(beat(at=NOW + 3640)),), NOW + 40))
    state.tick(NOW + 41)
    assert texts(state)[-1] == f"{WORKER} is back online"


def test_skew_is_that_of_the_fastest_heartbeat() -> None:
    state = ClusterState()
    for number, delay in enumerate((0.5, 0.01, 2.0)):
        at = NOW + 2 * number
        state.observe(EventBatch((event(beat(at=at + 30 - delay)),), at))
    skew = state.workers[WORKER].clock_skew
    assert skew is not None
    assert abs(skew - 29.99) < 1e-5


def test_a_shutdown_is_offline_at_once_and_a_late_event_changes_nothing() -> None:
    state = live()
    play([beat(), beat("offline", at=NOW + 10)], state)
    worker = state.workers[WORKER]
    assert worker.status(Listening(NOW, NOW)) == "offline"
    play(Script("a", at=NOW + 1).started().events, state)
    assert worker.status(Listening(NOW, NOW)) == "offline"
    play([beat("online", at=NOW + 20)], state)
    assert worker.status(Listening(NOW, NOW)) == "online"
    assert texts(state)[1:] == [f"{WORKER} shut down", f"{WORKER} is back online"]


def test_the_shutdown_of_an_unknown_worker_is_ignored() -> None:
    assert play([beat("offline")]).workers == {}


def test_no_worker_is_late_while_disconnected() -> None:
    state = live()
    play([beat()], state)
    state.observe(ConnectionChanged("lost", NOW + 2))
    state.tick(NOW + 500)
    assert state.workers[WORKER].status(state.broker.listening(NOW + 500)) == "online"
    state.observe(ConnectionChanged("live", NOW + 501))
    state.tick(NOW + 502)
    assert state.workers[WORKER].status(state.broker.listening(NOW + 502)) == "online"
    tick(state, NOW + 530)
    assert texts(state)[-1].startswith(f"{WORKER} lost")


def test_a_worker_is_lost_only_if_the_connection_was_proved_since_its_last_heartbeat() -> None:
    state = live()
    play([beat(), *Script("a").received().started().events], state)
    for second in range(1, 60):
        state.tick(NOW + second)
    assert texts(state) == [f"{WORKER} is online"]
    assert state.tasks["a"].running
    state.observe(ConnectionChanged("lost", NOW + 60))
    state.observe(ConnectionChanged("live", NOW + 62))
    assert state.log[-1].text == "disconnected for 62 s; events sent meanwhile were missed"
    tick(state, NOW + 80)
    assert texts(state)[-1] == f"{WORKER} lost: no heartbeat for 18 s, 1 task was running"


def test_a_lost_worker_stays_lost_until_it_is_seen_again() -> None:
    state = live()
    play([beat()], state)
    tick(state, NOW + 30)
    state.observe(ConnectionChanged("lost", NOW + 31))
    state.observe(ConnectionChanged("live", NOW + 40))
    tick(state, NOW + 41)
    assert texts(state)[-1] == f"{WORKER} lost: no heartbeat for 30 s"
    state.observe(EventBatch((event(beat(at=NOW + 42)),), NOW + 42))
    tick(state, NOW + 43)
    assert texts(state)[-1] == f"{WORKER} is back online"


def test_no_worker_is_late_while_the_broker_accepts_no_messages() -> None:
    alarm = Fault("memory", "host:5672 accepts no messages: memory alarm", "Free memory")
    state = live()
    play([beat(), *Script("a").received().started().events], state)
    tick(state, NOW + 5)
    state.observe(ConnectionChanged("blocked", NOW + 6, alarm))
    for second in range(7, 200, 5):
        tick(state, NOW + second)
    assert (state.broker.phase, state.broker.fault) == ("blocked", alarm)
    assert texts(state) == [f"{WORKER} is online"]
    assert state.tasks["a"].running
    state.observe(ConnectionChanged("live", NOW + 200))
    tick(state, NOW + 203)
    assert [entry.text for entry in state.log][-2:] == [
        str(alarm),
        "accepts messages again after 194 s",
    ]
    state.observe(EventBatch((event(beat(at=NOW + 204)),), NOW + 204))
    tick(state, NOW + 208)
    assert texts(state) == [f"{WORKER} is online"]


def test_a_connection_lost_during_an_alarm_makes_no_worker_late() -> None:
    state = live()
    play([beat()], state)
    state.observe(ConnectionChanged("blocked", NOW + 4))
    tick(state, NOW + 100)
    state.observe(ConnectionChanged("lost", NOW + 101))
    state.tick(NOW + 102)
    assert texts(state) == [f"{WORKER} is online"]


def test_a_restart_clears_the_tasks_of_the_old_process() -> None:
    state = play([beat(), *Script("a").received().started().events])
    worker = state.workers[WORKER]
    assert list(worker.active_ids) == ["a"]
    play([beat("online", at=NOW + 9, pid=100)], state, at=NOW + 9)
    assert (worker.pid, worker.events_enabled) == (100, None)
    state.tick(NOW + 9 + FINAL_EVENT_DELAY)
    assert worker.active_ids == {}
    assert texts(state)[-1] == f"{WORKER} restarted"


def test_task_events_prove_that_events_are_on_but_custom_ones_do_not() -> None:
    state = play(Script("a").progress(progress=3).events)
    assert state.workers[WORKER].events_enabled is None
    play(Script("a").started().events, state)
    assert state.workers[WORKER].events_enabled is True


def test_workers_are_bounded() -> None:
    state = ClusterState()
    for number in range(MAX_WORKERS + 100):
        state.observe(EventBatch((event(beat(hostname=f"celery@{number}")),), NOW + number))
    assert len(state.workers) <= MAX_WORKERS
    assert f"celery@{MAX_WORKERS + 99}" in state.workers
    assert "celery@0" not in state.workers
    state.tick(NOW + MAX_WORKERS)


def test_the_tasks_of_a_dead_worker_are_lost() -> None:
    started = Script("a").received().started().events
    state = live()
    play([beat(), *started], state)
    tick(state, NOW + 100)
    task = state.tasks["a"]
    assert (task.lost_at, task.loss, task.worker) == (NOW + 100, "worker", WORKER)
    assert "1 task was running" in texts(state)[-1]
    assert state.log[-1].text == f"1 task lost with {WORKER}: shop.bill a"
    assert state.totals.corrections == {"lost": 1}

    state = live()
    play([beat(), *started], state)
    play([beat("online", NOW + 4, pid=100)], state, at=NOW + 4)
    state.tick(NOW + 5.9)  # three heartbeat intervals after the last one of the old process
    assert state.tasks["a"].running
    state.tick(NOW + 4 + FINAL_EVENT_DELAY)
    assert state.tasks["a"].loss == "worker"

    state = live()
    play([beat(), *started], state)
    play([beat("offline", NOW + 4)], state, at=NOW + 4)
    state.tick(NOW + 4 + WARM_SHUTDOWN_SECONDS - 1)
    assert state.tasks["a"].running  # in a warm shutdown it goes on
    state.tick(NOW + 4 + WARM_SHUTDOWN_SECONDS)
    assert state.tasks["a"].loss == "worker"

    state = live()
    play([beat(), *started], state)
    play([beat("offline", NOW + 4)], state, at=NOW + 4)
    play([beat("online", NOW + 9, pid=100)], state, at=NOW + 9)
    state.tick(NOW + 9 + FINAL_EVENT_DELAY)
    assert state.tasks["a"].loss == "worker"


def test_a_task_redelivered_to_another_worker_is_not_lost_with_the_first() -> None:
    script = Script("a").received().started()
    script.at = NOW + 60
    state = live()
    play([beat(), *script.on(OTHER).received().started().events], state)
    state.observe(EventBatch((event(beat(at=NOW + 99, hostname=OTHER)),), NOW + 99))
    for second in (100, 100 + FINAL_EVENT_DELAY):
        state.tick(NOW + second)
    assert "a" in state.workers[WORKER].active_ids
    assert state.tasks["a"].running


def test_a_solo_pool_may_work_for_minutes_without_events() -> None:
    """It blocks before the events of the task that it began are sent."""
    state = live()
    play([beat()], state)
    worker = state.workers[WORKER]
    assert worker.status(Listening(NOW, NOW + 60)) == "offline"
    worker.pool = "solo"
    assert worker.status(Listening(NOW, NOW + 60)) == "late"
    assert worker.status(Listening(NOW, NOW + 601)) == "offline"


def beats(state: ClusterState, pids: list[int], at: float = NOW) -> None:
    """Let processes of one name send a heartbeat each, a second apart."""
    for number, pid in enumerate(pids):
        play([beat(at=at + number, pid=pid)], state, at=at + number)
        state.tick(at + number)


def test_processes_that_alternate_share_a_name_and_lose_no_tasks() -> None:
    state = live()
    beats(state, [1])
    play(Script("a").received().started().events, state)
    beats(state, [2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2], NOW + 3)
    worker = state.workers[WORKER]
    assert worker.shares_name
    assert sorted(worker.pids) == [1, 2]
    assert (state.tasks["a"].running, list(worker.active_ids)) == (True, ["a"])
    assert texts(state) == [f"{WORKER} is online"]
    state.observe(InspectReply(WORKER, "active", [], NOW + 15))
    state.observe(InspectReply(WORKER, "query_task", {}, NOW + 15, requested_ids=("a",)))
    beats(state, [1, 2, 1, 2, 1], NOW + 15)
    assert state.tasks["a"].running
    assert state.totals.corrections == {}


def test_a_process_that_leaves_a_shared_name_leaves_the_other_online() -> None:
    state = live()
    beats(state, [1, 2, 1, 2])
    worker = state.workers[WORKER]
    play([beat("offline", NOW + 5, pid=2)], state, at=NOW + 5)
    assert (worker.status(Listening(NOW, NOW + 5)), worker.pid, worker.shares_name) == (
        "online",
        1,
        False,
    )
    beats(state, [2, 1, 2, 1], NOW + 6)
    assert worker.shares_name
    beats(state, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], NOW + 10)
    assert (worker.shares_name, list(worker.pids)) == (False, [1])
    assert texts(state)[1:] == [
        f"{WORKER}: process 2 shut down",
        f"{WORKER}: no heartbeat of process 2 for 7 s",
    ]


def test_a_pid_that_changes_for_good_loses_its_tasks() -> None:
    state = live()
    play([beat(pid=1), *Script("a").received().started().events], state)
    beats(state, [2, 2], NOW + 3)
    play(Script("b", at=NOW + 5).received().started().events, state)
    beats(state, [2, 2, 2], NOW + 5)
    worker = state.workers[WORKER]
    assert state.tasks["a"].loss == "worker"
    assert state.tasks["b"].running
    assert list(worker.active_ids) == ["b"]
    assert texts(state) == [f"{WORKER} is online", f"{WORKER} restarted"]


def test_two_replies_to_one_command_show_a_shared_name_even_if_the_pids_are_equal() -> None:
    """In containers, every worker may have the same pid."""
    state = live()
    play([beat(pid=1), *Script("a").received().started().events], state)
    for at in (NOW + 4, NOW + 5):
        state.observe(InspectReply(WORKER, "active", [], at, repeated=True))
    tick(state, NOW + 9)
    worker = state.workers[WORKER]
    assert (worker.shares_name, list(worker.pids)) == (True, [1])
    assert state.tasks["a"].running
    (one,) = (one for one in findings(state, NOW + 5) if one.code == "worker-shared-name")
    assert one.text.startswith("several workers have this name (all with PID 1): ")
    play([beat("offline", NOW + 6, pid=1), beat(at=NOW + 8, pid=1)], state, at=NOW + 9)
    assert worker.status(state.broker.listening(NOW + 9)) == "online"
    state.observe(InspectReply(WORKER, "active", [], NOW + 10, repeated=True))
    state.tick(NOW + 10 + MAX_SHARED_AGE + 1)
    assert not worker.shares_name


def test_a_single_late_heartbeat_is_no_second_worker() -> None:
    state = live()
    beats(state, [1, 2, 1, 2, 2, 2, 2, 2, 2, 2])
    assert not state.workers[WORKER].shares_name


def test_a_worker_that_left_stays_offline_until_a_later_heartbeat() -> None:
    state = live()
    play([beat(), *Script("a").received().started().events, beat("offline", NOW + 5)], state)
    worker = state.workers[WORKER]
    play(Script("a", at=NOW + 5).succeeded().events, state, at=NOW + 6)
    play([beat(at=NOW + 4)], state, at=NOW + 6)
    state.observe(InspectReply(WORKER, "active", [], NOW + 2))
    state.tick(NOW + 20)
    assert worker.status(Listening(NOW, NOW + 20)) == "offline"
    assert state.tasks["a"].state == "SUCCESS"
    play([beat("online", at=NOW + 30)], state, at=NOW + 30)
    assert worker.status(Listening(NOW, NOW + 30)) == "online"


def ask(state: ClusterState, at: float, *, replied: bool) -> None:
    """Ask the worker two commands; it replies to one of them, or to none."""
    commands = ("stats", "active")
    state.observe(QuestionsAsked("worker", commands, at, (WORKER,)))
    if replied:
        state.observe(InspectReply(WORKER, "stats", {"total": {"shop.bill": 3}}, at + 0.1))
    failed = commands[1:] if replied else commands
    state.observe(QuestionsFailed("worker", failed, at + 1.5, NO_REPLY, (WORKER,)))
    tick(state, at + 1.5)


def test_a_worker_without_heartbeats_is_judged_by_its_replies() -> None:
    """Silence proves nothing; a reply to one of several commands proves that it is running."""
    state = live()
    ask(state, NOW, replied=True)
    worker = state.workers[WORKER]
    assert worker.status(Listening(NOW, NOW + 3600)) == "online"
    assert worker.processed == 3
    ask(state, NOW + 3600, replied=True)
    assert worker.status(Listening(NOW, NOW + 3602)) == "online"
    ask(state, NOW + 3615, replied=False)
    assert worker.status(Listening(NOW, NOW + 3617)) == "late"
    state.observe(QuestionsAsked("worker", ("stats",), NOW + 3620, (WORKER,)))
    assert worker.status(Listening(NOW, NOW + 3621)) == "late"
    ask(state, NOW + 3660, replied=False)
    assert worker.status(Listening(NOW, NOW + 3662)) == "offline"
    assert texts(state)[1:] == [
        f"{WORKER} is late: no reply for 16 s",
        f"{WORKER} lost: no reply for 61 s",
    ]


def test_a_reply_from_before_the_last_heartbeat_makes_no_worker_silent() -> None:
    state = live()
    play([beat(at=NOW + 60)], state, at=NOW + 60)
    state.observe(InspectReply(WORKER, "stats", {}, NOW + 10))
    tick(state, NOW + 61)
    worker = state.workers[WORKER]
    assert worker.status(Listening(NOW, NOW + 61)) == "online"
    assert worker.last_seen_at == NOW + 60


def test_a_broker_that_refuses_commands_makes_no_worker_late() -> None:
    state = live()
    ask(state, NOW, replied=True)
    refused = Fault("memory", "out of memory", "")
    state.observe(QuestionsAsked("worker", ("stats",), NOW + 60, (WORKER,)))
    state.observe(QuestionsFailed("worker", ("stats",), NOW + 60, refused, (WORKER,)))
    assert state.workers[WORKER].status(Listening(NOW, NOW + 120)) == "online"


def test_a_heartbeat_on_request_does_not_promise_more() -> None:
    state = live()
    play([beat(freq=5, active=None, processed=None, loadavg=None)], state)
    assert state.workers[WORKER].status(Listening(NOW, NOW + 60)) == "online"
    play([beat()], state)
    assert state.workers[WORKER].status(Listening(NOW, NOW + 60)) == "offline"


def test_the_end_of_a_task_without_events_waits_for_the_result() -> None:
    state = live()
    state.observe(InspectReply(WORKER, "enable_events", {"error": "no dispatcher"}, NOW))
    active = {"id": "a", "name": "shop.bill", "time_start": NOW, "hostname": WORKER}
    state.observe(InspectReply(WORKER, "active", [active], NOW + 2))
    state.observe(InspectReply(WORKER, "active", [], NOW + 10))
    tick(state, NOW + 20)
    assert state.tasks["a"].lost_at is None
    tick(state, NOW + 10 + UNREPORTED_END_DELAY)
    assert state.tasks["a"].loss == "unreported"
