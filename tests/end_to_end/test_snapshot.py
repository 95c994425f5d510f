"""`celtop snapshot` on a real cluster: every number of the contract."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.conftest import OpenTui, printed
from celtop.tests.servers import RedisServer, until

Start = Callable[..., subprocess.Popen[str]]
Send = Callable[..., str]


def subscribed(server: RedisServer, at_least: int) -> bool:
    """Return whether the broker has this number of event receivers."""
    return int(server.client().pubsub_numpat()) >= at_least


@pytest.mark.slow
@pytest.mark.parametrize(("broker", "filled", "most"), [("redis_url", 50, 33), ("amqp_url", 0, 35)])
def test_a_snapshot_costs_few_commands(
    broker: str,
    filled: int,
    most: int,
    start_worker: StartWorker,
    start_snapshot: Start,
    send: Send,
    request: pytest.FixtureRequest,
) -> None:
    """Up to 40 commands, of which 7 end it, and 5 on RabbitMQ."""
    url = request.getfixturevalue(broker)
    names = [f"q{n}" for n in range(8)]
    start_worker(url, queues=names).ready()
    until(lambda: Celery(broker=url, set_as_current=False).control.ping(), what="a reply")
    ids = {send(url, "plain.ok", queue=f"orphan{n}") for n in range(filled)}
    if ids:
        Celery(broker=url, set_as_current=False).control.revoke(next(iter(ids)))
    shown = printed(start_snapshot(url))
    waiting = {queue["name"]: queue["waiting"] for queue in shown["queues"]}
    assert waiting == dict.fromkeys(names, 0) | {f"orphan{n}": 1 for n in range(filled)}
    assert {task["id"] for task in shown["tasks"]} == ids
    assert len(shown["workers"]) == 1
    assert shown["broker"]["commands_sent"] <= most
    if ids:

        def codes() -> set[str]:
            return {one["code"] for one in printed(start_snapshot(url))["findings"]}

        # Workers that reply late may use up the commands with which this is found.
        until(lambda: "queue-revoked-messages" in codes(), 60, "a finding on the revoked message")


@pytest.mark.slow
def test_workers_without_task_events_and_a_queue_without_consumers(
    redis_url: str,
    start_worker: StartWorker,
    send: Send,
    start_snapshot: Start,
) -> None:
    """45 tasks, 5 of which fail, and 7 without a consumer, sent after the snapshot has started."""
    started = [
        start_worker(redis_url, name="one", pool="prefork"),
        start_worker(redis_url, name="two", pool="threads"),
    ]
    running = start_snapshot(redis_url, wait=15)
    enabled = "Events of group {task} enabled by remote"
    until(lambda: all(enabled in one.child.output for one in started), what="events are on")
    ids = {send(redis_url, "plain.ok", n) for n in range(40)}
    failing = {send(redis_url, "plain.fail") for _ in range(5)}
    lonely = {send(redis_url, "plain.ok", queue="lonely") for _ in range(7)}
    shown = printed(running)

    assert shown["schema"] == "celtop.snapshot/1"
    assert shown["broker"]["status"] == "live"
    assert shown["totals"]["events_lost"] == 0
    assert shown["totals"]["events_malformed"] == 0
    workers = {worker["name"].split("@")[0]: worker for worker in shown["workers"]}
    assert set(workers) == {"one", "two"}
    assert {worker["status"] for worker in workers.values()} == {"online"}
    assert workers["one"]["pool"] == "prefork"
    assert workers["two"]["pool"] == "threads"
    assert all("celery" in worker["queues"] for worker in workers.values())
    assert sum(worker["processed"] for worker in workers.values()) == 45

    queues = {queue["name"]: queue for queue in shown["queues"]}
    assert queues["lonely"]["waiting"] == 7
    assert queues["lonely"]["consumers"] == []
    assert queues["celery"]["waiting"] == 0
    assert len(queues["celery"]["consumers"]) == 2

    states = {task["id"]: task["state"] for task in shown["tasks"]}
    assert {key for key, state in states.items() if state == "FAILURE"} == failing
    assert ids <= {key for key, state in states.items() if state == "SUCCESS"}
    # These have no event: they were found in the queue itself.
    assert lonely >= {key for key, state in states.items() if state == "PENDING"}
    finished = {key: n for key, n in shown["totals"]["tasks"].items() if key != "PENDING"}
    assert finished == {"SUCCESS": 40, "FAILURE": 5}
    failed = next(task for task in shown["tasks"] if task["state"] == "FAILURE")
    assert failed["name"] == "plain.fail"
    assert "no such file" in failed["exception"]
    assert "Traceback" in failed["traceback"]


@pytest.mark.slow
def test_messages_of_a_worker_that_was_killed_before_it_started(
    redis_server: RedisServer,
    redis_url: str,
    start_worker: StartWorker,
    send: Send,
    start_snapshot: Start,
) -> None:
    conf = {"task_acks_late": True, "broker_transport_options": {"visibility_timeout": 600}}
    first = start_worker(redis_url, queues=("a", "b"), conf=conf)
    held = {send(redis_url, "plain.slow", 300, queue="a") for _ in range(2)}
    held.add(send(redis_url, "plain.ok", queue="b", countdown=300))
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    until(lambda: client.hlen("unacked") == 3, what="the messages are unacknowledged")
    first.child.kill()
    time.sleep(2)  # workers report their uptime in whole seconds
    start_worker(redis_url, queues=("b",), conf=conf)
    shown = printed(start_snapshot(redis_url))
    queues = {queue["name"]: queue for queue in shown["queues"]}
    assert (queues["a"]["unacked"], queues["b"]["unacked"]) == (2, 1)
    messages = [*queues["a"]["held"], *queues["b"]["held"]]
    assert {one["id"] for one in messages} == held
    assert {one["worker_gone"] for one in messages} == {True}
    code = "unacked-by-dead-worker"
    found = [one for one in shown["findings"] if one["code"] == code]
    assert {one["subject"] for one in found} == {"queue a", "queue b"}
    assert all("redelivered in 9 m" in one["text"] for one in found)


@pytest.mark.slow
def test_tasks_that_ran_before_it_started(
    redis_url: str, start_worker: StartWorker, send: Send, start_snapshot: Start
) -> None:
    """Running, reserved and scheduled tasks are known at once from inspect."""
    worker = start_worker(redis_url, name="busy", pool="threads", concurrency=1)
    running = send(redis_url, "plain.slow", 60.0)
    reserved = send(redis_url, "plain.slow", 61.0)
    scheduled = send(redis_url, "plain.ok", countdown=600)
    until(lambda: worker.child.output.count("received") >= 3, what="the worker holds all three")
    tasks = {task["id"]: task for task in printed(start_snapshot(redis_url))["tasks"]}
    assert tasks[running]["state"] == "STARTED"
    assert tasks[running]["started_at"] is not None
    assert tasks[running]["sources"] == ["inspect"]
    assert tasks[reserved]["state"] == "RECEIVED"
    assert tasks[scheduled]["state"] == "RECEIVED"
    assert tasks[scheduled]["eta_at"] is not None
    assert {tasks[key]["worker"] for key in (running, reserved, scheduled)} == {
        tasks[running]["worker"]
    }


@pytest.mark.slow
def test_on_rabbitmq(
    amqp_url: str, start_worker: StartWorker, send: Send, start_snapshot: Start
) -> None:
    """The same contract on RabbitMQ; unavailable values are null, with the reason."""
    start_worker(amqp_url, name="one", pool="solo")
    for _ in range(3):
        send(amqp_url, "plain.ok", queue="lonely")
    shown = printed(start_snapshot(amqp_url, "--queues", "lonely", wait=4))
    queues = {queue["name"]: queue for queue in shown["queues"]}
    assert queues["lonely"]["waiting"] == 3
    assert queues["lonely"]["unacked"] is None
    reasons = [note["text"] for note in shown["notes"] if note["subject"].startswith("queue")]
    assert any("unacknowledged" in reason for reason in reasons), reasons
    assert [worker["name"].split("@")[0] for worker in shown["workers"]] == ["one"]


@pytest.mark.slow
def test_task_events_are_left_as_found(
    redis_server: RedisServer,
    redis_url: str,
    start_worker: StartWorker,
    start_snapshot: Start,
    tui: OpenTui,
) -> None:
    """Also after a signal and without a terminal; after a crash, at the end of the next celtop."""
    worker = start_worker(redis_url)
    # A worker that is ready subscribes a moment later.
    with Celery(broker=redis_url, fixups=set(), set_as_current=False) as client:
        until(lambda: client.control.ping(timeout=1.0), what="the worker replies")
    by_worker = int(redis_server.client().pubsub_numpat())

    def switched(times: int) -> bool:
        return worker.child.output.count("disabled by remote") == times

    crashed = start_snapshot(redis_url, wait=60)
    state_file = Path(os.environ["XDG_STATE_HOME"]) / "celtop" / "task-events.json"

    def recorded() -> bool:
        return state_file.exists() and "w1@test" in state_file.read_text()

    until(recorded)
    crashed.kill()
    until(lambda: not subscribed(redis_server, by_worker + 1), what="the broker noticed it")
    database = redis_server.client(int(redis_url.rpartition("/")[2]))
    replies = "_kombu.binding.reply.celery.pidbox"
    asking = int(database.scard(replies))
    ended = start_snapshot(redis_url, wait=60)
    until(lambda: subscribed(redis_server, by_worker + 1), what="it is subscribed")
    # What has not begun to ask workers leaves their task events to the next celtop.
    until(lambda: int(database.scard(replies)) > asking, what="it asks the workers")
    ended.send_signal(signal.SIGTERM)
    until(lambda: switched(1))
    ended.wait(20)
    terminal = tui(redis_url)
    until(lambda: worker.child.output.count("enabled by remote") == 2)
    until(recorded)
    terminal.hang_up()
    until(lambda: switched(2))


def test_a_broker_that_refuses_writes_is_no_empty_cluster(
    own_redis: RedisServer, start_snapshot: Start
) -> None:
    own_redis.client().config_set("maxmemory", 1)
    running = start_snapshot(own_redis.url(), wait=1)
    out, errors = running.communicate(timeout=30)
    shown = json.loads(out)
    assert running.returncode == 3
    assert (shown["broker"]["status"], shown["workers"]) == ("blocked", [])
    assert "out of memory" in shown["broker"]["error"]
    (note,) = (one["text"] for one in shown["notes"] if one["subject"] == "broker")
    assert "is out of memory and refuses writes; the workers are unknown" in note
    assert note in errors
