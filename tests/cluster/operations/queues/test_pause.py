"""A paused queue has no consumers, and resuming it restores exactly those it had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.operations.queues.pause import pause, resume
from celtop.cluster.operations.queues.paused_queues import PausedQueues
from celtop.cluster.operations.running import Refused, Unsure
from celtop.cluster.operations.workers.consumers import ConsumerControl, consumer_control, consuming
from celtop.model.operations.commands import AddConsumer, Consumer, PauseQueue, ResumeQueue
from celtop.model.operations.outcome import Outcome
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.cluster.operations.run_operation import OperationRun
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy
from celtop.tests.servers import CeleryWorker, RedisServer, until

Send = Callable[..., str]


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def remembered(url: str) -> dict[str, PauseQueue]:
    return PausedQueues().all(BrokerConnection(Settings(broker_url=url)).identity)


def consumed(url: str, *workers: str) -> dict[str, dict[str, Consumer]]:
    """Ask workers what they consume."""
    context = OperationRun(url, PauseQueue(queue="q", consumers=())).context
    with consumer_control(context) as (control, _):
        replies = control.inspect(["active_queues"], workers)
    return {name: consuming(replies, name) or {} for name in workers}


def do_pause(url: str, queue: str, *workers: str) -> Outcome:
    """Pause a queue at workers of which only the names are known."""
    consumers = tuple(Consumer(name) for name in workers)
    return OperationRun(url, PauseQueue(queue=queue, consumers=consumers)).run(pause)


def do_resume(url: str, queue: str) -> Outcome:
    """Resume what the file remembers, as a later process does."""
    known = remembered(url)[queue].consumers
    return OperationRun(url, ResumeQueue(queue=queue, consumers=known)).run(resume)


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {name: answer.verdict for name, answer in outcome.workers.items()}


def received(worker: CeleryWorker, *ids: str) -> list[str]:
    return [one for one in ids if f"[{one}] received" in worker.child.output]


def succeeded(worker: CeleryWorker, *ids: str) -> list[str]:
    return [one for one in ids if f"[{one}] succeeded" in worker.child.output]


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_on_redis_nothing_is_taken_until_everything_is(
    redis_server: RedisServer, redis_url: str, start_worker: StartWorker, send: Send, pool: str
) -> None:
    workers = [start_worker(redis_url, name=f"w{n}", queues=["a", "b"], pool=pool) for n in (1, 2)]
    before = consumed(redis_url, "w1@test", "w2@test")
    outcome = do_pause(redis_url, "a", "w1@test", "w2@test")
    assert verdicts(outcome) == {"w1@test": "confirmed", "w2@test": "confirmed"}
    assert outcome.targets["a"].verdict == "confirmed"
    assert set(remembered(redis_url)) == {"a"}
    held = [send(redis_url, "plain.ok", n, queue="a") for n in range(30)]
    others = [send(redis_url, "plain.ok", n, queue="b") for n in range(30)]
    until(lambda: sum(len(succeeded(worker, *others)) for worker in workers) == 30)
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    until(lambda: client.llen("a") == 30)
    assert not [one for worker in workers for one in received(worker, *held)]

    outcome = do_resume(redis_url, "a")
    assert verdicts(outcome) == {"w1@test": "confirmed", "w2@test": "confirmed"}
    assert outcome.targets["a"].verdict == "confirmed" and outcome.targets["a"].text == ""
    until(lambda: sum(len(succeeded(worker, *held)) for worker in workers) == 30)
    assert consumed(redis_url, "w1@test", "w2@test") == before
    assert remembered(redis_url) == {}


def test_each_consumer_is_restored_exactly_on_rabbitmq(
    amqp_url: str, start_worker: StartWorker, send: Send
) -> None:
    """A topic exchange, a quorum queue, and a queue that is known by remote control alone."""
    w1 = start_worker(amqp_url, app="routed", queues=["billing", "safe", "plain"])
    w2 = start_worker(amqp_url, app="routed", name="w2", queues=["billing"])
    names = ("w1@test", "w2@test")
    with consumer_control(OperationRun(amqp_url, PauseQueue(queue="q", consumers=())).context) as (
        control,
        _,
    ):
        control.add("extra", [Consumer("w2@test", "orders", "topic", "*.new")])
    until(lambda: "extra" in consumed(amqp_url, *names)["w2@test"])
    before = consumed(amqp_url, *names)
    queues = ("billing", "safe", "extra")
    for queue in queues:
        assert do_pause(amqp_url, queue, *names).targets[queue].verdict == "confirmed"
    known = remembered(amqp_url)
    billing, safe, extra = (known[queue].consumers for queue in queues)
    assert billing == (before["w1@test"]["billing"], before["w2@test"]["billing"])
    assert safe[0].options["queue_arguments"] == {"x-queue-type": "quorum"}
    assert extra == (Consumer("w2@test", "orders", "topic", "*.new"),)

    topic = {"exchange": "orders", "routing_key": "order.new", "exchange_type": "topic"}
    twice = [send(amqp_url, "routed.ok", n, **topic) for n in range(10)]
    once = [send(amqp_url, "routed.ok", n, exchange="safe", routing_key="s") for n in range(10)]
    other = send(amqp_url, "routed.ok", queue="plain")
    until(lambda: succeeded(w1, other))
    assert not received(w1, *twice, *once) and not received(w2, *twice, *once)
    for queue in queues:
        assert do_resume(amqp_url, queue).targets[queue].verdict == "confirmed"
    assert consumed(amqp_url, *names) == before
    twice += [send(amqp_url, "routed.ok", n, **topic) for n in range(10)]

    def runs(one: str) -> int:
        return sum(worker.child.output.count(f"[{one}] succeeded") for worker in (w1, w2))

    # Each of the first ones lay in both queues of the exchange.
    until(lambda: [runs(one) for one in (*twice, *once)] == [2] * 20 + [1] * 10)
    assert remembered(amqp_url) == {}


def test_a_worker_that_was_restarted_gets_the_queue_with_its_arguments(
    amqp_url: str, start_worker: StartWorker, send: Send
) -> None:
    """It has never heard of the quorum queue: declared as a classic one, its connection breaks."""
    start_worker(amqp_url, app="routed", name="maker", queues=["safe"])
    w1 = start_worker(amqp_url, queues=["other"])
    way = consumed(amqp_url, "maker@test")["maker@test"]["safe"]
    mine = Consumer("w1@test", way.exchange, way.exchange_type, way.routing_key, way.options)
    outcome = OperationRun(amqp_url, ResumeQueue(queue="safe", consumers=(mine,))).run(resume)
    assert verdicts(outcome) == {"w1@test": "confirmed"}
    sent = [send(amqp_url, "plain.ok", n, exchange="safe", routing_key="s") for n in range(20)]
    until(lambda: succeeded(w1, *sent))
    assert "PRECONDITION" not in w1.child.output


def test_an_auto_delete_queue_is_not_paused(amqp_url: str, start_worker: StartWorker) -> None:
    start_worker(amqp_url, app="routed", queues=["fleeting"])
    with pytest.raises(Refused, match="fleeting is deleted with all its messages"):
        do_pause(amqp_url, "fleeting", "w1@test")
    assert "fleeting" in consumed(amqp_url, "w1@test")["w1@test"]
    assert remembered(amqp_url) == {}


def test_a_worker_that_came_up_meanwhile_and_one_that_is_gone_are_named(
    redis_url: str, start_worker: StartWorker
) -> None:
    for number in (1, 2):
        start_worker(redis_url, name=f"w{number}", queues=["a"])
    outcome = do_pause(redis_url, "a", "w1@test", "gone@test")
    assert verdicts(outcome) == {
        "w1@test": "confirmed", "gone@test": "silent", "w2@test": "refused",
    }  # fmt: skip
    assert (
        outcome.workers["w2@test"].text
        == "it started meanwhile and consumes a; pause the queue again"
    )
    assert outcome.targets["a"].verdict == "refused"
    assert outcome.targets["a"].text == "still consumed by w2@test"
    outcome = do_resume(redis_url, "a")
    assert verdicts(outcome) == {"w1@test": "confirmed", "gone@test": "silent"}
    assert [one.worker for one in remembered(redis_url)["a"].consumers] == ["gone@test"]


def test_a_worker_that_does_not_consume_it_is_not_given_it_later(
    redis_url: str, start_worker: StartWorker
) -> None:
    start_worker(redis_url, queues=["a"])
    start_worker(redis_url, name="w2", queues=["b"])
    outcome = do_pause(redis_url, "a", "w1@test", "w2@test")
    assert verdicts(outcome) == {"w1@test": "confirmed", "w2@test": "confirmed"}
    assert outcome.workers["w2@test"].text == "it did not consume a"
    assert [one.worker for one in remembered(redis_url)["a"].consumers] == ["w1@test"]
    with pytest.raises(Refused, match="none of the workers consumes a any longer"):
        do_pause(redis_url, "a", "w1@test", "w2@test")
    assert [one.worker for one in remembered(redis_url)["a"].consumers] == ["w1@test"]


def test_a_pause_outlives_a_broken_connection_of_the_worker(
    own_redis: RedisServer, start_worker: StartWorker, send: Send
) -> None:
    proxy = TcpProxy(own_redis.port)
    worker = start_worker(f"redis://127.0.0.1:{proxy.port}/0", queues=["a", "b"])
    url = own_redis.url()
    do_pause(url, "a", "w1@test")
    proxy.close()
    until(lambda: "Connection to broker lost" in worker.child.output)
    proxy.open()
    held = send(url, "plain.ok", queue="a")
    other = send(url, "plain.ok", queue="b")
    until(lambda: succeeded(worker, other))
    assert not received(worker, held)
    do_resume(url, "a")
    until(lambda: succeeded(worker, held))


def test_through_the_session_and_by_a_later_one(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(redis_url, queues=["a", "b"])
    live = open_session(redis_url)
    live.until(lambda: live.state.workers and live.state.workers["w1@test"].queues)
    act = live.session.do(PauseQueue(queue="a", consumers=(Consumer("w1@test"),)))
    outcome = act.future.result(20)
    assert outcome.good, outcome
    held = send(redis_url, "plain.ok", queue="a")
    other = send(redis_url, "plain.ok", queue="b")
    until(lambda: succeeded(worker, other))
    assert not received(worker, held)
    live.session.stop()
    later = open_session(redis_url)
    (known,) = later.session.paused_queues().values()
    act = later.session.do(ResumeQueue(queue=known.queue, consumers=known.consumers))
    assert act.future.result(20).good
    until(lambda: succeeded(worker, held))
    assert later.session.paused_queues() == {}


def test_gone_workers_are_forgotten_and_a_pause_ends_when_all_consume(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    live = open_session(redis_url, audit_file="")
    names = tuple(f"w{number}@test" for number in range(1, 5))
    workers = [start_worker(redis_url, name=f"w{n}", queues=["a", "b"]) for n in range(1, 5)]
    live.until(lambda: all((w := live.state.workers.get(n)) and w.queues for n in names))
    pausing = PauseQueue(queue="a", consumers=tuple(map(Consumer, names)))
    assert live.session.do(pausing).future.result(20).good

    def left() -> list[str]:
        live.pump()
        known = live.session.paused_queues().get("a")
        return [] if known is None else [one.worker for one in known.consumers]

    assert left() == [*names]
    # One is added by hand, one shuts down, one is killed, one stays.
    added = live.session.do(AddConsumer(workers=names[:1], queue="a")).future.result(20)
    assert added.good, added
    assert names[0] not in [one.worker for one in remembered(redis_url)["a"].consumers]
    workers[1].stop()
    workers[2].child.kill()
    live.until(lambda: live.state.workers[names[1]].left_at)
    outcome = live.session.do(ResumeQueue(queue="a", consumers=pausing.consumers[1:]))
    assert verdicts(outcome.future.result(20)) == {
        names[1]: "silent", names[2]: "silent", names[3]: "confirmed",
    }  # fmt: skip
    assert "no reply; forgotten" in outcome.outcome.workers[names[1]].text
    assert left() == [names[2]]
    # Started again it consumes what it is started with: nothing is paused then.
    back = start_worker(redis_url, name="w3", queues=["a", "b"])
    live.session.refresh()
    live.until(lambda: not left())
    back.child.kill()
    forgetting = ResumeQueue(queue="a", consumers=pausing.consumers[2:3], forget=True)
    assert verdicts(live.session.do(forgetting).future.result(20)) == {names[2]: "silent"}
    assert remembered(redis_url) == {}


def test_nothing_is_sent_if_it_could_not_be_remembered(
    redis_url: str, start_worker: StartWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_worker(redis_url, queues=["a"])
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(Refused, match="cannot write"):
        do_pause(redis_url, "a", "w1@test")
    assert "a" in consumed(redis_url, "w1@test")["w1@test"]


def test_invalid_pauses_are_refused(redis_url: str) -> None:
    with pytest.raises(Refused, match="no known worker consumes a"):
        do_pause(redis_url, "a")
    with pytest.raises(Refused, match="cannot be paused"):
        do_pause(redis_url, "w1@h.celery.pidbox", "w1@h")
    with pytest.raises(Refused, match="previous consumers of a are unknown"):
        OperationRun(redis_url, ResumeQueue(queue="a", consumers=())).run(resume)


def test_a_broker_that_is_lost_meanwhile_leaves_it_remembered(
    redis_server: RedisServer, redis_url: str, start_worker: StartWorker
) -> None:
    start_worker(redis_url, queues=["a"])
    proxy = TcpProxy(redis_server.port)
    url = redis_url.replace(f":{redis_server.port}", f":{proxy.port}")
    before = ConsumerControl.cancel

    def cancel(self: ConsumerControl, *args: Any) -> None:
        before(self, *args)
        proxy.close()

    operation_run = OperationRun(url, PauseQueue(queue="a", consumers=(Consumer("w1@test"),)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConsumerControl, "cancel", cancel)
        with pytest.raises(Unsure, match="connection lost"):
            operation_run.run(pause)
    assert verdicts(operation_run.context.outcome) == {"w1@test": "unsure"}
    known = remembered(url)["a"].consumers
    until(lambda: "a" not in consumed(redis_url, "w1@test")["w1@test"])
    OperationRun(redis_url, ResumeQueue(queue="a", consumers=known)).run(resume)
    assert "a" in consumed(redis_url, "w1@test")["w1@test"]
