"""Workers' replies to remote-control commands."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.connection.remote_control import RemoteControl
from celtop.cluster.connection.replies import Replies, Reply
from celtop.cluster.polling.workers.inspect_schedule import FREQUENT_COMMANDS, round_cost
from celtop.model.entities.fault import Fault
from celtop.model.health.finding import Finding
from celtop.model.health.findings import findings
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer, until
from kombu.serialization import register

Send = Callable[..., str]


def worker_is_known(live: RunningSession, name: str) -> Callable[[], object]:
    return lambda: (w := live.state.workers.get(name)) is not None and w.conf is not None


def test_replies_of_every_pool_are_applied(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    for pool in ("prefork", "threads", "solo"):
        start_worker(redis_url, name=pool, pool=pool, concurrency=1 if pool == "solo" else 3)
    live = open_session(redis_url)
    for pool in ("prefork", "threads", "solo"):
        live.until(worker_is_known(live, f"{pool}@test"))
        worker = live.state.workers[f"{pool}@test"]
        assert worker.pool == pool
        assert worker.concurrency == (1 if pool == "solo" else 3)
        assert worker.queues is not None
        assert [queue.name for queue in worker.queues] == ["celery"]
        assert worker.registered is not None and "plain.ok" in worker.registered
        assert worker.pid


def test_passwords_in_replies_are_masked(
    open_session: OpenSession, start_worker: StartWorker, redis_server: RedisServer
) -> None:
    redis_server.client().acl_setuser(
        "ops", enabled=True, passwords=["+hunter22"], commands=["+@all"], keys=["*"], channels=["*"]
    )
    database = redis_server.next_url().rsplit("/", 1)[1]
    url = redis_server.url(int(database), credentials="ops:hunter22@")
    start_worker(url, conf={"result_backend": url})
    live = open_session(url)
    live.until(worker_is_known(live, "w1@test"))
    worker = live.state.workers["w1@test"]
    assert "hunter22" not in f"{worker.stats} {worker.conf} {live.log} {live.state.broker}"


def test_a_busy_solo_worker_is_reported_as_not_replying(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    busy = start_worker(redis_url, name="busy", pool="solo")
    start_worker(redis_url, name="idle", queues=["other"])
    live = open_session(redis_url)
    live.until(worker_is_known(live, "busy@test"))
    live.until(worker_is_known(live, "idle@test"))
    task_id = send(redis_url, "plain.slow", 12)
    live.until(lambda: f"plain.slow[{task_id}] received" in busy.child.output)
    live.session.watch(frozenset({"worker:busy@test"}))
    live.session._observers.polling.inspector._schedule.round_at = float("-inf")
    live.session._observers.polling.inspector.wake()
    live.until(lambda: live.state.workers["busy@test"].fact("active").is_failed, 30)
    assert live.state.workers["idle@test"].fact("active").is_answered


def test_consumers_are_unknown_while_a_connected_worker_has_never_replied(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    start_worker(redis_url, name="idle", queues=["other"])
    busy = start_worker(redis_url, name="busy", pool="solo")
    busy.freeze()
    try:
        live = open_session(redis_url)
        live.until(lambda: live.state.fact("workers").is_failed)
        assert live.state.fact("workers").reason == (
            "1 worker (busy@test) connected to the broker, but sent no replies and no heartbeats"
        )
        live.until(worker_is_known(live, "idle@test"))
        assert live.state.consumers("other") is None
    finally:
        busy.child.signal(signal.SIGCONT)
    live.until(lambda: live.state.consumers("celery") == ("busy@test",), 30)


def test_two_workers_with_one_name_are_a_finding_that_names_both(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    workers = [start_worker(redis_url, events=True) for _ in range(2)]
    live = open_session(redis_url)
    live.until(worker_is_known(live, "w1@test"))
    live.until(lambda: live.state.workers["w1@test"].shares_name)
    (one,) = (one for one in findings(live.state, time.time()) if one.code == "worker-shared-name")
    assert one.evidence["pids"] == sorted(worker.child.pid for worker in workers)
    sent = [send(redis_url, "plain.slow", 5) for _ in range(2)]
    live.until(lambda: all(id_ in live.state.tasks for id_ in sent))
    live.session.watch(frozenset({"workers"}))
    live.until(lambda: all(live.state.tasks[id_].state == "SUCCESS" for id_ in sent))
    assert live.state.totals.corrections == {}
    assert not [line for line in live.log if "restarted" in line or "lost" in line]


def test_a_worker_whose_replies_cannot_be_read_is_named_with_the_reason(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    conf = {"task_serializer": "pickle", "accept_content": ["pickle", "json"]}
    start_worker(redis_url, name="pickled", conf=conf, env={"C_FORCE_ROOT": "1"})
    start_worker(redis_url, queues=["other"])
    live = open_session(redis_url)
    live.until(lambda: live.state.workers.keys() == {"pickled@test", "w1@test"})
    pickled, readable = live.state.workers["pickled@test"], live.state.workers["w1@test"]
    reason = "its replies in pickle cannot be read"
    live.until(lambda: pickled.fact("conf").reason == reason)
    live.until(lambda: readable.fact("active_queues").is_answered)
    assert pickled.stats is None
    (found,) = [one for one in findings(live.state, time.time()) if one.incomplete]
    assert found.subject == "worker pickled@test"
    assert found.text == f"inspect failed: {reason}; its values are unknown"
    live.until(lambda: "celery" in live.state.queues)
    assert live.state.queues["celery"].consumers is None
    lookup = live.session.lookups.find_task("unknown-id").result(20)
    (workers,) = [one for one in lookup.places if one.place == "workers"]
    assert workers.found is None
    assert workers.text == "not on w1@test; replies of pickled@test in pickle cannot be read"


def test_a_reply_that_the_worker_cannot_encode_leaves_its_value_unknown(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    register("objects", json.dumps, json.loads, "application/x-objects", "utf-8")
    worker = start_worker(redis_url, app="unencodable")
    held = send(redis_url, "objects.hold", {"request": 1}, 60, serializer="objects")
    until(lambda: f"objects.hold[{held}] received" in worker.child.output)
    live = open_session(redis_url)
    live.until(worker_is_known(live, "w1@test"))
    known = live.state.workers["w1@test"]
    live.until(lambda: known.fact("stats").is_answered and known.fact("active").is_failed)
    live.until(lambda: known.running == 1)  # from its heartbeat, as it cannot list it

    def incomplete() -> list[Finding]:
        return [one for one in findings(live.state, time.time()) if one.incomplete]

    live.until(lambda: len(incomplete()) == 1)  # other commands are repeated, one at a time
    (found,) = incomplete()
    assert found.text == "inspect active failed: no reply; its values are unknown"
    assert found.next_step.startswith("It replies to other commands")
    lookup = live.session.lookups.find_task(held).result(20)
    (workers,) = [one for one in lookup.places if one.place == "workers"]
    assert (workers.found, workers.text) == (None, "no reply from w1@test")


def test_what_cannot_be_asked_is_unknown_and_no_conclusion(
    open_session: OpenSession, start_worker: StartWorker, redis_server: RedisServer, send: Send
) -> None:
    listen = ["+@read", "+@pubsub", "+@connection", "-publish"]
    redis_server.client().acl_setuser(
        "listener", enabled=True, passwords=["+pw"], commands=listen, keys=["*"], channels=["*"]
    )
    url = redis_server.next_url()
    start_worker(url, events=True)
    send(url, "plain.ok", queue="orphan")
    live = open_session(url.replace("//", "//listener:pw@"))
    live.until(lambda: {"celery", "orphan"} <= live.state.queues.keys())
    live.until(lambda: "w1@test" in live.state.workers, 30)
    live.until(lambda: live.state.fact("workers").is_failed)
    live.until(lambda: live.state.queues["orphan"].waiting == 1)
    worker = live.state.workers["w1@test"]
    live.until(lambda: worker.fact("active_queues").is_failed)
    for name in ("celery", "orphan"):
        assert live.state.queues[name].consumers is None
        assert not live.state.queues[name].unattended
    (found,) = [one for one in findings(live.state, time.time()) if one.code == "workers-unknown"]
    assert "lacks a permission" in found.text and found.incomplete
    sent = send(url, "plain.ok")
    live.until(lambda: sent in live.state.tasks and live.state.tasks[sent].state == "SUCCESS")


def test_a_transport_without_remote_control_proves_nothing_about_workers(
    open_session: OpenSession, tmp_path: Path
) -> None:
    live = open_session(f"sqla+sqlite:///{tmp_path}/broker.db", queues=["celery"])
    live.until(lambda: live.state.fact("workers").is_failed)
    assert "sqla:// has no remote control" in live.state.fact("workers").reason
    live.until(lambda: "celery" in live.state.queues)
    assert live.state.queues["celery"].consumers is None


@pytest.fixture
def control(redis_url: str, start_worker: StartWorker) -> RemoteControl:
    start_worker(redis_url)
    broker = BrokerConnection(Settings(broker_url=redis_url))
    return RemoteControl(broker.connect(), broker)


def test_gathering_ends_when_all_have_replied(control: RemoteControl) -> None:
    began = time.monotonic()
    replies = control.gather(["stats", "active"], ["w1@test"], quiet_period=30.0)
    assert time.monotonic() - began < 20.0
    assert set(replies.values()["w1@test"]) == {"stats", "active"}


def test_gathering_ends_without_the_reply_of_an_absent_worker(control: RemoteControl) -> None:
    replies = control.gather(["ping"], ["w1@test", "gone@test"], quiet_period=0.5)
    assert list(replies.to("ping")) == ["w1@test"]
    assert not replies.complete(["w1@test", "gone@test"])


def test_gathering_ends_when_it_is_cancelled(control: RemoteControl) -> None:
    began = time.monotonic()
    control.gather(["ping"], ["gone@test"], quiet_period=30.0, cancelled=lambda: True)
    assert time.monotonic() - began < 20.0


def test_a_late_reply_is_not_taken_for_one_to_another_command(control: RemoteControl) -> None:
    control.gather(["stats"], ["w1@test"], cancelled=lambda: True)
    second: list[Reply] = []
    control.gather(["ping"], ["w1@test"], quiet_period=5.0, on_reply=second.append)
    assert [one.command for one in second] == ["ping"]


def test_a_late_reply_is_added_while_replies_are_received(control: RemoteControl) -> None:
    with control.receiving():
        first = control.send(["stats"], ["w1@test"])
        control.gather(["ping"], ["w1@test"], quiet_period=5.0)
        control.wait(first, ["w1@test"], quiet_period=5.0)
    assert first.complete(["w1@test"])


def test_of_two_workers_with_one_name_the_error_is_kept() -> None:
    replies = Replies(["ping"])
    for value, error in (("pong", None), (None, "no"), ("pong", None)):
        replies.add(Reply("w1@test", "ping", value, error))
    assert replies.to("ping")["w1@test"].error == "no"
    assert replies.duplicates == {"w1@test"}


def test_replies_in_several_serializers_are_not_attributed_to_one() -> None:
    replies = Replies(["ping"], addressed=True)
    replies.add_unreadable("ping", "YAML")
    replies.add_unreadable("ping", "msgpack")
    assert replies.unreadable_from(["a", "b"], "ping") == "msgpack or YAML"
    assert replies.unreadable_from(["a", "b", "c"], "ping") is None


def test_an_error_is_an_error(control: RemoteControl) -> None:
    reply = control.gather(["no_such"], ["w1@test"], quiet_period=5.0).to("no_such")["w1@test"]
    assert reply.error is not None and "no_such" in reply.error


def test_election_is_never_sent(control: RemoteControl) -> None:
    with pytest.raises(ValueError, match="crashes"):
        control.broadcast("election")


@pytest.mark.parametrize(
    ("topics", "frugal", "most"),
    [
        ((), False, 10.0),
        (("tasks",), False, 10.0),
        (("overview", "workers", "queues"), False, 30.0),
        (("workers",), False, 30.0),
        (("queues", "consumers"), True, 10.0),
        (("workers", "queues"), True, 10.0),
    ],
)
def test_an_idle_cluster_costs_few_commands(
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    topics: tuple[str, ...],
    frugal: bool,
    most: float,
) -> None:
    """Return the cost that the schedule expects."""
    start_worker(redis_url)
    live = open_session(redis_url, frugal=frugal)
    live.until(worker_is_known(live, "w1@test"))
    inspector, queues = (
        live.session._observers.polling.inspector,
        live.session._observers.polling.queues,
    )
    live.session.watch(frozenset({"queues"}))
    live.until(lambda: queues._count >= 4)
    live.session.watch(frozenset(topics))
    commands, names = inspector._schedule.plan()
    per_round = round_cost(len(commands), len(names))
    interval = inspector._schedule.next_round_at - inspector._schedule.round_at
    assert 60.0 * per_round / interval + 60.0 * queues._cost / queues._interval() <= most


def test_a_round_costs_at_most_what_the_schedule_assumes(
    redis_url: str, start_worker: StartWorker
) -> None:
    start_worker(redis_url)
    broker = BrokerConnection(Settings(broker_url=redis_url))
    control = RemoteControl(broker.connect(), broker)
    for _ in range(2):
        before = broker.meter.sent
        replies = control.gather(FREQUENT_COMMANDS, ["w1@test"], quiet_period=5.0)
        cost = broker.meter.sent - before
    assert len(replies.values()["w1@test"]) == 4
    assert cost <= round_cost(len(FREQUENT_COMMANDS), 1)


def test_polling_pauses_without_a_consumer(
    redis_url: str, open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.cluster.polling.queues.queue_poller.PAUSE_AFTER", 0.5)
    monkeypatch.setattr("celtop.cluster.polling.workers.inspector.PAUSE_AFTER", 0.5)
    live = open_session(redis_url, queue_interval=0.5)
    live.session.watch(frozenset({"queues"}))
    live.until(lambda: live.session._observers.polling.queues._count > 1)
    until(lambda: live.session._inbox.seconds_since_take() > 1.0)
    count = live.session._observers.polling.queues._count
    seen = time.monotonic()
    until(lambda: time.monotonic() - seen > 1.5)
    assert live.session._observers.polling.queues._count == count
    live.until(lambda: live.session._observers.polling.queues._count > count)


def consumers(live: RunningSession, queue: str) -> tuple[str, ...] | None:
    live.state.tick(time.time())
    return live.state.consumers(queue)


def test_workers_reply_again_after_the_reply_queue_was_flushed(
    redis_server: RedisServer, redis_url: str, control: RemoteControl
) -> None:
    assert control.gather(["ping"], ["w1@test"]).to("ping")
    redis_server.client(int(redis_url.rsplit("/", 1)[1])).flushdb()
    assert not control.gather(["ping"], ["w1@test"], quiet_period=1.0).to("ping")
    assert control.gather(["ping"], ["w1@test"]).to("ping")


@pytest.fixture
def cancelled(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> RunningSession:
    """Open a session with two queues of a worker, one of which it has stopped consuming since."""
    start_worker(redis_url, queues=["mail", "geo"])
    live = open_session(redis_url, inspect_interval=1.0, queue_interval=0.5)
    live.until(worker_is_known(live, "w1@test"))
    live.session.watch(frozenset({"queues"}))
    live.until(lambda: live.session._observers.polling.queues._count > 3)
    live.session.watch(frozenset())
    live.until(lambda: consumers(live, "mail") == ("w1@test",))
    broker = BrokerConnection(Settings(broker_url=redis_url))
    remote = RemoteControl(broker.connect(), broker)
    live.session._observers.polling.inspector._schedule.round_at = time.monotonic() + 1e6
    remote.gather(
        ["cancel_consumer"], ["w1@test"], arguments={"cancel_consumer": {"queue": "mail"}}
    )
    return live


def test_consumers_on_the_screen_follow_the_workers(cancelled: RunningSession) -> None:
    cancelled.session.watch(frozenset({"queues", "consumers"}))
    cancelled.until(lambda: consumers(cancelled, "mail") == ())
    assert consumers(cancelled, "geo") == ("w1@test",)


def test_consumers_are_inspected_when_their_queue_grows(
    cancelled: RunningSession, redis_url: str, send: Send
) -> None:
    send(redis_url, "plain.ok", queue="mail")
    cancelled.session._observers.polling.queues.wake(refresh=True)
    cancelled.until(lambda: consumers(cancelled, "mail") == ())
    assert cancelled.state.queues["mail"].unattended


def test_the_list_of_workers_is_asked_for_again_after_a_fault(
    redis_url: str, open_session: OpenSession
) -> None:
    live = open_session(redis_url)
    live.session.watch(frozenset({"workers"}))
    live.until(lambda: live.state.fact("workers").is_answered)
    inspector = live.session._observers.polling.inspector
    inspector.failed(Fault("memory", "out of memory", ""))  # as while the broker is blocked
    live.until(lambda: live.state.fact("workers").is_failed)
    inspector._schedule.round_at = float("-inf")
    inspector.wake()
    live.until(lambda: live.state.fact("workers").is_answered)
