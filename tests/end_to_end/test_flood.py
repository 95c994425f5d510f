"""A flood of events in Celery's own format while the TUI is open."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from celtop.benchmarks.load import stream
from celtop.tests.end_to_end.conftest import OpenTui, printed
from celtop.tests.end_to_end.test_snapshot import Start, subscribed
from celtop.tests.metrics_command import MetricsCommand
from celtop.tests.servers import RedisServer, until

TASKS = 15_000


@pytest.mark.slow
def test_tens_of_thousands_of_events_are_all_counted_while_keys_answer(
    tui: OpenTui, redis_url: str
) -> None:
    """15,000 tasks in batches of 20; the help opens and closes meanwhile."""
    messages = stream.encode(redis_url, TASKS)
    terminal = tui(redis_url, columns=160, rows=45)
    terminal.wait_for("live")
    terminal.send("2")
    publishing = threading.Thread(target=stream.publish, args=(redis_url, messages), daemon=True)
    publishing.start()
    terminal.wait_for(stream.task_name_seen, what="the first tasks")
    terminal.send("?")
    terminal.wait_for("Mark or unmark the row", what="the help, during the flood")
    terminal.send("\x1b")
    terminal.wait_for(lambda text: "Mark or unmark the row" not in text, what="the help is closed")
    publishing.join(60)
    terminal.wait_for("15,000 tasks", timeout=40)
    terminal.send("/state:success")
    terminal.wait_for("15,000", timeout=20)
    assert "lost" not in terminal.text()


@pytest.mark.slow
def test_a_snapshot_counts_every_event(
    start_snapshot: Start, redis_server: RedisServer, redis_url: str
) -> None:
    """No event is lost or counted twice between the wire and the model."""
    messages = stream.encode(redis_url, 5_000)
    before = int(redis_server.client().pubsub_numpat())
    running = start_snapshot(redis_url, wait=8)
    until(lambda: subscribed(redis_server, before + 1), what="the snapshot listens")
    stream.publish(redis_url, messages)
    shown = printed(running)
    assert shown["totals"]["events"] == stream.events_in(messages)
    assert shown["totals"]["events_lost"] == 0
    assert shown["totals"]["tasks"] == {"SUCCESS": 5_000}


@pytest.mark.slow
def test_metrics_count_what_the_generator_sent_though_most_tasks_are_dropped(
    redis_server: RedisServer, redis_url: str, tmp_path: Path
) -> None:
    tasks, fail_every = 5_000, 10
    messages = stream.encode(redis_url, tasks, fail_every=fail_every)
    before = int(redis_server.client().pubsub_numpat())
    metrics = MetricsCommand(redis_url, tmp_path, "--max-tasks", "100")
    until(lambda: subscribed(redis_server, before + 1), what="celtop listens")
    stream.publish(redis_url, messages)
    failed = stream.failures_in(tasks, fail_every)
    until(lambda: metrics.sums().get("failed") == failed, what="all events are counted")
    sums = metrics.sums()
    assert sums["received"] == sums["started"] == tasks
    assert sums["succeeded"] == tasks - failed
    assert sums["celtop_task_failures_total"] == failed
    assert sums["flower_events_total"] == stream.task_events_in(messages)
    assert sums["celtop_events_total"] == stream.events_in(messages)
    assert sums["flower_task_runtime_seconds_count"] == tasks - failed
    assert sums["celtop_task_runtime_seconds_count"] == tasks - failed
    assert sums["celtop_events_lost_total"] == 0
    assert sums["celtop_evicted_tasks_total"] > tasks / 2
    metrics.child.kill()
