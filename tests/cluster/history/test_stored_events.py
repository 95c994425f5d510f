"""Sessions that read what a collector writes, on real brokers and in both kinds of store."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from celtop.cluster.events.roster import Roster
from celtop.cluster.history import stored_events
from celtop.cluster.history.stored_events import StoredEvents
from celtop.cluster.inbox import Inbox
from celtop.history.open import open_store
from celtop.history.rows import MINUTE, Batch, Rollup, Run, StoredTask
from celtop.history.task_body import stored_task
from celtop.history.writing.latest_observations import LatestObservations
from celtop.model.entities.states import source_names
from celtop.model.entities.task import Task
from celtop.model.health.findings import findings
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import (
    ConnectionChanged,
    HistoryRead,
    QuestionsAnswered,
    QuestionsFailed,
)
from celtop.model.operations.commands import Revoke
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RabbitServer, RedisServer, until

Send = Callable[..., str]
CLUSTER = "shop"
COMMANDS_TO_CONNECT = 5


def collector(open_session: OpenSession, url: str, location: str) -> RunningSession:
    live = open_session(url, cluster=CLUSTER, history=location)
    live.session.history.keep()
    return live


def pump(*sessions: RunningSession) -> None:
    """Apply what is waiting, as the loops of several processes do."""
    for each in sessions:
        while each.session.pump(time.time(), 0.1).more:
            pass
        each.session.tick(time.time())
        each.session.take_changes(time.time())


@pytest.mark.parametrize(
    ("kind", "store", "count"), [("redis", "postgresql", 3), ("amqp", "sqlite", 2)]
)
def test_screens_on_a_collector_receive_no_events(
    kind: str,
    store: str,
    count: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
) -> None:
    url = str(request.getfixturevalue(f"{kind}_url"))
    location = str(tmp_path / "history.sqlite3")
    if store == "postgresql":
        location = str(request.getfixturevalue("postgres_url"))
    start_worker(url, name="w1", pool="prefork", concurrency=4, options=("--without-gossip",))
    writer = collector(open_session, url, location)
    writer.until(lambda: writer.state.workers and writer.state.observed)
    screens = [open_session(url, cluster=CLUSTER, from_history=location) for _ in range(count)]
    everyone = (writer, *screens)

    def until_all(condition: Callable[[RunningSession], object]) -> None:
        def holds() -> bool:
            pump(*everyone)
            return all(condition(each) for each in screens)

        until(holds, timeout=30)

    until_all(lambda one: one.state.observed and one.state.broker.phase == "live")
    # Tasks that ended before the first read are not counted.
    until_all(lambda one: one.session.history.collected and one.session.history.collected._followed)
    if kind == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        database = url.rpartition("/")[2]
        # The reply to PUBLISH is the number of clients that receive it.
        assert server.client().publish(f"/{database}.celeryev/task.sent", "{}") == 1
    else:
        rabbit: RabbitServer = request.getfixturevalue("rabbit_server")
        names = rabbit.queue_names(url)
        assert len([name for name in names if name.startswith("celeryev.")]) == 1

    sent = [send(url, "plain.ok", number) for number in range(30)]
    failed = send(url, "plain.fail")
    running = send(url, "plain.slow", 300)
    until_all(lambda one: one.state.totals.succeeded == 30 and one.state.totals.failed == 1)
    for each in screens:
        tasks = each.state.tasks
        assert {tasks[id_].state for id_ in sent} == {"SUCCESS"}
        assert tasks[failed].exception == writer.state.tasks[failed].exception
        assert source_names(tasks[failed].sources) == ("history",)
        assert each.state.rates.succeeded.total == 30
    until_all(lambda one: running in one.state.tasks)

    # So do workers and queues: the broker is not asked.
    until_all(lambda one: one.state.queues and one.state.workers["w1@test"].conf is not None)
    for each in screens:
        worker = each.state.workers["w1@test"]
        assert (worker.pool, worker.slots, worker.sends_heartbeats) == ("prefork", 4, True)
        assert (
            worker.fact("stats").answered_at
            == writer.state.workers["w1@test"].fact("stats").answered_at
        )
        assert each.state.queues["celery"].waiting == 0
        assert each.session.commands_sent <= COMMANDS_TO_CONNECT
    screens[0].session.refresh()
    until_all(lambda one: one is not screens[0] or one.session.refreshed)
    assert screens[0].session.commands_sent > COMMANDS_TO_CONNECT

    # An operation goes straight to the broker, and its outcome comes from the collector.
    screens[0].session.do(Revoke((running,), ("w1@test",), terminate=True))
    until_all(lambda one: one.state.tasks[running].state == "REVOKED")


def test_a_history_that_is_not_written_is_reported(
    redis_url: str, tmp_path: Path, open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_events, "MAX_SILENCE", 1.5)
    location = str(tmp_path / "history.sqlite3")
    screen = open_session(redis_url, cluster=CLUSTER, from_history=location)
    screen.until(lambda: any("No history" in line for line in screen.log))
    writer = collector(open_session, redis_url, location)

    def is_read() -> bool:
        pump(writer)
        screen.pump()
        return "The history is being read again." in screen.log

    until(is_read)
    screen.until(lambda: any("No collector has written" in line for line in screen.log))
    codes = {one.code for one in findings(screen.state, time.time())}
    assert "history-unknown" in codes


def test_tasks_are_read_once_also_of_workers_with_late_clocks(tmp_path: Path) -> None:
    location = str(tmp_path / "history.sqlite3")
    store, inbox, now = open_store(location), Inbox(1_000), time.time()
    read: list[str] = []

    def write(alive_at: float, *tasks: StoredTask) -> None:
        store.write(Batch(tasks=tasks, runs=(Run(CLUSTER, "host:1", now, alive_at),)))

    def live() -> list[str]:
        while (observation := inbox.take()) is not None:
            assert isinstance(observation, HistoryRead)
            read.extend(task.id for task in observation.tasks if observation.live)
        return read

    write(now, stored_task(Task("before", state="SUCCESS"), CLUSTER, now - 1))
    events = StoredEvents(location, CLUSTER, inbox, Roster())
    events.start()
    until(lambda: len(inbox) > 0)
    write(now + 1, stored_task(Task("a", state="SUCCESS"), CLUSTER, now + 1))
    until(lambda: "a" in live())
    late = stored_task(Task("late", state="SUCCESS"), CLUSTER, now - 20)
    running = stored_task(Task("b", state="STARTED"), CLUSTER, now - 6)
    write(now + 2, late, running)
    until(lambda: "late" in live() and "b" in live())
    write(now + 3, stored_task(Task("b", state="SUCCESS"), CLUSTER, now + 3))
    until(lambda: live().count("b") == 2)
    events.stop()
    store.close()
    assert sorted(read) == ["a", "b", "b", "late"]


def test_workers_are_not_silent_while_no_collector_is_running(tmp_path: Path) -> None:
    location, name = str(tmp_path / "history.sqlite3"), "w1@test"
    store, inbox, now = open_store(location), Inbox(1_000), time.time()
    latest, known, screen = LatestObservations(Redaction()), ClusterState(), ClusterState()
    known.observe(
        EventBatch((Event("worker-heartbeat", name, now, freq=2.0, active=0, processed=0),), now)
    )

    def write(at: float) -> None:
        rows = latest.rows(CLUSTER, known, at)
        store.write(Batch(observations=rows, runs=(Run(CLUSTER, "host:1", now, at),)))

    def applied() -> float:
        while (observation := inbox.take()) is not None:
            screen.observe(observation)
        return screen.broker.proved_at

    write(now)
    screen.observe(ConnectionChanged("live", now - 60))
    events = StoredEvents(location, CLUSTER, inbox, Roster())
    events.start()
    until(lambda: applied() == now)
    screen.tick(now + 60)
    assert screen.workers[name].status(screen.broker.listening(now + 60)) == "online"
    write(now + 30)  # one is running, and has received nothing
    until(lambda: applied() == now + 30)
    assert screen.workers[name].status(screen.broker.listening(now + 60)) == "offline"
    events.stop()
    store.close()


def test_what_ended_in_the_hour_before_is_known_by_worker(tmp_path: Path) -> None:
    location, inbox, now = str(tmp_path / "history.sqlite3"), Inbox(1_000), time.time()
    store, latest, known, screen = (
        open_store(location), LatestObservations(Redaction()), ClusterState(), ClusterState()
    )  # fmt: skip
    for name in ("w1@test", "w2@test"):
        known.observe(EventBatch((Event("worker-heartbeat", name, now, freq=2.0),), now))
    minute = int(now) // MINUTE
    counted = [
        Rollup(CLUSTER, "worker", "w1@test", minute - ago, {"n_succeeded": 5.0, "n_failed": 2.0})
        for ago in (2, 20, 200)
    ]
    rows = latest.rows(CLUSTER, known, now)
    run = Run(CLUSTER, "host:1", now, now)
    store.write(Batch(observations=rows, runs=(run,), rollups=tuple(counted)))
    events = StoredEvents(location, CLUSTER, inbox, Roster())
    events.start()

    def failed_of_seen() -> list[tuple[int, int] | None]:
        while (observation := inbox.take()) is not None:
            screen.observe(observation)
        return [worker.failed_of_seen for worker in screen.workers.values()]

    until(lambda: failed_of_seen() == [(4, 14), (0, 0)])
    events.stop()
    store.close()


def test_a_history_of_earlier_is_reported_when_it_is_first_read(tmp_path: Path) -> None:
    location, inbox, now = str(tmp_path / "history.sqlite3"), Inbox(1_000), time.time()
    store, reported = open_store(location), []

    def write(alive_at: float) -> None:
        store.write(Batch(runs=(Run(CLUSTER, "host:1", now - 500, alive_at),)))

    def taken() -> list[object]:
        while (observation := inbox.take()) is not None:
            reported.append(observation)
        return [type(one) for one in reported]

    write(now - 420)
    events = StoredEvents(location, CLUSTER, inbox, Roster())
    events.start()
    until(lambda: QuestionsFailed in taken())
    (failed,) = (one for one in reported if isinstance(one, QuestionsFailed))
    assert failed.fault.problem == "No collector has written the history of shop for 7 m"
    write(now - 418)  # one is running, with a clock that is late
    until(lambda: QuestionsAnswered in taken())
    events.stop()
    store.close()
