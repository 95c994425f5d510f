"""Draining: running tasks finish, no new ones start, and it can be undone until the shutdown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.events.roster import Roster
from celtop.cluster.operations.queues.pause import resume
from celtop.cluster.operations.queues.paused_queues import PausedQueues
from celtop.cluster.operations.running import Refused
from celtop.cluster.operations.workers import drain as drain_module
from celtop.cluster.operations.workers import drain_worker
from celtop.cluster.operations.workers.consumers import consumer_control, consuming
from celtop.cluster.operations.workers.drain import drain
from celtop.cluster.operations.workers.drain_worker import DrainingWorker
from celtop.model.operations.commands import Consumer, Drain, PauseQueue, ResumeQueue
from celtop.model.operations.outcome import Outcome
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.cluster.operations.run_operation import OperationRun
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy
from celtop.tests.servers import CeleryWorker, RedisServer, until

Send = Callable[..., str]


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class DrainUnderWay(OperationRun):
    """A drain in its own thread, as `Control` does it."""

    def __init__(
        self,
        url: str,
        live: RunningSession,
        *workers: str,
        cancel_at: str | None = None,
        cancelled: threading.Event | None = None,
    ) -> None:
        super().__init__(url, Drain(workers=workers), roster_of(live))
        if cancelled is not None:
            self.context.cancelled = cancelled
        if cancel_at is not None:
            self._cancel_at(cancel_at)
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _cancel_at(self, stage: str) -> None:
        before = self.context._on_change

        def changed(outcome: Outcome) -> None:
            if stage in outcome.stage:
                self.context.cancelled.set()
            else:
                before(outcome)

        self.context._on_change = changed

    def _run(self) -> None:
        try:
            self.run(drain)
        except Exception as error:
            self.error = error

    @property
    def stage(self) -> str:
        return self.context.outcome.stage

    def end(self, timeout: float = 25.0) -> Outcome:
        self.thread.join(timeout)
        assert not self.thread.is_alive(), self.stage
        return self.context.outcome


class HeldBack(dict[str, float]):
    """When workers went offline, unknown until an event is set."""

    def __init__(self, until: threading.Event) -> None:
        self._until = until

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, default) if self._until.is_set() else default


def roster_of(live: RunningSession) -> Roster:
    roster = live.session._observers.receiver._roster
    assert isinstance(roster, Roster)
    return roster


def ready(live: RunningSession, *workers: str) -> RunningSession:
    """Wait until the session receives events of the workers."""
    live.until(lambda: roster_of(live).members.keys() >= set(workers))
    return live


def remembered(url: str) -> dict[str, PauseQueue]:
    return PausedQueues().all(BrokerConnection(Settings(broker_url=url)).identity)


def consumed(url: str, worker: str) -> dict[str, Consumer]:
    with consumer_control(OperationRun(url, Drain(workers=())).context) as (control, _):
        return consuming(control.inspect(["active_queues"], [worker]), worker) or {}


def received(worker: CeleryWorker, one: str) -> bool:
    return f"[{one}] received" in worker.child.output


def succeeded(worker: CeleryWorker, one: str) -> bool:
    return f"[{one}] succeeded" in worker.child.output


@pytest.mark.parametrize("pool", ["threads", "prefork", "solo"])
def test_running_tasks_finish_and_no_new_ones_start(
    redis_server: RedisServer,
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
    pool: str,
) -> None:
    worker = start_worker(redis_url, pool=pool, concurrency=1)
    live = ready(open_session(redis_url), "w1@test")
    running = send(redis_url, "plain.slow", 3.0)
    until(lambda: received(worker, running))
    if pool != "solo":
        held = [send(redis_url, "plain.slow", 0.2) for _ in range(3)]
        until(lambda: all(received(worker, one) for one in held))
    act = DrainUnderWay(redis_url, live, "w1@test")
    if pool != "solo":
        until(lambda: act.stage == "w1@test: 1 active, 3 reserved")
        assert consumed(redis_url, "w1@test") == {}
    else:
        until(lambda: "Canceling queue celery" in worker.child.output)
    waiting = [send(redis_url, "plain.ok", number) for number in range(5)]
    outcome = act.end()
    assert act.error is None
    assert outcome.workers["w1@test"].verdict == "confirmed", outcome.workers
    assert outcome.workers["w1@test"].text == "it is offline"
    assert worker.child.wait() == 0
    assert succeeded(worker, running)
    assert pool == "solo" or all(succeeded(worker, one) for one in held)
    assert not any(succeeded(worker, one) for one in waiting)
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    assert client.llen("celery") == 5
    assert remembered(redis_url) == {}


def test_several_at_once_each_when_it_is_empty_itself(
    amqp_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    busy = start_worker(amqp_url, name="busy", queues=["a"], pool="prefork")
    idle = start_worker(amqp_url, name="idle", queues=["b"])
    other = start_worker(amqp_url, name="other", queues=["a"])
    live = ready(open_session(amqp_url), "busy@test", "idle@test", "other@test")
    later = send(amqp_url, "plain.ok", queue="b", countdown=300)
    until(lambda: received(idle, later))
    running = [send(amqp_url, "plain.slow", 3.0, queue="a") for _ in range(2)]
    until(lambda: any(received(busy, one) for one in running))
    mine = [one for one in running if received(busy, one)]
    act = DrainUnderWay(amqp_url, live, "busy@test", "idle@test")
    until(lambda: not idle.child.alive)
    assert busy.child.alive
    outcome = act.end()
    assert {name: one.verdict for name, one in outcome.workers.items()} == {
        "busy@test": "confirmed",
        "idle@test": "confirmed",
    }
    assert "tasks waiting for their ETA returned to their queue (1 at first)" in (
        outcome.workers["idle@test"].text
    )
    assert busy.child.wait() == 0 and all(succeeded(busy, one) for one in mine)
    assert other.child.alive and "a" in consumed(amqp_url, "other@test")
    broker = BrokerConnection(Settings(broker_url=amqp_url))
    connection = broker.connect()
    answer = connection.default_channel.queue_declare("b", passive=True)
    connection.collect()
    assert answer.message_count == 1
    assert remembered(amqp_url) == {}


def test_it_is_undone_exactly_until_the_last_step(
    amqp_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(amqp_url, app="routed", queues=["billing", "safe", "plain"])
    live = ready(open_session(amqp_url), "w1@test")
    before = consumed(amqp_url, "w1@test")
    running = send(amqp_url, "routed.slow", 6.0, queue="plain")
    until(lambda: received(worker, running))
    act = DrainUnderWay(amqp_url, live, "w1@test", "gone@test")
    until(lambda: "w1@test: 1 active" in act.stage)
    assert consumed(amqp_url, "w1@test") == {}
    assert set(remembered(amqp_url)) == {"billing", "safe", "plain"}
    act.context.cancelled.set()
    outcome = act.end()
    assert outcome.workers["gone@test"].verdict == "unsent"
    answer = outcome.workers["w1@test"]
    assert answer.verdict == "restored"
    assert answer.text == "consuming billing, plain, safe, as before"
    assert consumed(amqp_url, "w1@test") == before
    assert remembered(amqp_url) == {}
    topic = {"exchange": "orders", "routing_key": "order.new", "exchange_type": "topic"}
    after = [
        send(amqp_url, "routed.ok", **topic),
        send(amqp_url, "routed.ok", exchange="safe", routing_key="s"),
        send(amqp_url, "routed.ok", queue="plain"),
    ]
    until(lambda: all(succeeded(worker, one) for one in after))
    until(lambda: succeeded(worker, running))
    assert worker.child.alive


def test_cancelling_during_the_last_inspection_undoes_it(
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = start_worker(redis_url)
    live = ready(open_session(redis_url), "w1@test")
    counts = DrainingWorker.update

    def taken_back(one: DrainingWorker, *args: Any) -> None:
        counts(one, *args)
        if one.empty == 2:
            act.context.cancelled.set()

    monkeypatch.setattr(DrainingWorker, "update", taken_back)
    act = DrainUnderWay(redis_url, live, "w1@test")
    answer = act.end().workers["w1@test"]
    assert answer.verdict == "restored" and answer.text.startswith("consuming celery")
    assert "celery" in consumed(redis_url, "w1@test")
    assert worker.child.alive


def test_after_the_last_step_it_is_too_late(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url)
    live = ready(open_session(redis_url), "w1@test")
    # Its end is not seen before the last step is: a worker may be gone at once.
    seen = threading.Event()
    roster_of(live).offline_at = HeldBack(seen)
    act = DrainUnderWay(redis_url, live, "w1@test", cancel_at="shutting down", cancelled=seen)
    outcome = act.end()
    answer = outcome.workers["w1@test"]
    assert (answer.verdict, answer.text) == ("confirmed", "it is offline; too late to undo")
    assert worker.child.wait() == 0
    assert remembered(redis_url) == {}


def test_a_worker_that_dies_meanwhile_is_named_and_remembered(
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drain_worker, "SILENT_AFTER", 2.5)
    worker = start_worker(redis_url)
    live = ready(open_session(redis_url), "w1@test")
    running = send(redis_url, "plain.slow", 30.0)
    until(lambda: received(worker, running))
    act = DrainUnderWay(redis_url, live, "w1@test", "never@test")
    until(lambda: "w1@test: 1 active" in act.stage)
    worker.child.kill()
    outcome = act.end()
    assert {name: one.verdict for name, one in outcome.workers.items()} == {
        "w1@test": "silent",
        "never@test": "silent",
    }
    assert outcome.workers["w1@test"].text == (
        "it no longer replies; if it is online, it does not consume celery until each is resumed"
    )
    assert outcome.workers["never@test"].text == "no reply; nothing was changed"
    assert set(remembered(redis_url)) == {"celery"}


def test_a_consumer_that_is_added_again_ends_the_drain(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(redis_url, queues=["a", "b"])
    live = ready(open_session(redis_url), "w1@test")
    running = send(redis_url, "plain.slow", 6.0, queue="a")
    until(lambda: received(worker, running))
    act = DrainUnderWay(redis_url, live, "w1@test")
    until(lambda: "w1@test: 1 active" in act.stage)
    with consumer_control(OperationRun(redis_url, Drain(workers=())).context) as (control, _):
        control.add("a", [Consumer("w1@test")])
    outcome = act.end()
    assert outcome.workers["w1@test"].verdict == "refused"
    assert outcome.workers["w1@test"].text == ("it consumes a again and was not shut down")
    until(lambda: set(consumed(redis_url, "w1@test")) == {"a", "b"})
    assert worker.child.alive and remembered(redis_url) == {}


def test_it_continues_when_a_lost_broker_is_back(
    redis_server: RedisServer,
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
) -> None:
    worker = start_worker(redis_url)
    live = ready(open_session(redis_url), "w1@test")
    running = send(redis_url, "plain.slow", 3.5)
    until(lambda: received(worker, running))
    proxy = TcpProxy(redis_server.port)
    act = DrainUnderWay(
        redis_url.replace(f":{redis_server.port}", f":{proxy.port}"), live, "w1@test"
    )
    until(lambda: "w1@test: 1 active" in act.stage)
    proxy.close()
    until(lambda: act.stage == "waiting for the broker")
    proxy.open()
    outcome = act.end()
    assert outcome.workers["w1@test"].verdict == "confirmed"
    assert worker.child.wait() == 0 and succeeded(worker, running)
    assert worker.child.output.count("Canceling queue celery") == 1


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_broker_that_stays_lost_leaves_a_way_back(
    cancelled: bool,
    redis_server: RedisServer,
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not cancelled:
        monkeypatch.setattr(drain_module, "RECONNECT_TIMEOUT", 1.0)
    worker = start_worker(redis_url)
    live = ready(open_session(redis_url), "w1@test")
    running = send(redis_url, "plain.slow", 3.0)
    until(lambda: received(worker, running))
    proxy = TcpProxy(redis_server.port)
    url = redis_url.replace(f":{redis_server.port}", f":{proxy.port}")
    act = DrainUnderWay(url, live, "w1@test")
    until(lambda: "w1@test: 1 active" in act.stage)
    proxy.close()
    if cancelled:
        act.context.cancelled.set()
    outcome = act.end()
    assert act.error is not None
    assert outcome.workers["w1@test"].verdict == "unsure"
    assert "does not consume celery until each is resumed" in outcome.workers["w1@test"].text
    assert worker.child.alive
    known = remembered(url)["celery"].consumers
    assert consumed(redis_url, "w1@test") == {}
    command = ResumeQueue(queue="celery", consumers=known)
    OperationRun(redis_url, command).run(resume)
    last = send(redis_url, "plain.ok")
    until(lambda: succeeded(worker, last))


def test_a_session_that_ends_undoes_its_drain(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(redis_url)
    live = ready(open_session(redis_url), "w1@test")
    running = send(redis_url, "plain.slow", 6.0)
    until(lambda: received(worker, running))
    act = live.session.do(Drain(workers=("w1@test",)))
    until(lambda: "w1@test: 1 active" in act.outcome.stage)
    live.session.stop()
    outcome = act.future.result(10)
    assert outcome.workers["w1@test"].text == "consuming celery, as before"
    assert remembered(redis_url) == {}
    last = send(redis_url, "plain.ok")
    until(lambda: succeeded(worker, last))
    assert not succeeded(worker, running)


def test_drains_without_workers_or_undo_are_refused(
    redis_url: str, start_worker: StartWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="no workers are named"):
        OperationRun(redis_url, Drain(workers=())).run(drain)
    start_worker(redis_url)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(Refused, match="cannot write"):
        OperationRun(redis_url, Drain(workers=("w1@test",))).run(drain)
    assert set(consumed(redis_url, "w1@test")) == {"celery"}


def test_an_unreachable_broker_ends_it() -> None:
    operation_run = OperationRun("redis://127.0.0.1:1/0", Drain(workers=("w1@test",)))
    began = time.monotonic()
    with pytest.raises(Exception, match="refused"):
        operation_run.run(drain)
    assert time.monotonic() - began < 10
    assert operation_run.context.outcome.workers == {}
