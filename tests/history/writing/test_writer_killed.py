"""Real processes that write floods of tasks, and are killed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.history.open import open_store
from celtop.history.rows import Batch, Run
from celtop.history.store import HistoryStore
from celtop.history.writing import writer as module
from celtop.history.writing.writer import HistoryWriter, Retention
from celtop.model.query.language import parse_query
from celtop.tests.history.flood import TICK, ids_of, tick_of
from celtop.tests.history.rows import CLUSTER, NOW, row
from celtop.tests.postgres import PostgresServer
from celtop.tests.servers import Child, clean_environment, until

COUNT = 600
"""Tasks in each tick: 3,000 a second."""
Start = Any


@pytest.fixture
def flood(location: str, tmp_path: Path) -> Iterator[Start]:
    started: list[Child] = []

    def start() -> Child:
        command = [sys.executable, "-m", "celtop.tests.history.flood", location, str(COUNT)]
        log = tmp_path / f"flood-{len(started)}.log"
        started.append(Child(command, log, clean_environment()))
        return started[-1]

    yield start
    for child in started:
        child.kill()


def last_tick(store: HistoryStore) -> int:
    """Return the newest tick that is stored; 0 without any."""
    page = store.tasks(CLUSTER, parse_query(""), time.time(), 1)
    return int(page.tasks[0].id.partition("-")[0]) if page.tasks else 0


def end_of(tick: int) -> float:
    """Return when the tasks of a tick ended, and its batch was put."""
    return (tick + 1) * TICK


def missing(store: HistoryStore, first: int, last: int) -> set[str]:
    """Return the tasks that are not stored of some ticks."""
    wanted = {id_ for tick in range(first, last + 1) for id_ in ids_of(tick, COUNT)}
    found: set[str] = set()
    cursor = None
    while True:
        page = store.tasks(CLUSTER, parse_query(""), time.time(), len(wanted), cursor)
        found |= {one.id for one in page.tasks}
        cursor = page.cursor
        if cursor is None or cursor.at < first * TICK:
            break
    return wanted - found


def test_killed_writers_lose_less_than_two_seconds(store: HistoryStore, flood: Start) -> None:
    alone = flood()
    first = until(lambda: last_tick(store), what="the first writes")
    until(lambda: last_tick(store) > first + 4)
    # A loaded machine may write later than that.
    until(lambda: end_of(last_tick(store)) > time.time() - 1.0, what="writes in time")
    alone.kill()
    killed_at = time.time()
    last = last_tick(store)
    assert end_of(last) > killed_at - 2.0
    assert not missing(store, first, last)
    time.sleep(0.5)

    leader = flood()
    second = until(lambda: (tick := last_tick(store)) > last and tick)
    (gap,) = store.gaps(CLUSTER, killed_at - 10, time.time())[-1:]
    assert gap.killed
    assert gap.began_at == end_of(last)
    follower = flood()
    until(lambda: "stands by" in follower.output)
    # What was before its start, only the leader has: that may be behind.
    seen_by_both = tick_of(time.time())
    until(lambda: last_tick(store) > seen_by_both)
    leader.kill()
    killed_at = time.time()
    until(lambda: "by this celtop now" in follower.output)
    until(lambda: last_tick(store) > tick_of(killed_at) + 2)
    follower.kill()
    assert not missing(store, second, last_tick(store))


def test_the_server_restarts_in_a_flood(
    own_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIN_PAUSE", 0.05)
    monkeypatch.setattr(module, "MAX_PAUSE", 0.2)
    reports: list[str] = []
    url = own_postgres.next_url()
    writer = HistoryWriter(
        url, Retention(), lambda level, text, problem: reports.append(text), clock=lambda: NOW
    )
    writer.start()
    for number in range(40):
        if number == 10:
            own_postgres.kill()
        if number == 30:
            own_postgres.start()
        tasks = tuple(row(f"{number}-{each}", 40.0 - number) for each in range(100))
        writer.put(Batch(tasks=tasks, runs=(Run(CLUSTER, "host:1", NOW - 40, NOW - 40 + number),)))
        time.sleep(0.02)
    writer.stop()
    writer.join(20)
    store = open_store(url, read_only=True)
    assert store.count(CLUSTER, parse_query(""), NOW).matching == 4000
    store.close()
    assert "closed the connection" in reports[0] or "connection refused" in reports[0]
    assert reports[1:] == ["The history is being written again."]
