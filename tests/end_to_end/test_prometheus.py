"""A real Prometheus scrapes `celtop metrics` on a real cluster, and its values are read back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from celtop.tests.conftest import StartWorker
from celtop.tests.metrics_command import MetricsCommand
from celtop.tests.prometheus import PrometheusServer
from celtop.tests.servers import until

Series: TypeAlias = frozenset[tuple[str, str]]

DASHBOARD: Final = Path(__file__).parents[2] / "docs" / "metrics" / "grafana-dashboard.json"
FLOWERS_DASHBOARD: Final = (
    "flower_worker_online",
    "flower_worker_number_of_currently_executing_tasks",
    "rate(flower_task_runtime_seconds_sum[5m]) / rate(flower_task_runtime_seconds_count[5m])",
    "flower_task_prefetch_time_seconds",
    "flower_worker_prefetched_tasks",
    '(sum(avg_over_time(flower_events_total{type="task-succeeded"}[15m])) by (task)  / '
    'sum(avg_over_time(flower_events_total{type=~"task-failed|task-succeeded"}[15m]))'
    " by (task)) * 100",
    '(sum(avg_over_time(flower_events_total{type="task-failed"}[15m])) by (task) / '
    'sum(avg_over_time(flower_events_total{type=~"task-failed|task-succeeded"}[15m]))'
    " by (task)) * 100",
)
"""All queries of Flower's examples/celery-monitoring-grafana-dashboard.json."""
FLOWERS_ALERTS: Final = (
    '(sum(avg_over_time(flower_events_total{type="task-failed"}[15m])) by (task) / '
    'sum(avg_over_time(flower_events_total{type=~"task-failed|task-succeeded"}[15m]))'
    " by (task)) * 100 > 1",
    "sum(avg_over_time(flower_task_prefetch_time_seconds[15m])) by (task, worker)",
)
EMPTY_IN_HEALTH: Final = ("celtop_beat_overdue_seconds", "celtop_findings", "_late", "_lost")
"""What has no series while all is well."""
SUCCEEDED, FAILED = 20, 10


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[PrometheusServer]:
    server = PrometheusServer(tmp_path)
    yield server
    server.close()


@pytest.fixture
def metrics(redis_url: str, tmp_path: Path) -> Iterator[MetricsCommand]:
    """`celtop metrics` on the broker."""
    command = MetricsCommand(redis_url, tmp_path)
    yield command
    command.child.kill()


def queries() -> list[str]:
    """Return the queries of celtop's dashboard, as Grafana sends them."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel["targets"]]
    return [
        query.replace("$cluster", ".*")
        .replace("$instance", ".*")
        .replace("$__rate_interval", "10s")
        for query in found
    ]


@pytest.mark.slow
def test_prometheus_has_what_the_generators_counted_and_every_dashboard_has_series(
    metrics: MetricsCommand,
    prometheus: PrometheusServer,
    start_worker: StartWorker,
    redis_url: str,
    send: Callable[..., str],
) -> None:
    worker = start_worker(redis_url, events=True)
    prometheus.start(metrics.address)

    def has(query: str) -> None:
        # A queue is measured every 30 seconds; while tasks wait, an age may be unknown.
        until(lambda: prometheus.query(query), timeout=70, what=query)

    has("celtop_worker_up == 1")
    for half in (1, 2):
        for _ in range(SUCCEEDED // 2):
            send(redis_url, "plain.ok", 1)
        for _ in range(FAILED // 2):
            send(redis_url, "plain.fail")
        has(f'sum(celtop_tasks_total{{event="failed"}}) == {FAILED // 2 * half}')
    for event, count in (("succeeded", SUCCEEDED), ("failed", FAILED)):
        has(f'sum(celtop_tasks_total{{event="{event}"}}) == {count}')
        has(f'sum(flower_events_total{{type="task-{event}"}}) == {count}')
    assert worker.name in str(prometheus.query("flower_worker_online == 1"))
    for query in (*FLOWERS_DASHBOARD, *FLOWERS_ALERTS, *queries()):
        if any(name in query for name in EMPTY_IN_HEALTH):
            prometheus.query(query)
        else:
            has(query)
    assert_equal(prometheus, metrics)
    groups = prometheus.get("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules
    assert {rule["health"] for rule in rules} == {"ok"}
    assert prometheus.get("targets")["activeTargets"][0]["lastError"] == ""
    assert prometheus.complaints == []


def assert_equal(prometheus: PrometheusServer, metrics: MetricsCommand) -> None:
    """Check that Prometheus has every counter and histogram of tasks with the same value."""
    counted = "flower_events_total|flower_task_runtime_.*|celtop_task.*"
    served = {
        series_of({"__name__": sample.name, **sample.labels}): sample.value
        for sample in metrics.samples()
        if re.fullmatch(counted, sample.name)
    }
    stored = prometheus.query(f'{{__name__=~"{counted}"}}')
    assert {series_of(labels): value for labels, value in stored} == served


def series_of(labels: Mapping[str, str]) -> Series:
    """Return labels in a comparable form: an empty label is none, and Prometheus adds two."""
    added = ("instance", "job")
    return frozenset((key, value) for key, value in labels.items() if value and key not in added)
