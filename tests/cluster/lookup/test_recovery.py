"""Calls are recovered exactly, or with a reason not at all; with real workers and backends."""

from __future__ import annotations

import datetime
import decimal
import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.connection.remote_control import RemoteControl
from celtop.cluster.connection.replies import Replies
from celtop.cluster.lookup.best_source import KnownTask, known_task
from celtop.cluster.lookup.recovery import Recovery
from celtop.cluster.messages.sent_cache import SentCache
from celtop.cluster.operations.tasks.compose import again as again_message
from celtop.cluster.operations.tasks.send import retry
from celtop.cluster.results.open import open_results
from celtop.model.operations.call import Recovered, SentTask, Unrecoverable
from celtop.model.operations.commands import Retry
from celtop.model.routing import Routing
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.cluster.operations.received_calls import ReceivedCalls
from celtop.tests.cluster.operations.run_operation import run_operation
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer, until

Send = Any
LONG = "ünïcödé \U0001f600 " * 500
"""More than 5,000 characters."""


@pytest.fixture
def received(tmp_path: Path) -> ReceivedCalls:
    return ReceivedCalls(tmp_path)


def find(
    url: str,
    wanted: Sequence[KnownTask],
    cache: SentCache | None = None,
    workers: Sequence[str] = ("w1@test",),
    queues: Iterable[str] = (),
    **settings: Any,
) -> tuple[Recovered, ...]:
    """Recover tasks with nothing kept from before."""
    broker = BrokerConnection(Settings(broker_url=url, **settings))
    kept = cache if cache is not None else SentCache()
    results = open_results(broker.settings)
    return Recovery(wanted, broker, kept, results, Routing()).run(workers, queues)


def found(url: str, wanted: KnownTask, **options: Any) -> SentTask:
    (one,) = find(url, [wanted], **options)
    assert isinstance(one, SentTask), one
    return one


def lost(url: str, wanted: KnownTask, **options: Any) -> Unrecoverable:
    (one,) = find(url, [wanted], **options)
    assert isinstance(one, Unrecoverable), one
    return one


def finished(live: RunningSession, id_: str) -> KnownTask:
    """Wait until a task has finished and return what is known about it."""
    live.until(lambda: (task := live.state.tasks.get(id_)) is not None and task.finished)
    return known_task(id_, live.state)


def run_again(url: str, original: SentTask, received: ReceivedCalls) -> dict[str, Any]:
    outcome = run_operation(retry, url, Retry(originals=(original,)))
    assert outcome.having("confirmed") == (original.id,), outcome.targets
    return received.by(outcome.sent[0].id)


def test_a_failed_task_with_result_extended_is_retried_exactly(
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
    received: ReceivedCalls,
) -> None:
    conf = {"result_backend": redis_url, "result_extended": True}
    start_worker(redis_url, app="exact", events=True, conf=conf, env=received.env)
    live = open_session(redis_url)
    live.until_live()
    id_ = send(
        redis_url, "exact.fail", LONG, [1, ("a",)], kwargs={"ü": None}, queue="celery", priority=6
    )
    wanted = finished(live, id_)
    first = received.by(id_)
    original = found(redis_url, wanted, result_backend=redis_url)
    assert original.source == "backend" and "callbacks" in original.missing
    again = run_again(redis_url, original, received)
    assert again["received"] == first["received"] and LONG in again["received"]
    assert again["retry_of"] == id_


def test_a_truncated_repr_is_not_retried(
    redis_url: str,
    redis_server: RedisServer,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
    received: ReceivedCalls,
) -> None:
    conf = {"result_backend": redis_url}
    start_worker(redis_url, app="exact", events=True, conf=conf, env=received.env)
    live = open_session(redis_url)
    live.until_live()
    id_ = send(redis_url, "exact.fail", LONG, kwargs={"a": 1})
    wanted = finished(live, id_)
    one = lost(redis_url, wanted, result_backend=redis_url)
    assert "shortened" in one.reason and "result_extended is off" in one.reason
    assert one.known is not None and one.known.name == "exact.fail"
    assert one.args_text and one.kwargs_text == "{'a': 1}"
    short = send(redis_url, "exact.fail", "ü", [1.5, ("a",)], kwargs={"a": {"b": None}})
    original = found(redis_url, finished(live, short), result_backend=redis_url)
    assert original.source == "event"
    assert original.call.args == ("ü", [1.5, ("a",)])
    original = found(redis_url, finished(live, short))
    again = run_again(redis_url, original, received)
    assert again["received"] == received.by(short)["received"]
    raw = send(redis_url, "exact.fail", b"\x00\xff")
    assert "contains more than plain values" in lost(redis_url, finished(live, raw)).reason
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    assert client.llen("celery") == 0
    assert len(received.lines()) == 4, "three were sent, and one of them again"


