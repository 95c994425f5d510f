"""`celtop check` against a real broker, and its exit codes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import Celery
from celery.schedules import schedule
from celtop.cli.commands.monitoring.check import session_settings
from celtop.cli.main import run
from celtop.history.rows import Batch, Rollup
from celtop.history.sqlite.store import SqliteStore
from celtop.model.health.check import CheckLimits
from celtop.settings import Settings
from celtop.tests.cli.conftest import celtop, error_text
from celtop.tests.network import black_hole
from celtop.tests.servers import RedisServer, free_port

Send = Callable[..., str]
Capture = pytest.CaptureFixture[str]


def test_a_queue_that_is_longer_than_allowed(redis_url: str, redis_server: RedisServer) -> None:
    app = Celery(broker=redis_url)
    with app.connection_for_write(redis_url) as connection:
        for _ in range(50):
            app.send_task("shop.bill", queue="nobody", connection=connection)
    redis_server.client().config_resetstat()
    failed = celtop("-b", redis_url, "check", "--max-waiting", "nobody=10")
    assert redis_server.client().info("stats")["total_commands_processed"] <= 40
    assert (failed.returncode, failed.stderr) == (1, "")
    assert failed.stdout == "FAILED  queue nobody: 50 messages waiting (limit: 10)\n"
    passed = celtop("-b", redis_url, "check", "--max-waiting", "nobody=1000")
    assert (passed.returncode, passed.stderr) == (0, "")
    assert passed.stdout.startswith("OK ")
    plugin = celtop("-b", redis_url, "check", "--nagios", "--max-age", "nobody=60")
    assert plugin.returncode == 3
    assert plugin.stdout.startswith("CELTOP UNKNOWN - queue nobody: 50 messages waiting, but")
    again = celtop("-b", redis_url, "check", "--max-age", "nobody=0.1s")
    assert (again.returncode, again.stderr) == (1, "")
    assert again.stdout.startswith("FAILED  queue nobody: oldest message waiting for at least ")


def test_a_collector_has_seen_the_queue_empty(redis_url: str, tmp_path: Path, send: Send) -> None:
    send(redis_url, "shop.bill", queue="mail")
    history = str(tmp_path / "history.sqlite")
    options = ("-b", redis_url, "--cluster", "shop", "--history", history)
    state = {"XDG_STATE_HOME": str(tmp_path)}
    minute = int(time.time() // 60) - 5
    values = {minute: {"waiting": 0.0}, minute + 1: {"waiting": 2.5}}
    store = SqliteStore(Path(history))
    store.write(
        Batch(rollups=tuple(Rollup("shop", "queue", "mail", *one) for one in values.items()))
    )
    store.close()
    passed = celtop(*options, "check", "--max-age", "mail=20m", env=state)
    assert passed.returncode == 0, passed.stderr
    assert passed.stdout.startswith("OK      queue mail: oldest message waiting for less than ")
    unknown = celtop(*options, "check", "--max-age", "mail=2m", env=state)
    assert unknown.returncode == 1 and "is unknown" in unknown.stdout


def test_a_beat_that_has_stopped(redis_url: str) -> None:
    from redbeat import RedBeatSchedulerEntry

    app = Celery(broker=redis_url, set_as_current=False, fixups=set())
    app.conf.redbeat_redis_url = redis_url
    entry = RedBeatSchedulerEntry("tick", "t", schedule(5), app=app).save()
    entry.next(last_run_at=datetime.now(UTC) - timedelta(seconds=600))
    failed = celtop("-b", redis_url, "check", "--severity", "error")
    assert failed.returncode == 1
    assert "beat" in failed.stdout


def test_a_broker_that_is_down_or_silent() -> None:
    dead = f"redis://127.0.0.1:{free_port()}/0"
    options = ("check", "--timeout", "1s")
    assert "connection refused" in error_text(celtop("-b", dead, *options), 3)
    plugin = celtop("-b", dead, *options, "--nagios")
    assert plugin.returncode == 2
    assert plugin.stdout.startswith("CELTOP CRITICAL - Cannot use the broker")
    with black_hole() as port:
        silent = celtop("-b", f"redis://127.0.0.1:{port}/0", *options, "--json")
    assert silent.returncode == 3
    document = json.loads(silent.stdout)
    assert (document["status"], document["checks"]) == ("unreachable", [])


@pytest.mark.parametrize(
    "options",
    [
        ("--max-waiting", "mail"),
        ("--max-waiting", f"mail={'9' * 5_000}"),
        ("--max-age", "mail=soon"),
        ("--max-failure-rate", "nan"),
        ("--ignore", "no-such-code"),
        ("--json", "--nagios"),
    ],
)
def test_an_invalid_command_line(options: tuple[str, ...], capfd: Capture) -> None:
    assert run(("-b", "redis://127.0.0.1:1/0", "check", *options)) == (
        3 if "--nagios" in options else 2
    )
    assert run(("check", "--nagios", *options)) == 3
    printed = capfd.readouterr().out.splitlines()
    assert all(line.startswith("CELTOP UNKNOWN - ") for line in printed)
    assert options[0] in printed[-1]


def test_the_queues_with_limits_are_measured_first() -> None:
    settings = Settings(broker_url="redis://localhost", queues=("a", "b"))
    limits = CheckLimits(max_waiting={"z": 3})
    assert session_settings(settings, limits).queues == ("z", "a", "b")
