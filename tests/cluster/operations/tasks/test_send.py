"""Tasks are sent once and exactly; proven by what real workers receive."""

from __future__ import annotations

import datetime
import decimal
import pickle
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from celery import Celery, chain, signature
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.messages.reader import MessageReader
from celtop.cluster.operations.running import Refused
from celtop.cluster.operations.tasks.compose import new
from celtop.cluster.operations.tasks.send import retry, trigger
from celtop.model.operations.call import Call, SentTask
from celtop.model.operations.commands import Retry, Trigger
from celtop.settings import Settings
from celtop.tests.cluster.operations.received_calls import ReceivedCalls
from celtop.tests.cluster.operations.run_operation import OperationRun, run_operation
from celtop.tests.network import TcpProxy
from celtop.tests.servers import (
    APPS,
    CeleryWorker,
    RabbitServer,
    RedisServer,
    app_environment,
    clean_environment,
    until,
)

PARKED = "parked"
"""A queue without consumers, where messages can be inspected."""
PICKLE = {"accept_content": ["json", "pickle"]}
VALUES: tuple[Any, ...] = (
    1,
    -2.5,
    None,
    True,
    "ünïcödé \U0001f600 C:\\new\\t\n'quoted' \"twice\"",
    "x" * 100_000,
    [(1, ("two",)), {"deep": {"er": [{"and": {"er": 1}}]}}],
    decimal.Decimal("1.10"),
    uuid.UUID(int=7),
    datetime.datetime(2026, 11, 21, 9, 30, tzinfo=datetime.UTC),
    b"\x00\xff bytes",
)


CHORD = """
from celery import chord
from exact import take
chord([take.s(n).set(queue="parked") for n in range(2)])(take.s("body").set(queue="exact"))
"""


class Stage(NamedTuple):
    """A broker with a worker that consumes `exact`."""

    url: str
    received: ReceivedCalls
    app: Celery
    redis: Any

    def send(self, name: str, *args: Any, queue: str = PARKED, **options: Any) -> str:
        return str(self.app.send_task(name, args, queue=queue, **options).id)

    def original(self, id_: str, queue: str = "exact") -> SentTask:
        """Return a parked task, as if it had been sent to another queue."""
        broker = BrokerConnection(Settings(broker_url=self.url))
        connection = broker.connect()
        found = MessageReader(connection, broker).find([id_], [PARKED])[id_]
        connection.release()
        call = msgspec.structs.replace(found.call, queue=queue)
        return msgspec.structs.replace(found, call=call)

    def again(self, original: SentTask, with_links: bool = False) -> dict[str, Any]:
        """Send a task again; return what the worker received."""
        outcome = run_operation(
            retry, self.url, Retry(originals=(original,), with_links=with_links)
        )
        assert outcome.having("confirmed") == (original.id,), outcome.targets
        (sent,) = outcome.sent
        assert sent.retry_of == original.id and sent.id != original.id
        return self.received.by(sent.id)