def test_waiting_reserved_and_running_tasks_are_recovered(
    redis_url: str, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url, pool="solo", options=["--prefetch-multiplier", "1"])
    start_worker(redis_url, name="w2", pool="threads", queues=["other"])
    held = send(redis_url, "plain.ok", LONG, countdown=3600, queue="other")
    running = send(redis_url, "plain.slow", 6.5, queue="other", priority=3)
    waiting = send(redis_url, "plain.ok", LONG, queue="unconsumed", priority=9, headers={"x": 1})
    unheard = send(redis_url, "plain.ok", 7, queue="unconsumed")
    names = ("w1@test", "w2@test")

    def running_is_found() -> Recovered | None:
        one = find(redis_url, [KnownTask(running, "STARTED")], workers=names)[0]
        return one if isinstance(one, SentTask) and one.source == "worker" else None

    original = until(running_is_found)
    assert isinstance(original, SentTask)
    assert original.call.args == (6.5,) and original.call.queue == "other"
    assert original.call.priority == 3 and "callbacks" in original.missing
    wanted = [
        KnownTask(held, "RECEIVED"),
        KnownTask(waiting, "PENDING", queue="unconsumed"),
        KnownTask(unheard),
        KnownTask("no-such-task", "PENDING", queue="unconsumed"),
    ]
    kept = SentCache()
    several = find(redis_url, wanted, kept, workers=names, queues=["unconsumed", "other"])
    assert [one.id for one in several] == [one.id for one in wanted]
    recovered = [one for one in several if isinstance(one, SentTask)]
    assert [one.source for one in recovered] == ["unacked", "queue", "queue"]
    assert [one.call.queue for one in recovered] == ["other", "unconsumed", "unconsumed"]
    assert all(one.message is not None and not one.missing for one in recovered)
    assert recovered[0].call.args == (LONG,) and recovered[1].call.headers == {"x": 1}
    assert isinstance(several[3], Unrecoverable) and "unknown" in several[3].reason
    assert kept.get(held) is not None and kept.get(waiting) is not None


def test_a_worker_reports_every_json_type(
    redis_url: str, start_worker: StartWorker, send: Send, received: ReceivedCalls
) -> None:
    start_worker(redis_url, app="exact", env=received.env)
    values = (
        decimal.Decimal("1.10"),
        uuid.UUID(int=7),
        datetime.datetime(2026, 11, 21, 9, 30, tzinfo=datetime.UTC),
        datetime.date(2026, 11, 21),
        b"\x00\xff",
        {"deep": [("tuple", 1.0), None]},
        "C:\\new 'quoted'\n" + LONG,
    )
    id_ = send(redis_url, "exact.hold", 3, *values, kwargs={"key": values}, priority=3)
    first = received.by(id_)
    (original,) = find(redis_url, [KnownTask(id_, "STARTED")])
    assert isinstance(original, SentTask) and original.source == "worker"
    assert original.call.priority == 3
    again = run_again(redis_url, original, received)
    assert again["received"] == first["received"]
    assert again["priority"] == 3


def test_a_task_waiting_for_a_retry_starts_over(
    redis_url: str, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url)
    id_ = send(redis_url, "plain.retry", 3600)
    wanted = KnownTask(id_, "RETRY", "plain.retry", queue="celery")

    def recovered() -> SentTask | None:
        one = find(redis_url, [wanted])[0]
        retried = isinstance(one, SentTask) and one.message and one.message.headers["retries"] == 1
        return one if isinstance(one, SentTask) and retried else None

    original = until(recovered)
    assert original is not None and original.source in ("queue", "unacked")
    sent = again_message(original, 0.0, with_links=False)
    assert (sent.message.headers["retries"], sent.message.headers["eta"]) == (0, None)
    assert sent.message.headers["parent_id"] is None, "Celery makes a retry its own child"
    assert original.call.args == (3600,)


def test_the_cache_is_used_when_no_other_source_has_the_call(redis_url: str) -> None:
    kept = SentCache()
    item: dict[str, Any] = {
        "id": "a",
        "name": "t",
        "args": [LONG],
        "kwargs": {},
        "delivery_info": None,
    }
    kept.add_reply("active", [item], 1.0)
    wanted = KnownTask("a", "FAILURE", "t", "('...',)", "{}", "bills", 3)
    original = found(redis_url, wanted, cache=kept)
    assert (original.source, original.call.queue) == ("worker", "bills")
    assert original.call.args == (LONG,)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (KnownTask("a"), "no event with its name and arguments was received"),
        (KnownTask("a", "FAILURE", "t", None, "{}"), "the arguments are unknown"),
        (KnownTask("a", "FAILURE", "t", "('***',)", "{}"), "masked"),
        (KnownTask("a", "FAILURE", "t", "(1,)", "{'a': b'6279'}"), "keyword arguments"),
        (KnownTask("a", "FAILURE", "t", "(1,)", "{}", serializer="pickle"), "sends pickle"),
    ],
)
def test_an_uncertain_call_is_not_recovered(redis_url: str, wanted: KnownTask, reason: str) -> None:
    one = lost(redis_url, wanted, workers=())
    assert reason in one.reason
    assert (one.args_text, one.kwargs_text) == (wanted.args, wanted.kwargs)


