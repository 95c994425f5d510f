"""Workers that cannot send task events, beside one that can, on Redis and RabbitMQ."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from celtop.export.snapshot.snapshot import take_snapshot
from celtop.model.entities.broker import Listening
from celtop.model.health.findings import findings
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer, until

Send = Callable[..., str]
BARE = ("--without-gossip", "--without-mingle", "--without-heartbeat")


@pytest.mark.parametrize("kind", ["redis", "amqp"])
def test_their_tasks_are_known_from_replies_messages_and_results(
    kind: str,
    request: pytest.FixtureRequest,
    redis_server: RedisServer,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
) -> None:
    url = str(request.getfixturevalue(f"{kind}_url"))
    conf = {"result_backend": redis_server.next_url()}
    start_worker(url, name="bare", queues=["bare"], options=BARE, conf=conf)
    start_worker(url, name="loud", queues=["loud"], conf=conf)
    live = open_session(url)
    state = live.state
    live.until(lambda: {"bare@test", "loud@test"} <= state.workers.keys())
    live.until(lambda: state.workers["bare@test"].events_enabled is False)
    live.until(lambda: state.workers["loud@test"].sends_heartbeats and not state.observed)

    running = send(url, "plain.slow", 300, queue="bare")
    live.until(lambda: running in state.tasks)
    # From now on they are inspected more often.
    ended = [send(url, "plain.slow", 4, queue="bare") for _ in range(2)]
    failed = send(url, "plain.fail", queue="bare")
    scheduled = send(url, "plain.ok", queue="bare", countdown=600)
    loud = send(url, "plain.ok", queue="loud")
    everything = [*ended, failed, running, scheduled]

    def states() -> list[str | None]:
        return [state.tasks[id_].state if id_ in state.tasks else None for id_ in everything]

    live.until(lambda: states() == ["SUCCESS", "SUCCESS", "FAILURE", "STARTED", "RECEIVED"], 60)
    live.until(lambda: loud in state.tasks and state.tasks[loud].state == "SUCCESS")
    known = {(state.tasks[id_].name, state.tasks[id_].worker) for id_ in everything}
    assert known == {(f"plain.{name}", "bare@test") for name in ("slow", "fail", "ok")}

    now = time.time()
    (finding,) = [one for one in findings(state, now) if one.code == "workers-without-events"]
    assert finding.text.startswith("1 of 2 workers cannot send task events: ")
    assert finding.text.endswith("(bare@test)")
    worker = state.workers["bare@test"]
    assert worker.status(Listening(now - 3600, now + 3600)) == "online"
    taken = take_snapshot(state, now)
    assert taken.totals.succeeded_per_s is None
    assert [one.heartbeat_age_s is None for one in taken.workers] == [True, False]


def test_waiting_messages_are_read_again(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    """They are all that names a task that runs between two rounds of inspection."""
    bare = start_worker(redis_url, pool="solo", options=(*BARE, "--prefetch-multiplier=1"))
    live = open_session(redis_url)
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.queues)
    first = send(redis_url, "plain.slow", 30)
    until(lambda: f"[{first}] received" in bare.child.output)
    waiting = [send(redis_url, "plain.ok", number) for number in range(3)]
    live.session.refresh()
    live.until(lambda: all(id_ in live.state.tasks for id_ in waiting), 40)
    assert {live.state.tasks[id_].args for id_ in waiting} >= {"(2,)"}
