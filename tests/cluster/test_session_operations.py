"""The operations of a session: each kind is carried out."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from celtop.cluster.operations.registry import perform
from celtop.cluster.results.backends.base import ResultsError
from celtop.model.entities.queue import Queue
from celtop.model.operations import commands as commands
from celtop.model.operations.call import Call, SentTask
from celtop.model.operations.outcome import Outcome
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.cluster.workers import Workers, workers
from celtop.tests.model.operation_cases import kinds
from celtop.tests.servers import RedisServer, until


@pytest.fixture(scope="module")
def pair(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    directory = tmp_path_factory.mktemp("pair")
    with workers(directory, redis_server.next_url(), "prefork", "threads") as made:
        yield made


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_operation_can_be_carried_out(kind: type[commands.Operation]) -> None:
    assert perform.dispatch(kind) is not perform.dispatch(object)


def test_a_task_is_sent_peeked_recovered_and_purged(pair: Workers) -> None:
    session = pair.live.session
    call = Call("plain.ok", args=("é" * 5_000,), kwargs={}, queue="idle")
    sent = pair.do(commands.Trigger(calls=(call,)))
    assert sent.good, sent
    (one,) = sent.sent
    seen = session.lookups.peek("idle", 10).result(20)
    assert [message.id for message in seen.messages] == [one.id]
    pair.live.pump()
    assert one.id in pair.live.state.tasks
    (found,) = session.lookups.recover_calls([one.id]).result(20)
    assert isinstance(found, SentTask)
    assert session.lookups.sent_task(one.id) is not None
    again = pair.do(commands.Retry(originals=(found,)))
    assert again.good, again
    assert again.sent[0].id != one.id
    links = {one.id: one.retry_of for one in session.lookups.peek("idle", 10).result(20).messages}
    assert links == {one.id: None, again.sent[0].id: one.id}
    outcome = pair.do(commands.Purge(queue="idle"))
    assert outcome.count == 2
    assert session.lookups.peek("idle", 10).result(20).messages == ()


def test_a_queue_is_paused_and_resumed_with_its_consumers(pair: Workers) -> None:
    session = pair.live.session
    pair.live.until(lambda: pair.live.state.workers["threads@test"].queues)
    consumers = tuple(commands.Consumer(name) for name in pair.names())
    assert pair.do(commands.PauseQueue(queue="celery", consumers=consumers)).good
    assert not pair.inspect("threads", "active_queues")
    assert set(session.paused_queues()) == {"celery"}
    assert pair.do(commands.ResumeQueue(queue="celery", consumers=consumers)).good
    assert [one["name"] for one in pair.inspect("threads", "active_queues")] == ["celery"]
    assert not session.paused_queues()


def test_a_pause_by_another_celtop_is_seen_in_the_queue(
    pair: Workers, open_session: OpenSession
) -> None:
    """Without waiting for the next inspection, which is far away."""
    live = open_session(pair.url, audit_file="", inspect_interval=600.0)
    consumers = tuple(commands.Consumer(name) for name in pair.names())

    def queue() -> Queue | None:
        live.session.tick(time.time())
        return live.state.queues.get("celery")

    live.until(lambda: (one := queue()) and one.consumers == pair.names())
    assert pair.do(commands.PauseQueue(queue="celery", consumers=consumers)).good
    live.until(lambda: (one := queue()) and one.paused and one.consumers == ())
    assert pair.do(commands.ResumeQueue(queue="celery", consumers=consumers)).good
    live.until(lambda: (one := queue()) and not one.paused and one.consumers == pair.names())


def test_a_result_is_looked_up_or_its_absence_explained(
    pair: Workers, redis_url: str, open_session: OpenSession
) -> None:
    with pytest.raises(ResultsError):
        pair.live.session.lookups.result("x").result(20)
    live = open_session(redis_url, result_backend=redis_url, audit_file="")
    asked = [live.session.lookups.result(str(number)) for number in range(100)]
    assert [one.result(20) for one in asked] == [None] * 100


def test_a_worker_is_drained_while_others_work_on(pair: Workers) -> None:
    outcome: Outcome = pair.do(commands.Drain(workers=pair.names("threads")), timeout=60)
    assert outcome.good, outcome
    assert pair.workers["threads"].child.wait() == 0
    id_ = pair.send("plain.ok")
    until(lambda: pair.logged("prefork", f"plain.ok[{id_}] succeeded"))