def test_a_call_in_another_serializer_is_not_sent_as_json(redis_url: str) -> None:
    """A tuple is a list by then, and workers that take pickle mostly take nothing else."""
    kept = SentCache()
    kept.add_reply("active", [{"id": "a", "name": "t", "args": [[1]], "kwargs": {}}], 1.0)
    wanted = KnownTask("a", "FAILURE", "t", "((1,),)", "{}", "q", serializer="pickle")
    one = lost(redis_url, wanted, cache=kept, workers=())
    assert "sends pickle" in one.reason
    assert one.known is not None and one.known.args == ([1],)


def test_a_task_that_modifies_its_arguments_is_retried_with_the_originals(
    redis_url: str, start_worker: StartWorker, send: Send, received: ReceivedCalls
) -> None:
    """The backend writes down what the task was given after the task has had it in its hands."""
    conf = {"result_backend": redis_url, "result_extended": True}
    start_worker(redis_url, app="exact", conf=conf, env=received.env)
    id_ = send(redis_url, "exact.change", [1, 2])
    received.by(id_)
    from_event = KnownTask(id_, "SUCCESS", "exact.change", "([1, 2],)", "{}", "celery")
    text = "x" * 1_000

    def settled() -> SentTask | None:
        one = found(redis_url, from_event, result_backend=redis_url)
        other = find(
            redis_url, [KnownTask(id_, "SUCCESS", "exact.change")], result_backend=redis_url
        )[0]
        return one if isinstance(other, SentTask) and other.call.args == ([1, 2, 3],) else None

    original = until(settled)
    assert original is not None
    assert (original.source, original.call.args) == ("event", ([1, 2],))
    long_id = send(redis_url, "exact.change", [1, 2], text, text)
    received.by(long_id)
    cut = KnownTask(long_id, "SUCCESS", "exact.change", f"([1, 2], '{text}', ...)", "{}", "celery")

    def doubted() -> bool:
        one = find(redis_url, [cut], result_backend=redis_url)[0]
        return isinstance(one, SentTask) and any("modified" in word for word in one.missing)

    until(doubted)


def test_a_custom_repr_is_sent_again(
    redis_url: str, start_worker: StartWorker, send: Send, received: ReceivedCalls
) -> None:
    conf = {"result_backend": redis_url, "result_extended": True}
    start_worker(redis_url, app="exact", conf=conf, env=received.env)
    id_ = send(redis_url, "exact.take", "4242-1234", argsrepr="('<card>',)")
    received.by(id_)
    wanted = KnownTask(id_, "SUCCESS", "exact.take", "(<card>,)", "{}", "celery")

    def settled() -> Recovered | None:
        one = find(redis_url, [wanted], result_backend=redis_url)[0]
        return one if isinstance(one, SentTask) else None

    original = until(settled)
    assert isinstance(original, SentTask) and original.source == "backend"
    again = run_again(redis_url, original, received)
    assert (again["received"], again["argsrepr"]) == ("(('4242-1234',), {})", "(<card>,)")


def test_hundreds_of_tasks_cost_few_commands(
    redis_url: str, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url, queues=["other"])
    ids = [send(redis_url, "plain.ok", number, queue="unconsumed") for number in range(400)]
    wanted = [KnownTask(id_, "PENDING", queue="unconsumed") for id_ in ids]
    wanted += [KnownTask(f"gone-{number}", "STARTED") for number in range(800)]
    broker = BrokerConnection(Settings(broker_url=redis_url))
    results = open_results(Settings(broker_url=redis_url, result_backend=redis_url))
    several = Recovery(wanted, broker, SentCache(), results, Routing()).run(["w1@test"], [])
    assert [isinstance(one, SentTask) for one in several] == [True] * 400 + [False] * 800
    assert broker.meter.sent < 60