@pytest.fixture(scope="module")
def stage(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("exact")
    url = redis_server.next_url()
    received = ReceivedCalls(directory)
    worker = CeleryWorker(
        directory,
        url,
        app="exact",
        queues=["exact"],
        conf={**PICKLE, "result_backend": url, "result_extended": True},
        env={**received.env, "C_FORCE_ROOT": "1"},
    ).ready()
    app = Celery("client", broker=url, fixups=set(), set_as_current=False)
    yield Stage(url, received, app, redis_server.client(int(url.rsplit("/", 1)[1])))
    worker.child.kill()
    app.close()


@pytest.fixture(autouse=True)
def _empty(request: pytest.FixtureRequest) -> None:
    if "stage" in request.fixturenames:
        stage: Stage = request.getfixturevalue("stage")
        stage.redis.delete(*[f"{PARKED}\x06\x16{step}" for step in (3, 6, 9)], PARKED)


def test_a_waiting_task_is_sent_again_exactly(stage: Stage) -> None:
    options: dict[str, Any] = {
        "kwargs": {"key": VALUES[6], "ü": None},
        "time_limit": 100,
        "soft_time_limit": 50,
        "shadow": "known as",
        "headers": {"tenant": "acme"},
        "stamped_headers": ["mark"],
        "mark": "blue",
        "ignore_result": True,
        "argsrepr": "('<hidden>',)",
    }
    first = stage.received.by(stage.send("exact.take", *VALUES, queue="exact", **options))
    id_ = stage.send("exact.take", *VALUES, priority=6, countdown=3600, expires=7200, **options)
    original = stage.original(id_)
    assert original.call.args == tuple(
        [[1, ["two"]], VALUES[6][1]] if value is VALUES[6] else value for value in VALUES
    )
    second = stage.again(original)
    changed = {key for key in first if first[key] != second[key]}
    assert changed == {"id", "root_id", "correlation_id", "retry_of", "priority"}
    assert second["id"] == second["root_id"] == second["correlation_id"]
    assert (second["retry_of"], second["priority"]) == (id_, 6)
    assert (second["eta"], second["expires"], second["tenant"]) == (None, None, "acme")
    assert stage.redis.llen(f"{PARKED}\x06\x166") == 1, "the original waits on"


def test_an_expired_task_runs_when_it_is_sent_again(stage: Stage) -> None:
    id_ = stage.send("exact.take", 1, expires=0.05)
    time.sleep(0.06)
    assert stage.again(stage.original(id_))["received"] == "((1,), {})"


def test_keyword_only_arguments_arrive(stage: Stage) -> None:
    id_ = stage.send("exact.named", kwargs={"name": "ü", "size": 2})
    assert "'name': 'ü', 'size': 2" in stage.again(stage.original(id_))["received"]


def test_a_pickle_is_sent_again_byte_for_byte_and_never_loaded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: tuple[Any, ...] = ((1, 2), {3}, b"\xff", "callbacks", "chain", [])
    first = stage.received.by(
        stage.send("exact.take", *arguments, queue="exact", serializer="pickle")
    )
    id_ = stage.send("exact.take", *arguments, serializer="pickle")
    with monkeypatch.context() as patch:
        patch.setattr(pickle, "loads", None)
        patch.setattr(pickle, "Unpickler", None)
        original = stage.original(id_)
        assert not original.readable and original.message is not None
        outcome = run_operation(
            retry,
            stage.url,
            Retry(
                originals=(
                    msgspec.structs.replace(
                        original, call=msgspec.structs.replace(original.call, queue="other")
                    ),
                )
            ),
        )
        assert outcome.having("confirmed") == (id_,), outcome.targets
        second = stage.again(original)
    assert second["received"] == first["received"]
    bodies = [msgspec.json.decode(stage.redis.lindex(q, 0))["body"] for q in (PARKED, "other")]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("serializer", ["json", "pickle"])
def test_callbacks_and_a_chain_go_along_only_if_wanted(stage: Stage, serializer: str) -> None:
    last = signature("exact.take", args=("last",), app=stage.app).set(queue="exact")
    id_ = stage.send(
        "exact.take", "first", serializer=serializer, chain=[last.clone()], link=[last.clone()]
    )
    original = stage.original(id_)
    before = len(stage.received.lines())
    if serializer == "json":
        alone = stage.again(original)
        assert (alone["chain"], alone["callbacks"]) == (0, 0)
    else:
        outcome = run_operation(retry, stage.url, Retry(originals=(original,)))
        assert outcome.having("refused") == (id_,)
        assert "pickle" in outcome.targets[id_].text or "python" in outcome.targets[id_].text
        assert not outcome.sent
    whole = stage.again(original, with_links=True)
    assert (whole["chain"], whole["callbacks"]) == (1, 1)
    until(lambda: len(stage.received.lines()) - before == (4 if serializer == "json" else 3))


def test_the_rest_of_a_chain_runs_under_new_ids(stage: Stage) -> None:
    steps = [
        signature("exact.take", args=(name,), app=stage.app).set(queue="exact")
        for name in ("one", "two", "three")
    ]
    steps[0].set(queue=PARKED)
    result = chain(*steps, app=stage.app).apply_async()
    last_id, second_id, first_id = result.id, result.parent.id, result.parent.parent.id
    first = stage.again(stage.original(first_id), with_links=True)
    before = {last_id, second_id, first_id}

    def ran() -> list[dict[str, Any]]:
        return [line for line in stage.received.lines() if line["root_id"] == first["id"]]

    until(lambda: len(ran()) == 3)
    assert [line["received"] for line in ran()] == [
        "(('one',), {})",
        "((1, 'two'), {})",
        "((2, 'three'), {})",
    ]
    assert before.isdisjoint(line["id"] for line in ran())
    assert [line["parent_id"] for line in ran()] == [None, ran()[0]["id"], ran()[1]["id"]]


def test_a_member_of_a_chord_is_not_counted_again(stage: Stage) -> None:
    # In a process of its own: what Celery subscribes to for the result ends with it.
    environment = clean_environment(
        PYTHONPATH=str(APPS), **app_environment(stage.url, {"result_backend": stage.url})
    )
    subprocess.run([sys.executable, "-c", CHORD], env=environment, check=True, timeout=60)
    waiting = [msgspec.json.decode(raw) for raw in stage.redis.lrange(PARKED, 0, -1)]
    assert len(waiting) == 2
    ids = [one["headers"]["id"] for one in waiting]
    group = waiting[0]["headers"]["group"]
    before = len(stage.received.lines())
    for with_links in (False, True):
        for id_ in ids:
            line = stage.again(stage.original(id_), with_links)
            assert (line["group"], line["chord"]) == (None, False)
    key = f"celery-taskset-meta-{group}.j"
    time.sleep(0.3)
    assert stage.redis.zcard(key) == 0, "no part of the chord is done"
    assert len(stage.received.lines()) == before + 4, "its body did not run"


def test_new_tasks_have_all_requested_options(stage: Stage) -> None:
    now = time.time()
    calls = (
        Call("exact.take", VALUES, {"key": [1, {"a": (1,)}]}, "exact"),
        Call("exact.take", (1,), {}, "exact", 3, time_limit=60.0, soft_time_limit=30.0),
        Call("exact.take", (2,), {}, "exact", countdown=1.0, expires_in=600),
        Call("exact.take", (3,), {}, "exact", headers={"tenant": "acme", "id": "mine"}),
        Call("exact.take", (4,), {}, PARKED, 7, eta_at=now + 3600),
    )
    outcome = run_operation(trigger, stage.url, Trigger(calls=calls))
    ids = [sent.id for sent in outcome.sent]
    assert len(set(ids)) == 5 and outcome.having("confirmed") == tuple(ids)
    lines = [stage.received.by(id_) for id_ in ids[:4]]
    direct = stage.received.by(
        stage.send("exact.take", *VALUES, kwargs={"key": [1, {"a": (1,)}]}, queue="exact")
    )
    assert lines[0]["received"] == direct["received"]
    assert lines[0]["argsrepr"] == direct["argsrepr"]
    assert (lines[1]["timelimit"], lines[1]["priority"]) == ([60.0, 30.0], 3)
    assert lines[2]["eta"] and lines[2]["expires"] > lines[2]["eta"]
    assert outcome.sent[2].eta_at is not None and 0.9 < outcome.sent[2].eta_at - now < 3
    assert (lines[3]["tenant"], lines[3]["id"]) == ("acme", ids[3])
    parked = msgspec.json.decode(stage.redis.lindex(f"{PARKED}\x06\x166", 0))
    assert parked["headers"]["id"] == ids[4]
    assert parked["headers"]["eta"].endswith("+00:00")


def test_invalid_calls_are_refused_and_not_sent(stage: Stage) -> None:
    recursive: list[Any] = []
    recursive.append(recursive)
    for call, reason in (
        (Call("exact.take", (1,)), "name one"),
        (Call("", (1,), {}, PARKED), "needs a name"),
        (Call("exact.take", (1,), {}, PARKED * 50), "longer than 255 bytes"),
        (Call("exact.take", (1,), {}, PARKED, 256), "from 0 to 255"),
        (Call("exact.take", (1,), {}, PARKED, headers={1: 2}), "must be strings"),  # type: ignore[dict-item]
        (Call("exact.take", ({1},), {}, PARKED), "cannot encode"),
        (Call("exact.take", (recursive,), {}, PARKED), "cannot encode"),
        (Call("exact.take", (), {}, PARKED, eta_at=1e20), "cannot encode"),
    ):
        with pytest.raises(Refused, match=reason):
            run_operation(trigger, stage.url, Trigger(calls=(call,)))
        original = SentTask("a", msgspec.structs.replace(call, eta_at=None), "worker", 0.0)
        if call.eta_at is None:
            outcome = run_operation(retry, stage.url, Retry(originals=(original,)))
            assert reason in outcome.targets["a"].text and not outcome.sent
    unread = SentTask("a", Call("exact.take", queue=PARKED), "queue", 0.0, readable=False)
    outcome = run_operation(retry, stage.url, Retry(originals=(unread,)))
    assert outcome.having("refused") == ("a",)
    assert stage.redis.llen(PARKED) == 0


def test_one_that_is_refused_holds_up_no_other(stage: Stage) -> None:
    good, bad = Call("exact.take", (1,), {}, PARKED), Call("exact.take", (1,))
    outcome = run_operation(trigger, stage.url, Trigger(calls=(good, bad, good)))
    assert [answer.verdict for answer in outcome.targets.values()].count("confirmed") == 2
    assert outcome.having("refused") == ("exact.take (2)",)
    assert stage.redis.llen(PARKED) == len(outcome.sent) == 2


def test_a_cancelled_operation_sends_nothing(stage: Stage) -> None:
    run = OperationRun(stage.url, Trigger(calls=(Call("exact.take", (1,), {}, PARKED),) * 3))
    run.context.cancelled.set()
    outcome = run.run(trigger)
    assert len(outcome.having("unsent")) == 3 and not outcome.sent
    assert stage.redis.llen(PARKED) == 0


def test_a_key_that_is_no_queue_is_refused_in_the_brokers_words(stage: Stage) -> None:
    stage.redis.hset("no-queue", "a", "b")
    calls = (Call("exact.take", (1,), {}, "no-queue"), Call("exact.take", (1,), {}, PARKED))
    outcome = run_operation(trigger, stage.url, Trigger(calls=calls))
    assert [answer.verdict for answer in outcome.targets.values()] == ["refused", "confirmed"]
    assert "wrong kind of value" in next(iter(outcome.targets.values())).text


def test_the_apps_transport_options_count(redis_server: RedisServer) -> None:
    url = redis_server.next_url()
    options = {"global_keyprefix": "acme:", "sep": ":", "priority_steps": list(range(10))}
    calls = (Call("t", (), {}, PARKED, 7), Call("t", (), {}, PARKED))
    run_operation(trigger, url, Trigger(calls=calls), broker_transport_options=options)
    client = redis_server.client(int(url.rsplit("/", 1)[1]))
    assert sorted(client.keys("*")) == [f"acme:{PARKED}", f"acme:{PARKED}:7"]


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from celtop.cluster.operations.tasks import compose

    call = Call("a", ("x", {"a": {"b": {"c": {}}}}), {}, "q", headers={"h": 1})
    before = new(call, 1.0)
    for name in ("CONFIG_MODULE", "LOADER", "BROKER_URL", "RESULT_BACKEND", "TASK_PROTOCOL"):
        monkeypatch.setenv(f"CELERY_{name}", "nowhere")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "nowhere")
    compose._app.cache_clear()
    after = new(call, 1.0)
    compose._app.cache_clear()
    variable = ("id", "root_id")
    assert {k: v for k, v in before.message.headers.items() if k not in variable} == {
        k: v for k, v in after.message.headers.items() if k not in variable
    }
    assert before.message.body == after.message.body


