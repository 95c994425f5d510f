"""The file of workers whose task events celtop has enabled."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from celtop.cluster.events.enabled_workers import MAX_AGE, EnabledWorkers

NOW = 1_800_000_000.0


def test_workers_are_remembered_by_cluster(tmp_path: Path) -> None:
    path = tmp_path / "new" / "task-events.json"
    workers = EnabledWorkers(path)
    assert workers.all("c") == {}
    workers.add("c", "w1@h", NOW)
    workers.add("c", "ü \x1b@h", NOW + 1)
    workers.add("d", "w1@h", NOW + 2)
    assert EnabledWorkers(path).all("c") == {"w1@h": NOW, "ü \x1b@h": NOW + 1}
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in path.parent.iterdir())


def test_forgotten_and_old_workers_are_removed(tmp_path: Path) -> None:
    workers = EnabledWorkers(tmp_path / "task-events.json")
    workers.add("c", "old@h", NOW - MAX_AGE)
    workers.add("c", "w1@h", NOW)
    assert workers.all("c") == {"w1@h": NOW}
    workers.forget("c", {"absent@h"})
    workers.forget("never seen", {"w1@h"})
    assert workers.all("c") == {"w1@h": NOW}


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "task-events.json"
    for content in (b"", b"[", b"[1]", b'{"c": 1}', b"\xff", b"[" * 100_000):
        path.write_bytes(content)
        assert EnabledWorkers(path).all("c") == {}
        EnabledWorkers(path).add("c", "w1@h", NOW)
        assert EnabledWorkers(path).all("c") == {"w1@h": NOW}


def test_concurrent_changes_lose_no_worker(tmp_path: Path) -> None:
    path = tmp_path / "task-events.json"

    def add(number: int) -> None:
        EnabledWorkers(path).add("c", f"w{number}@h", NOW)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(40)))
    assert len(EnabledWorkers(path).all("c")) == 40
