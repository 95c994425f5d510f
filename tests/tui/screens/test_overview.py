"""The Overview: what it shows of an empty cluster, and where its panes lead."""

from __future__ import annotations

from datetime import UTC
from unittest.mock import patch

import pytest
from celtop.model.entities.cluster.other_cluster import OtherCluster
from celtop.model.observations import (
    ConnectionChanged,
    OtherClustersFound,
    QuestionsAnswered,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.model.text import units
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, refused, task_events
from celtop.tui.navigation import Location


def nothing() -> ClusterState:
    state = ClusterState()
    state.broker.url = "redis://localhost:6379/3"
    state.observe(ConnectionChanged("live", NOW - 60))
    state.observe(QuestionsAnswered(("workers",), NOW - 59))
    return state


async def test_an_empty_cluster_shows_what_to_check_until_something_is_found() -> None:
    async with run_app(nothing(), Location("overview"), size=(100, 24)) as on:
        await on.until(lambda: "celery -A PROJECT worker -E" in on.text)
        assert "redis://localhost:6379/3" in on.text and "Throughput" not in on.text
        on.session.put(QueueMeasured("orphans", NOW, 11))
        await on.until(lambda: "Throughput" in on.text and "PROJECT" not in on.text)


@pytest.mark.parametrize("size", [(60, 15), (120, 36)])
async def test_attention_leaves_room_for_all_that_can_be_checked(size: tuple[int, int]) -> None:
    state = nothing()
    state.observe(
        OtherClustersFound((OtherCluster("events in database 0", "use it", workers=("w1",)),), NOW)
    )
    async with run_app(state, Location("overview"), size=size) as on:
        await on.until(lambda: "Only messages?" in on.text and "Attention" in on.text)
        assert "Another cluster?      Use it" in on.text
        lines = on.text.splitlines()
        [top] = [number for number, line in enumerate(lines) if "Attention" in line]
        assert lines[top + 2].startswith("╰"), "one row, and no blank ones"


async def test_a_broker_that_was_never_reached_has_what_to_try_in_place_of_empty_charts() -> None:
    async with run_app(refused(), Location("overview"), size=(60, 15)) as on:
        await on.until(lambda: "celtop doctor" in on.text)
        assert "redis://localhost:6379/0" in on.text and "default" in on.text
        assert "no data yet" not in on.text and "Attention" not in on.text
        on.session.put(ConnectionChanged("live", NOW))
        await on.until(lambda: "Throughput" in on.text and "celtop doctor" not in on.text)


async def test_a_pane_of_one_line_has_no_frame_in_ascii_either() -> None:
    async with run_app(cluster(60), Location("overview"), size=(60, 15), ascii=True) as on:
        await on.until(lambda: "Throughput  ok" in on.text and "Running" in on.text)


async def test_a_low_terminal_has_a_line_for_each_pane() -> None:
    async with run_app(cluster(60), Location("overview"), size=(60, 15)) as on:
        await on.until(lambda: "Attention" in on.text)
        for word in ("notifications", "Throughput", "Workers", "Failures", "Running"):
            assert word in on.text
        line = on.screen.workers_pane
        assert line.is_line
        on.screen.set_focus(line)
        await on.press("enter")
        await on.until(lambda: on.app.location == Location("workers"))


async def test_failures_are_those_of_the_last_hour_and_since_when_all_are_known() -> None:
    state = cluster(60)
    for number, ago in enumerate((5_000, 4_000, 60)):
        error = {"exception": "OSError('disk full')", "traceback": "", "end": "failed"}
        feed(state, task_events(900 + number, "a.b", at=NOW - ago, **error))  # type: ignore[arg-type]
    state.totals.first_event_at = NOW - 7_200
    async with run_app(state, Location("overview"), size=(140, 40)) as on:
        await on.until(
            lambda: "Failures (last hour, new first) ─" in on.text and "1 × OSError" in on.text
        )
        state.totals.first_event_at = NOW - 720
        on.app.frame_loop.paint()
        since = units.clock(NOW - 720, UTC)[:5]
        await on.until(lambda: f"Failures (new first, complete since {since})" in on.text)


async def test_names_of_workers_are_whole_where_the_queues_have_room() -> None:
    state, name = cluster(60), "celery@worker-pool-000.eu-west-1.compute.internal"
    feed(state, [Event("worker-heartbeat", name, NOW, freq=2.0)])
    async with run_app(state, Location("overview"), size=(140, 40)) as on:
        await on.until(lambda: f"{name} ░" in on.text)


async def test_names_of_queues_are_whole_beside_longer_ones_of_workers() -> None:
    state, queue = cluster(60), "billing-invoices-high-priority"
    name = "celery@worker-pool-000.eu-west-1.compute.internal.example.org"
    feed(state, [Event("worker-heartbeat", name, NOW, freq=2.0)])
    state.observe(QueueMeasured(queue, NOW, 12))
    async with run_app(state, Location("overview"), size=(120, 40)) as on:
        await on.until(lambda: "celery@worker-pool-000" in on.text and "Waiting" in on.text)
        on.app.frame_loop.paint()
        await on.until(lambda: f"│{queue} " in on.text)


async def test_a_pane_of_one_line_shows_its_content_as_soon_as_it_is_maximized() -> None:
    async with run_app(cluster(60), Location("overview"), size=(80, 24)) as on:
        await on.until(lambda: "Throughput  ok" in on.text)
        on.screen.set_focus(on.screen.throughput)
        await on.pilot.pause()
        with patch.object(on.app.frame_loop, "paint"):
            await on.press("f")
            await on.until(lambda: "/min ╌" in on.text)
        assert "f restore" in on.text