def cut_while_sending(url: str, port: int, length: Callable[[], int], how: str) -> tuple[Any, int]:
    """Send many tasks, cut the connection in the middle; return the outcome and the length."""
    proxy = TcpProxy(port)
    command = Trigger(calls=(Call("exact.take", ("x" * 1000,), {}, PARKED),) * 20_000)
    # Without events: a connection that breaks with one of those leaves no task in doubt.
    act = OperationRun(url.replace(f":{port}/", f":{proxy.port}/"), command, frugal=True).context
    thread = threading.Thread(target=trigger, args=(command, act))
    thread.start()
    until(lambda: length() > 20)
    getattr(proxy, how)()
    thread.join(90)
    proxy.close()
    assert not thread.is_alive()
    return act.outcome, length()


@pytest.mark.parametrize("how", ["close", "freeze"])
def test_a_connection_that_breaks_leaves_one_in_doubt_and_ends_sending(
    redis_server: RedisServer, how: str
) -> None:
    url = redis_server.next_url()
    client = redis_server.client(int(url.rsplit("/", 1)[1]))
    outcome, length = cut_while_sending(
        url, redis_server.port, lambda: int(client.llen(PARKED)), how
    )
    taken = len(outcome.having("confirmed"))
    assert taken == len(outcome.sent)
    assert len(outcome.having("unsure")) == 1
    assert taken + 1 + len(outcome.having("unsent")) == 20_000
    assert length in (taken, taken + 1)
    assert outcome.fault is not None and not outcome.good