def test_a_worker_that_does_not_reply_is_awaited_once(
    redis_url: str, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_worker(redis_url)
    complete: list[bool] = []
    gather = RemoteControl.gather

    def gathered(control: RemoteControl, commands: Any, expected: Any, **options: Any) -> Replies:
        replies = gather(control, commands, expected, **options)
        complete.append(expected is not None and replies.complete(expected))
        return replies

    monkeypatch.setattr(RemoteControl, "gather", gathered)
    wanted = [KnownTask(f"gone-{number}", "STARTED") for number in range(1_500)]
    several = find(redis_url, wanted, workers=("w1@test", "silent@test"))
    assert complete == [False, True, True], "blocks that ended with everyone's answer"
    assert all(isinstance(one, Unrecoverable) for one in several)
    complete.clear()
    find(redis_url, wanted, workers=())
    assert complete == [False, True, True]


def test_a_key_that_is_not_a_queue_does_not_stop_the_recovery(
    redis_url: str, redis_server: RedisServer, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url)
    redis_server.client(int(redis_url.rsplit("/", 1)[1])).hset("odd", "a", "b")
    id_ = send(redis_url, "plain.slow", 5)

    def recovered() -> Recovered | None:
        one = find(redis_url, [KnownTask(id_)], queues=["odd"])[0]
        return one if isinstance(one, SentTask) else None

    original = until(recovered)
    assert isinstance(original, SentTask) and original.source == "worker"


def test_without_a_broker_the_cache_is_used(own_redis: RedisServer) -> None:
    url = own_redis.url()
    own_redis.kill()
    kept = SentCache()
    item: dict[str, Any] = {
        "id": "a",
        "name": "t",
        "args": [1],
        "kwargs": {},
        "delivery_info": None,
    }
    kept.add_reply("active", [item], 1.0)
    one, other = find(url, [KnownTask("a", "STARTED"), KnownTask("b", "STARTED", "t")], kept)
    assert isinstance(one, SentTask)
    assert isinstance(other, Unrecoverable) and "connection refused" in other.reason
    assert other.passing


def test_only_a_source_that_cannot_be_searched_now_may_be_searched_later(
    redis_url: str, own_redis: RedisServer
) -> None:
    wanted = KnownTask("a", "FAILURE", "t", "(1, ...", "{}")
    assert not lost(redis_url, wanted).passing, "there is no result backend"
    assert not lost(redis_url, wanted, result_backend=redis_url).passing
    url = own_redis.url()
    own_redis.kill()
    assert lost(redis_url, wanted, result_backend=url).passing


def test_the_result_backend_may_be_named_later_by_a_worker(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    live = open_session(redis_url)

    def search() -> Recovered:
        live.pump()
        return live.session.lookups.recover_calls(["no-such-task"]).result(20)[0]

    before = search()
    assert isinstance(before, Unrecoverable) and before.passing
    start_worker(redis_url, conf={"result_backend": redis_url})

    def settled() -> bool:
        found = search()
        return isinstance(found, Unrecoverable) and not found.passing

    until(settled)


def test_on_rabbitmq_only_workers_are_asked(
    amqp_url: str, start_worker: StartWorker, send: Send
) -> None:
    start_worker(amqp_url)
    id_ = send(amqp_url, "plain.slow", 8)
    deadline = time.time() + 8

    def recovered() -> Recovered | None:
        one = find(amqp_url, [KnownTask(id_, "RECEIVED")])[0]
        assert time.time() < deadline
        return one if isinstance(one, SentTask) else None

    original = until(recovered)
    assert isinstance(original, SentTask)
    assert (original.source, original.call.args) == ("worker", (8,))
    assert original.call.queue == "celery"
    waiting = send(amqp_url, "plain.ok", 1, queue="unconsumed")
    one = lost(amqp_url, KnownTask(waiting, "PENDING", "plain.ok", None, None, "unconsumed"))
    assert "RabbitMQ cannot show waiting messages" in one.reason


def test_a_session_retries_a_task_and_links_both(
    redis_url: str,
    tmp_path: Path,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
    received: ReceivedCalls,
) -> None:
    conf = {"result_backend": redis_url, "result_extended": True}
    start_worker(redis_url, app="exact", events=True, conf=conf, env=received.env)
    live = open_session(
        redis_url, result_backend=redis_url, audit_file=str(tmp_path / "audit.jsonl")
    )
    live.until_live()
    id_ = send(redis_url, "exact.fail", LONG, queue="celery")
    finished(live, id_)
    with Celery("other", broker=redis_url, fixups=set(), set_as_current=False) as other:
        other.control.revoke(id_, reply=True, limit=1)
    search = live.session.lookups.recover_calls([id_, "no-such-task"], for_retry=True)
    found, unknown = search.result(20)
    assert isinstance(found, SentTask) and isinstance(unknown, Unrecoverable)
    assert found.revoked_by == ("w1@test",)
    outcome = live.session.do(Retry(originals=(found,))).future.result(20)
    assert outcome.good, outcome
    new = outcome.sent[0].id
    live.until(lambda: new in live.state.tasks and live.state.tasks[new].finished)
    first, second = (live.state.tasks[one].extra for one in (id_, new))
    assert first is not None and first.retried_as == new
    assert second is not None and second.retry_of == id_
    assert received.by(new)["received"] == received.by(id_)["received"]
