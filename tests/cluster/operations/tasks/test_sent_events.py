"""The events of tasks that celtop sends, as other monitors receive them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from celtop.cluster.operations.tasks.send import trigger
from celtop.model.operations.call import Call
from celtop.model.operations.commands import Trigger
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.cluster.operations.run_operation import run_operation
from celtop.tests.servers import RabbitServer

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