def test_without_a_broker_nothing_is_sent(own_redis: RedisServer) -> None:
    url = own_redis.url()
    own_redis.kill()
    run = OperationRun(url, Trigger(calls=(Call("exact.take", (1,), {}, PARKED),) * 2))
    with pytest.raises(Exception, match="refused"):
        run.run(trigger)
    assert len(run.context.outcome.having("unsent")) == 2


def test_messages_that_rabbitmq_rejects_are_refused_with_its_reason(
    amqp_url: str, rabbit_server: RabbitServer
) -> None:
    connection = BrokerConnection(Settings(broker_url=amqp_url)).connect()
    limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
    connection.default_channel.queue_declare(
        PARKED, durable=True, auto_delete=False, arguments=limits
    )
    connection.release()
    one, huge = Call("t", (), {}, PARKED), Call("t", (), {}, PARKED, headers={"n": 10**30})
    outcome = run_operation(trigger, amqp_url, Trigger(calls=(huge, one, one)))
    answers = list(outcome.targets.values())
    assert [answer.verdict for answer in answers] == ["refused", "confirmed", "refused"]
    assert "too large" in answers[0].text and "full" in answers[2].text
    rabbit_server.api("PUT", "users/weak", {"password": "weak", "tags": ""})
    rights = {"configure": ".*", "write": "^$", "read": ".*"}
    rabbit_server.api("PUT", f"permissions/{amqp_url.rsplit('/', 1)[1]}/weak", rights)
    outcome = run_operation(
        trigger, amqp_url.replace("guest:guest", "weak:weak"), Trigger(calls=(one, one))
    )
    assert [answer.verdict for answer in outcome.targets.values()] == ["refused", "refused"]
    assert all("access to exchange" in answer.text for answer in outcome.targets.values())


