from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from celtop.export.encoding.document import Document
from celtop.export.lists.rows import rows_table
from celtop.export.snapshot.records import Note
from celtop.lists.context import ListContext, NoApp
from celtop.model.observations import (
    ConnectionChanged,
    InspectReply,
    LatencyMeasured,
    QuestionsAnswered,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import decode
from celtop.widgets.glyphs import ASCII, Glyphs
from celtop.widgets.table.column import Column, Frame

NOW = 1_790_000_000.0
HOSTILE = "('\x1b[31m[/]\u202e\x9b[bold]x', '\u65e5\u672c', '<&>')"


def receive(state: ClusterState, *events: dict[str, object], at: float = NOW) -> None:
    filled = [{"hostname": "w1@a", "utcoffset": 0, "pid": 7, "clock": 1, **e} for e in events]
    state.observe(decode(msgspec.json.encode(filled), at))


def run_task(state: ClusterState, number: int, outcome: dict[str, object], **fields: object) -> str:
    """Observe the events of a task received, started and finished; return its id."""
    task_id = f"{number:08d}-aaaa-bbbb-cccc-0123456789ab"
    received = {"name": "app.add", "args": "(1, 2)", "kwargs": "{}", "retries": 0, **fields}
    steps: tuple[dict[str, object], ...] = (
        {"type": "task-received", **received},
        {"type": "task-started"},
        outcome,
    )
    start = NOW - 60 + number
    receive(
        state,
        *(
            {"uuid": task_id, "timestamp": start + step, **event}
            for step, event in enumerate(steps)
            if event
        ),
    )
    return task_id


def context(state: ClusterState, now: float = NOW, glyphs: Glyphs = ASCII) -> ListContext:
    """Return what cells need, with texts in ASCII and times in UTC."""
    return ListContext(state, now, NoApp(), None, glyphs, utc=True)


def table_document(*texts: str, name: str = "things") -> Document:
    """Return a document of one column with these cells, shown and as values."""
    columns = [Column[str]("id", "ID", 10, lambda text, _: (text, "bad"), grow=1)]
    table = rows_table(name, columns, texts, Frame(NOW))
    values = [(text,) for text in texts]
    return Document(name, Note("a", "b"), [], lambda: [replace(table, values=values)])


@pytest.fixture
def state() -> ClusterState:
    """A cluster with a worker that reports everything, one that shut down, and three queues."""
    state = ClusterState()
    state.broker.url = "redis://***@localhost/0"
    state.broker.transport = "redis"
    state.observe(ConnectionChanged("live", NOW - 100))
    state.observe(LatencyMeasured(0.0042, 12))
    beat = {"freq": 2.0, "active": 0, "processed": 9, "loadavg": [0.5, 0.25, 0.125]}
    software = {"sw_ident": "py-celery", "sw_ver": "5.4.0", "sw_sys": "Linux"}
    for stamp in (NOW - 2.5, NOW - 0.5):
        event = {"type": "worker-heartbeat", "timestamp": stamp + 1, **beat, **software}
        receive(state, event, at=stamp)
    pool = {"implementation": "celery.concurrency.prefork:TaskPool", "max-concurrency": 4}
    stats = {"pid": 7, "prefetch_count": 16, "pool": pool, "rusage": {"maxrss": 2048}}
    stats["total"] = {"app.add": 9}
    state.observe(QuestionsAnswered(("workers",), NOW - 0.5))
    for command, reply in {
        "stats": stats,
        "active": [],
        "reserved": [],
        "scheduled": [],
        "active_queues": [{"name": "celery"}],
        "registered": ["app.add [rate_limit=10/m time_limit=60]", "app.other"],
    }.items():
        state.observe(InspectReply("w1@a", command, reply, NOW - 0.5))
    for type_ in ("worker-online", "worker-offline"):
        receive(state, {"type": type_, "hostname": "old@b", "timestamp": NOW - 90}, at=NOW - 90)
    for at, waiting in ((NOW - 20, 2), (NOW, 7)):
        state.observe(
            QueueMeasured(
                "idle", at, waiting=waiting, unacked=0, by_priority=(("0", waiting), ("3", 0))
            ),
        )
    state.observe(QueueMeasured("celery", NOW, waiting=0, unacked=0))
    state.observe(QueueMeasured("remote", NOW, notes=("no queue of this name",)))
    return state
