"""The session as its callers use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from celtop.cluster.session import Session
from celtop.model.operations.commands import Ping
from celtop.model.wire.events import Event, EventBatch
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.network import black_hole
from celtop.tests.servers import (
    Child,
    RabbitServer,
    RedisServer,
    clean_environment,
    free_port,
    until,
)


def test_creating_a_session_imports_no_slow_library() -> None:
    code = """
        import sys
        from celtop.cluster.session import Session
        from celtop.settings import Settings
        Session(Settings(broker_url="redis://localhost"))
        slow = ("celery", "kombu", "redis", "amqp", "textual")
        print([name for name in slow if name in sys.modules])
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_stop_ends_all_threads_if_the_broker_does_not_respond(scheme: str) -> None:
    with black_hole() as port:
        session = Session(Settings(broker_url=f"{scheme}://127.0.0.1:{port}/0"))
        session.start()
        until(lambda: list(session._broker.meter._open), what="a link is open")
        session.stop()
        # Sooner than any timeout of a socket: they were cut.
        until(lambda: not any(thread.is_alive() for thread in session.threads), 3.0)


def test_a_hanging_tls_handshake_ends_at_its_timeout() -> None:
    """The library exposes its socket only after the handshake, so the thread outlives `stop`."""
    with black_hole() as port:
        session = Session(Settings(broker_url=f"rediss://127.0.0.1:{port}/0"))
        session.start()
        until(lambda: list(session._broker.meter._open), what="a link is open")
        session.stop()
        until(lambda: not any(thread.is_alive() for thread in session.threads))


def test_the_audit_file_is_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    session = Session(Settings(broker_url="redis://127.0.0.1:1/0", read_only=True))
    session.do(Ping(workers=("w",))).future.result(timeout=5.0)
    assert (tmp_path / "celtop" / "audit.jsonl").is_file()


def test_stop_before_the_first_reply() -> None:
    session = Session(Settings(broker_url=f"redis://127.0.0.1:{free_port()}/0"))
    session.start()
    session.stop()
    assert not any(thread.is_alive() for thread in session.threads)


def test_stop_twice_and_without_a_start() -> None:
    session = Session(Settings(broker_url="redis://127.0.0.1:1/0"))
    session.stop()
    session.stop()


def test_pump_keeps_to_its_budget_and_reports_a_backlog() -> None:
    session = Session(Settings(broker_url="redis://127.0.0.1:1/0"))
    for number in range(50):
        event = Event("task-received", "w@h", 1.0, uuid=str(number), name="t")
        session._inbox.put(EventBatch((event,), 1.0 + number))
    assert session.backlog == 50
    assert session.pump(2.0, 0.0) == (1, True)
    done = session.pump(2.0, 60.0)
    assert done == (49, False)
    assert session.backlog == 0
    assert len(session.state.tasks) == 50


def test_every_event_lost_by_a_slow_consumer_is_counted(
    redis_server: RedisServer, redis_url: str, open_session: OpenSession
) -> None:
    from kombu import Connection, Exchange, Producer

    live = open_session(redis_url, inbox_events=1000)
    live.until_live()
    sent = 3000
    with Connection(redis_url) as connection:
        producer = Producer(connection, exchange=Exchange("celeryev", type="fanout"))
        for first in range(0, sent, 20):
            batch = [
                {
                    "type": "task-received",
                    "uuid": str(number),
                    "hostname": "w@h",
                    "timestamp": time.time(),
                    "name": "t",
                }
                for number in range(first, first + 20)
            ]
            producer.publish(batch, routing_key="task.multi")
    until(lambda: live.session._inbox._lost_others + live.session.backlog >= sent)
    live.pump()
    totals = live.state.totals
    assert totals.lost > 0
    assert totals.lost + len(live.state.tasks) == sent


def test_latency_and_our_own_commands_are_counted(
    redis_server: RedisServer, redis_url: str, open_session: OpenSession
) -> None:
    client = redis_server.client()
    before = client.info("stats")["total_commands_processed"]
    live = open_session(redis_url)
    live.until(lambda: live.state.broker.latency)
    counted = live.session._broker.meter.sent
    processed = client.info("stats")["total_commands_processed"] - before
    # The server also counts the INFO above, and what is inside scripts and transactions.
    assert 0 < live.state.broker.commands_sent <= counted
    assert abs(counted - processed) <= 12


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_queue_is_left_on_rabbitmq(
    number: signal.Signals, rabbit_server: RabbitServer, amqp_url: str, tmp_path: Path
) -> None:
    code = """
        import os, signal, sys, time
        from celtop.cluster.session import Session
        from celtop.settings import Settings
        session = Session(Settings(broker_url=os.environ["URL"]))
        session.start()
        def end(*_):
            session.stop()
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        while True:
            session.pump(time.time(), 0.1)
            print(session.state.broker.phase, flush=True)
            time.sleep(0.05)
    """
    child = Child(
        [sys.executable, "-c", textwrap.dedent(code)],
        tmp_path / "session.log",
        clean_environment(URL=amqp_url),
    )
    until(lambda: "live" in child.output)
    until(lambda: any("celeryev" in name for name in rabbit_server.queue_names(amqp_url)))
    os.kill(child.pid, number)
    child.wait(5)
    until(lambda: rabbit_server.queue_names(amqp_url) == [])


def test_many_sessions_leave_no_threads_behind(redis_url: str, open_session: OpenSession) -> None:
    before = threading.active_count()
    for _ in range(3):
        live = open_session(redis_url)
        live.until_live()
        live.session.stop()
    until(lambda: threading.active_count() <= before)
