"""Commands to workers: each is proven by the worker's own log or state, never by celtop's.

The workers are real, one of each pool; they are shared by the tests of this file.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection.remote_control import RemoteControl
from celtop.cluster.connection.replies import Replies
from celtop.model.operations import commands as commands
from celtop.model.operations.outcome import Outcome
from celtop.tests.cluster.workers import Workers, workers
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer, until


@pytest.fixture(scope="module")
def all_pools(
    redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workers]:
    directory = tmp_path_factory.mktemp("workers")
    with workers(
        directory, redis_server.next_url(), "prefork", "threads", "solo", "scaled"
    ) as made:
        yield made


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {name.partition("@")[0]: one.verdict for name, one in outcome.workers.items()}


def words(outcome: Outcome, pool: str) -> str:
    return outcome.workers[f"{pool}@test"].text


def processes(all_pools: Workers, pool: str) -> list[int]:
    return list(all_pools.inspect(pool, "stats")["pool"]["processes"])


def test_a_pool_grows_and_shrinks_where_it_can(all_pools: Workers) -> None:
    assert len(processes(all_pools, "prefork")) == 2
    outcome = all_pools.do(commands.PoolGrow(workers=all_pools.names(), by=2))
    assert verdicts(outcome) == {
        "prefork": "confirmed", "threads": "refused", "solo": "refused", "scaled": "refused",
    }  # fmt: skip
    assert not outcome.good
    assert words(outcome, "threads") == "its pool has a fixed size, like all threads and solo pools"
    assert words(outcome, "scaled").startswith("autoscale is on")
    until(lambda: len(processes(all_pools, "prefork")) == 4)
    # Without being asked to: a round of questions of its own is a minute away.
    shown = all_pools.live.state.workers["prefork@test"]
    all_pools.live.until(lambda: len(shown.processes) == 4)

    outcome = all_pools.do(commands.PoolShrink(workers=all_pools.names("prefork"), by=2))
    assert outcome.good
    until(lambda: len(processes(all_pools, "prefork")) == 2)


def test_a_pool_restarts_if_its_worker_may(all_pools: Workers) -> None:
    before = set(processes(all_pools, "prefork"))
    names = all_pools.names("prefork", "scaled")
    outcome = all_pools.do(commands.PoolRestart(workers=names))
    assert verdicts(outcome) == {"prefork": "confirmed", "scaled": "refused"}
    assert "worker_pool_restarts" in words(outcome, "scaled")
    queue = _own_queue(all_pools, "prefork")

    def all_replaced() -> bool:
        all_pools.send("plain.ok", queue=queue)
        return not before & set(processes(all_pools, "prefork"))

    until(all_replaced)


def test_autoscale_is_set_where_it_is_on(all_pools: Workers) -> None:
    names = all_pools.names("prefork", "scaled")
    outcome = all_pools.do(commands.Autoscale(workers=names, most=3, least=1))
    assert verdicts(outcome) == {"prefork": "refused", "scaled": "confirmed"}
    assert words(outcome, "prefork") == "it was started without --autoscale"
    scaler = all_pools.inspect("scaled", "stats")["autoscaler"]
    assert (scaler["max"], scaler["min"]) == (3, 1)


def test_a_consumer_is_added_and_cancelled(all_pools: Workers) -> None:
    names = all_pools.names()
    queue = f"q-{uuid.uuid4()}"
    outcome = all_pools.do(
        commands.AddConsumer(
            workers=names, queue=queue, exchange="parcels", exchange_type="topic", routing_key="p.#"
        )
    )
    assert outcome.good, outcome
    for pool in all_pools.workers:
        (found,) = (one for one in all_pools.inspect(pool, "active_queues") if one["name"] == queue)
        assert found["exchange"]["name"] == "parcels"
        assert found["exchange"]["type"] == "topic"
        assert found["routing_key"] == "p.#"
    shown = all_pools.live.state.workers["solo@test"].queues or ()
    assert queue in [one.name for one in shown]
    id_ = all_pools.send("plain.ok", queue=queue)
    until(lambda: any(all_pools.logged(pool, id_) for pool in all_pools.workers))

    outcome = all_pools.do(commands.CancelConsumer(workers=names, queue=queue))
    assert outcome.good, outcome
    for pool in all_pools.workers:
        assert queue not in [one["name"] for one in all_pools.inspect(pool, "active_queues")]


def test_a_consumer_is_declared_like_others_unless_the_user_chooses(all_pools: Workers) -> None:
    queue = f"q-{uuid.uuid4()}"

    def consume(pool: str, **options: str) -> dict[str, Any]:
        added = commands.AddConsumer(workers=all_pools.names(pool), queue=queue, **options)
        assert all_pools.do(added).good
        told = all_pools.inspect(pool, "active_queues")
        return next(one for one in told if one["name"] == queue)

    consume("threads", exchange="parcels", exchange_type="topic", routing_key="p.#")
    found = consume("prefork")
    assert (found["exchange"]["name"], found["exchange"]["type"]) == ("parcels", "topic")
    assert found["routing_key"] == "p.#"
    found = consume("scaled", exchange="letters")
    assert (found["exchange"]["name"], found["exchange"]["type"]) == ("letters", "direct")


def test_an_accepted_command_is_not_done_until_its_effect_is_seen(
    all_pools: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = RemoteControl.send

    def break_afterwards(control: RemoteControl, commands: Any, *args: Any) -> Replies:
        if commands == ["active_queues"]:
            raise ConnectionResetError("Connection reset by peer")
        return send(control, commands, *args)

    monkeypatch.setattr(RemoteControl, "send", break_afterwards)
    names = all_pools.names("threads")
    outcome = all_pools.do(commands.CancelConsumer(workers=names, queue="nosuch"))
    assert outcome.fault is not None and outcome.fault.kind == "closed"
    assert verdicts(outcome) == {"threads": "silent"}
    assert words(outcome, "threads") == "it accepted, but has not reported its queues since"


def test_a_rate_limit_is_set_and_lifted(all_pools: Workers) -> None:
    names = all_pools.names("prefork", "threads")
    outcome = all_pools.do(commands.RateLimit(workers=names, task="plain.retry", rate="10/m"))
    assert outcome.good, outcome
    for pool in ("prefork", "threads"):
        assert "plain.retry [rate_limit=10/m]" in all_pools.inspect(
            pool, "registered", "rate_limit"
        )
    all_pools.do(commands.RateLimit(workers=names, task="plain.retry", rate="0"))
    told = all_pools.inspect("threads", "registered", "rate_limit")
    assert not [one for one in told if "10/m" in one]


@pytest.mark.parametrize(
    ("task", "rate", "reason"),
    [
        ("plain.nosuch", "10/m", "the task is not registered"),
        ("plain.ok", "often", "invalid rate limit; use for example 10/m"),
    ],
)
def test_a_rate_limit_that_makes_no_sense_is_refused(
    all_pools: Workers, task: str, rate: str, reason: str
) -> None:
    names = all_pools.names("solo", "threads")
    outcome = all_pools.do(commands.RateLimit(workers=names, task=task, rate=rate))
    assert {one.text for one in outcome.workers.values()} == {reason}
    assert verdicts(outcome) == {"solo": "refused", "threads": "refused"}


def test_both_time_limits_are_set_together(all_pools: Workers) -> None:
    names = all_pools.names("prefork")

    def limits(soft: float | None, hard: float | None) -> str:
        command = commands.TimeLimit(workers=names, task="plain.slow", soft=soft, hard=hard)
        outcome = all_pools.do(command)
        assert outcome.good and "pool restarts" in words(outcome, "prefork")
        asked = ("soft_time_limit", "time_limit")
        tasks = all_pools.inspect("prefork", "registered", *asked)
        return str(next(one for one in tasks if one.startswith("plain.slow")))

    assert limits(1, 3) == "plain.slow [soft_time_limit=1 time_limit=3]"
    queue = _own_queue(all_pools, "prefork")
    # As in Celery, the worker keeps the limits that it was started with until its pool restarts.
    spared = all_pools.send("plain.slow", 1.5, queue=queue)
    until(lambda: all_pools.logged("prefork", f"plain.slow[{spared}] succeeded"))
    assert all_pools.do(commands.PoolRestart(workers=names)).good
    cut = all_pools.send("plain.slow", 30, queue=queue)
    told = f"Soft time limit (1s) exceeded for plain.slow[{cut}]"
    until(lambda: all_pools.logged("prefork", told))
    assert limits(None, 3) == "plain.slow [time_limit=3]"
    assert limits(None, None) == "plain.slow"


def _own_queue(all_pools: Workers, pool: str) -> str:
    queue = f"only-{pool}-{uuid.uuid4()}"
    added = commands.AddConsumer(workers=all_pools.names(pool), queue=queue)
    assert all_pools.do(added).good
    return queue


def test_a_ping_is_answered_by_all(all_pools: Workers) -> None:
    outcome = all_pools.do(commands.Ping(workers=all_pools.names()))
    assert outcome.good
    assert set(outcome.workers) == set(outcome.targets) == set(all_pools.names())


@pytest.mark.parametrize(
    ("operation", "text"), [(commands.Report, "software -> celery:"), (commands.Memdump, "- rss")]
)
def test_reports_are_read_in_full(
    all_pools: Workers, operation: type[commands.WorkerOperation], text: str
) -> None:
    outcome = all_pools.do(operation(workers=all_pools.names("prefork", "solo")))
    assert outcome.good
    for pool in ("prefork", "solo"):
        assert text in words(outcome, pool)
    if operation is commands.Report:
        assert len(words(outcome, "prefork")) > 400
        assert "transport:redis" in words(outcome, "prefork")


def test_a_heartbeat_is_received(all_pools: Workers) -> None:
    outcome = all_pools.do(commands.Heartbeat(workers=all_pools.names()))
    assert outcome.good
    # The level at which workers log it is below that of these; their event is what counts.
    assert words(outcome, "solo") == "its heartbeat was received"


def test_disabled_task_events_stay_disabled_after_a_refresh(
    all_pools: Workers,
) -> None:
    names = all_pools.names("threads")
    assert all_pools.do(commands.DisableEvents(workers=names)).good
    assert all_pools.logged("threads", "Events of group {task} disabled by remote.")
    session = all_pools.live.session
    worker = session.state.workers[names[0]]
    all_pools.live.until(lambda: worker.events_enabled is False)
    enabled = all_pools.workers["threads"].child.output.count("{task} enabled by remote")
    session.refresh()
    all_pools.live.until(lambda: session.refreshed)
    assert all_pools.workers["threads"].child.output.count("{task} enabled by remote") == enabled
    assert all_pools.do(commands.EnableEvents(workers=names)).good
    until(lambda: all_pools.workers["threads"].child.output.count("{task} enabled") == enabled + 1)
    all_pools.live.until(lambda: worker.events_enabled is True)


def test_two_operations_do_not_wait_for_each_other(all_pools: Workers) -> None:
    session = all_pools.live.session
    names = all_pools.names("prefork", "threads")
    slow = session.do(commands.Ping(workers=(*names, "nobody@test")))
    quick = session.do(commands.Ping(workers=names))
    assert quick.future.result(20).good
    assert not slow.future.done()
    assert verdicts(slow.future.result(20))["nobody"] == "silent"


def test_an_operation_without_workers_is_refused(all_pools: Workers) -> None:
    outcome = all_pools.do(commands.Shutdown(workers=()))
    assert outcome.refusal is not None and "no workers are named" in outcome.refusal


def test_a_worker_killed_during_a_broadcast_is_named_as_silent(
    all_pools: Workers, start_worker: StartWorker, tmp_path: Path
) -> None:
    doomed = start_worker(all_pools.url, name="doomed", pool="solo")
    all_pools.live.until(lambda: "doomed@test" in all_pools.live.state.workers)
    # Stopped, it has the command in its socket, and takes it along.
    doomed.freeze()
    names = (*all_pools.names("prefork"), "doomed@test")
    act = all_pools.live.session.do(commands.PoolGrow(workers=names, by=1))
    until(lambda: "prefork@test" in act.outcome.workers)
    doomed.child.kill()
    outcome = act.future.result(20)
    assert verdicts(outcome) == {"prefork": "confirmed", "doomed": "silent"}
    assert "no reply" in words(outcome, "doomed")
    assert not outcome.good
    all_pools.do(commands.PoolShrink(workers=all_pools.names("prefork"), by=1))


def test_shutdown_is_confirmed_by_a_good_bye_and_a_busy_solo_worker_is_not_said_to_go(
    all_pools: Workers, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.cluster.operations.workers.remote.OFFLINE_TIMEOUT", 2.0)
    threads = start_worker(all_pools.url, name="busy1", queues=["busy1"])
    solo = start_worker(all_pools.url, name="busy2", queues=["busy2"], pool="solo")
    state = all_pools.live.state
    all_pools.live.until(lambda: {"busy1@test", "busy2@test"} <= set(state.workers))
    first, second = (all_pools.send("plain.slow", 6, queue=name) for name in ("busy1", "busy2"))
    until(lambda: first in threads.child.output and second in solo.child.output)

    outcome = all_pools.do(commands.Shutdown(workers=("busy1@test", "busy2@test")))

    assert verdicts(outcome) == {"busy1": "confirmed", "busy2": "silent"}
    assert "exits when its running tasks have finished" in words(outcome, "busy1")
    assert "finishes its task first" in words(outcome, "busy2")
    assert threads.child.wait() == 0
    assert solo.child.wait() == 0
    assert f"plain.slow[{first}] succeeded" in threads.child.output
    assert f"plain.slow[{second}] succeeded" in solo.child.output


def test_an_operation_is_in_the_audit_file_and_in_the_log(all_pools: Workers) -> None:
    import json

    outcome = all_pools.do(commands.Ping(workers=all_pools.names("solo")))
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in all_pools.audit_file.read_text().splitlines()
    ]
    begun, ended = (one for one in lines if one["act"].endswith(f"-{outcome.number}"))
    assert (begun["phase"], ended["phase"]) == ("begun", "ended")
    assert begun["command"] == "Ping"
    assert begun["options"] == {"workers": ["solo@test"]}
    assert "outcome" not in begun
    assert ended["outcome"]["workers"] == {"solo@test": {"verdict": "confirmed", "text": "pong"}}
    assert any("Pinged solo@test" in text for text in all_pools.live.log)
