"""The events of tasks that celtop sends, as other monitors receive them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from celtop.cluster.operations.tasks.send import trigger
from celtop.cluster.operations.tasks.sent_events import SentEvents
from celtop.model.operations.call import Call
from celtop.model.operations.commands import Trigger
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.cluster.operations.run_operation import run_operation
from celtop.tests.network import TcpProxy
from celtop.tests.servers import RabbitServer, RedisServer

Send = Callable[..., str]

CALLS = Trigger(calls=tuple(Call("exact.take", (number,), queue="q") for number in range(22)))


@pytest.mark.parametrize("kind", ["redis", "amqp"])
def test_other_monitors_receive_the_queue(
    kind: str, request: pytest.FixtureRequest, open_session: OpenSession, send: Send
) -> None:
    url: str = request.getfixturevalue(f"{kind}_url")
    live = open_session(url)
    live.until_live()
    send(url, "exact.take", queue="q")  # which declares the queue
    outcome = run_operation(trigger, url, CALLS)
    assert len(outcome.having("confirmed")) == 22
    last = outcome.sent[-1].id
    live.until(lambda: last in live.state.tasks)
    assert {live.state.tasks[one.id].queue for one in outcome.sent} == {"q"}
    task = live.state.tasks[last]
    assert (task.name, task.args, task.sent_at) == ("exact.take", "(21,)", outcome.sent[-1].at)


def test_frugal_sends_none(redis_url: str, open_session: OpenSession) -> None:
    live = open_session(redis_url)
    live.until_live()
    outcome = run_operation(trigger, redis_url, CALLS, frugal=True)
    assert len(outcome.having("confirmed")) == 22
    run_operation(trigger, redis_url, Trigger(calls=CALLS.calls[:1]))
    live.until(lambda: live.state.tasks)
    assert len(live.state.tasks) == 1


def test_a_connection_that_breaks_with_an_event_leaves_no_task_in_doubt(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = redis_server.next_url()
    proxy = TcpProxy(redis_server.port)
    publish = SentEvents._publish

    def freeze_and_publish(events: SentEvents, texts: list[dict[str, Any]]) -> None:
        if events._channel is not None:
            proxy.freeze()
        publish(events, texts)

    monkeypatch.setattr(SentEvents, "_publish", freeze_and_publish)
    proxied = url.replace(f":{redis_server.port}/", f":{proxy.port}/")
    outcome = run_operation(trigger, proxied, Trigger(calls=CALLS.calls * 2))
    proxy.close()
    assert len(outcome.having("confirmed")) == 44 and outcome.fault is None
    assert redis_server.client(int(url.rsplit("/", 1)[1])).llen("q") == 44


def test_a_missing_permission_for_events_is_no_failure(
    rabbit_server: RabbitServer, amqp_url: str, send: Send
) -> None:
    send(amqp_url, "exact.take", queue="q")
    vhost = amqp_url.rsplit("/", 1)[1]
    rabbit_server.api("PUT", "users/eventless", {"password": "pw", "tags": ""})
    try:
        for configure in ("^q$", ".*"):
            rights = {"configure": configure, "write": "^(q|amq.default)$", "read": ".*"}
            rabbit_server.api("PUT", f"permissions/{vhost}/eventless", rights)
            outcome = run_operation(trigger, rabbit_server.url(vhost, "eventless:pw@"), CALLS)
            assert len(outcome.having("confirmed")) == 22, outcome.targets
    finally:
        rabbit_server.api("DELETE", "users/eventless")
