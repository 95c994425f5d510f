"""How long the first page of a filter takes in a history of 1,000,000 tasks."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from celtop.history.rows import Batch, StoredTask
from celtop.history.sqlite.store import SqliteStore
from celtop.history.task_body import stored_task
from celtop.model.entities.task import Task
from celtop.model.query.language import parse_query

from ..lines import Reading, attempt
from ..load.stream import TASK_NAMES, TRACEBACK, WORKERS
from ..subjects.programs import Name

TASKS = 1_000_000
BATCH = 5_000
DAYS = 6
PAGE = 200
ROUNDS = 20
QUEUES = ("celery", "images", "mail")
FAIL_EVERY = 1_000
CLUSTER = "bench"
FILTERS = (
    *("", "state:failure", "!state:success", "name:geo", "name:=codes.make_qr", "name:nosuch"),
    *("worker:bench-3", "queue:mail", "queue:nosuch", "args:item/123456", "ValueError", "nosuch"),
    *("finished:<1h", "finished:yesterday", "age:<1h", "runtime:>1d", "id:00abc", "retries:>0"),
)


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Line `stored-page`."""
    return attempt(("stored-page",), _pages, "celtop", TASKS // 10 if quick else TASKS)


def _pages(name: Name, tasks: int) -> list[Reading]:
    with tempfile.TemporaryDirectory(prefix="celtop-bench-") as folder:
        path = Path(folder) / "history.sqlite3"
        now = time.time()
        store = SqliteStore(path)
        rows = _rows(tasks, now)
        for _ in range(tasks // BATCH):
            store.write(Batch(tasks=tuple(next(rows) for _ in range(BATCH))))
        store.close()
        slowest = max((_p95(path, text, now), text) for text in FILTERS)
    note = f"p95 of {slowest[1] or 'no filter'}, the slowest of {len(FILTERS)}"
    return [Reading("stored-page", name, slowest[0] * 1_000, note)]


def _p95(path: Path, text: str, now: float) -> float:
    """Return the time of the first page, from a closed file on."""
    query, took = parse_query(text), []
    for _ in range(ROUNDS):
        store = SqliteStore(path, read_only=True)
        begun = time.monotonic()
        store.tasks(CLUSTER, query, now, PAGE)
        took.append(time.monotonic() - begun)
        store.close()
    return statistics.quantiles(took, n=20)[-1]


def _rows(tasks: int, now: float) -> Iterator[StoredTask]:
    """Yield tasks that ended in the last days, the oldest first."""
    draw = random.Random(tasks)
    for number in range(tasks):
        at = now - DAYS * 86_400 * (tasks - number) / tasks
        task = Task(
            str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            name=draw.choice(TASK_NAMES),
            worker=draw.choice(WORKERS),
            queue=draw.choice(QUEUES),
            state="SUCCESS",
            args=f"('https://example.org/item/{number}', {number})",
            kwargs="{'width': 640, 'height': 480}",
            sent_at=at - 3,
            received_at=at - 2,
            started_at=at - 1,
            finished_at=at,
            runtime=draw.expovariate(4.0),
        )
        if number % FAIL_EVERY == 0:
            task.state, task.exception = "FAILURE", f"ValueError({number})"
            task.traceback = TRACEBACK + task.exception
        yield stored_task(task, CLUSTER, at, task.state if number % FAIL_EVERY == 0 else "")