def test_rabbitmq_confirms_and_names_the_queue_that_is_missing(
    amqp_url: str, rabbit_server: RabbitServer, tmp_path: Any
) -> None:
    received = ReceivedCalls(tmp_path)
    worker = CeleryWorker(
        tmp_path, amqp_url, app="exact", queues=["exact"], env=received.env
    ).ready()
    try:
        calls = (
            Call("exact.take", ("ü",), {}, "exact", 5, headers={"tenant": "acme"}),
            Call("exact.take", (1,), {}, "nowhere"),
            Call("exact.take", VALUES, {"a": None}, "exact"),
        )
        outcome = run_operation(trigger, amqp_url, Trigger(calls=calls))
        verdicts = [answer.verdict for answer in outcome.targets.values()]
        assert verdicts == ["confirmed", "refused", "confirmed"]
        assert "there is no queue nowhere" in [one.text for one in outcome.targets.values()][1]
        line = received.by(outcome.sent[0].id)
        assert (line["received"], line["priority"]) == ("(('ü',), {})", 5)
        assert line["tenant"] == "acme"
        worker_saw = received.by(outcome.sent[1].id)["received"]
        assert "Decimal('1.10')" in worker_saw and "x" * 100_000 in worker_saw
        original = SentTask("old", calls[0], "worker", 0.0)
        outcome = run_operation(retry, amqp_url, Retry(originals=(original,)))
        assert received.by(outcome.sent[0].id)["retry_of"] == "old"
        assert "nowhere" not in rabbit_server.queue_names(amqp_url)
    finally:
        worker.child.kill()


@pytest.mark.parametrize("how", ["close", "freeze"])
def test_rabbitmq_lost_in_the_middle_leaves_one_in_doubt(
    amqp_url: str, rabbit_server: RabbitServer, how: str
) -> None:
    connection = BrokerConnection(Settings(broker_url=amqp_url)).connect()
    channel = connection.default_channel
    channel.queue_declare(PARKED, durable=True, auto_delete=False)

    def length() -> int:
        return int(channel.queue_declare(PARKED, passive=True).message_count)

    outcome, count = cut_while_sending(amqp_url, rabbit_server.port, length, how)
    connection.release()
    taken = len(outcome.having("confirmed"))
    assert len(outcome.having("unsure")) == 1
    assert taken + 1 + len(outcome.having("unsent")) == 20_000
    assert count in (taken, taken + 1)
