"""What happens to the workers' task events when celtop leaves, over Redis and RabbitMQ."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.events.enabled_workers import EnabledWorkers
from celtop.cluster.events.other_monitors import other_monitors
from celtop.model.operations.commands import EnableEvents
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import CeleryWorker, Child, clean_environment, until

Send = Callable[..., str]
ENABLED = "Events of group {task} enabled by remote"
DISABLED = "Events of group {task} disabled by remote"


@pytest.fixture(params=["redis", "amqp"])
def broker_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def dump(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    """`dump(url)`: a running `celery events --dump`, which has received a heartbeat."""
    started: list[Child] = []

    def start(broker_url: str) -> Child:
        command = (sys.executable, "-m", "celery", "-b", broker_url, "events", "--dump")
        env = clean_environment(PYTHONUNBUFFERED="1")
        child = Child(command, tmp_path / f"dump-{len(started)}.log", env, tmp_path)
        started.append(child)
        until(lambda: "heartbeat" in child.output, what="a heartbeat is dumped")
        return child

    yield start
    for child in started:
        child.kill()


def recorded(live: RunningSession) -> set[str]:
    return set(EnabledWorkers().all(live.session._broker.identity))


def run_task(send: Send, url: str, worker: CeleryWorker, queue: str) -> str:
    task_id = send(url, "plain.ok", queue=queue)
    until(lambda: f"[{task_id}] succeeded" in worker.child.output)
    return task_id


def test_the_last_celtop_disables_what_celtop_has_enabled(
    broker_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
    dump: Callable[[str], Child],
) -> None:
    """Not while another monitor receives them, and not those of a worker with -E."""
    quiet = start_worker(broker_url, name="quiet", queues=["quiet"])
    loud = start_worker(broker_url, name="loud", queues=["loud"], events=True)
    first, second = open_session(broker_url), open_session(broker_url)
    first.until(lambda: ENABLED in quiet.child.output and recorded(first))
    second.until_live()
    first.session.stop()
    listener = dump(broker_url)
    second.session.stop()
    assert DISABLED not in quiet.child.output
    assert recorded(second) == {"quiet@test"}
    listener.kill()

    # The next one cleans up, even if it has enabled none itself.
    last = open_session(broker_url, enable_events=False)
    last.until(lambda: {"quiet@test", "loud@test"} <= last.state.workers.keys())
    last.session.stop()
    until(lambda: DISABLED in quiet.child.output)
    assert recorded(last) == set()
    listener = dump(broker_url)
    silent = run_task(send, broker_url, quiet, "quiet")
    shown = run_task(send, broker_url, loud, "loud")
    until(lambda: shown in listener.output)
    assert silent not in listener.output


def test_they_stay_enabled_if_the_user_wants_it(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url)
    live = open_session(redis_url, events="always")
    live.until(lambda: ENABLED in worker.child.output)
    live.session.stop()
    assert recorded(live) == set()
    EnabledWorkers().add(live.session._broker.identity, "w1@test", time.time())
    second = open_session(redis_url)
    second.until(lambda: second.state.workers)
    second.session.do(EnableEvents(workers=("w1@test",))).future.result(10)
    assert recorded(second) == set()
    second.session.stop()
    assert DISABLED not in worker.child.output


def test_where_receivers_cannot_be_counted_events_stay_enabled(
    redis_url: str, tmp_path: Path
) -> None:
    def count(url: str, **options: object) -> bool | None:
        broker = BrokerConnection(Settings(broker_url=url, broker_transport_options=options))
        with broker.connection() as connection:
            return other_monitors(connection, "celeryev")

    assert count(redis_url) is False
    assert count(redis_url, fanout_patterns=False) is None
    folders = {name: str(tmp_path) for name in ("data_folder_in", "data_folder_out")}
    assert count("filesystem://", **folders, control_folder=str(tmp_path)) is None


def test_a_busy_worker_that_reads_the_request_later_is_left_as_found(
    broker_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
) -> None:
    """A solo pool reads no commands while it runs a task: celtop may be gone by then."""
    worker = start_worker(broker_url, name="busy", pool="solo", queues=["busy"])
    other = start_worker(broker_url, name="other", queues=["other"])
    send(broker_url, "plain.slow", 5, queue="busy")
    until(lambda: "plain.slow" in worker.child.output)
    live = open_session(broker_url)
    live.until(lambda: ENABLED in other.child.output and recorded(live))
    live.session.stop()
    until(lambda: ENABLED in worker.child.output)
    until(lambda: DISABLED in worker.child.output and DISABLED in other.child.output)
