"""Documents in the text format of Prometheus, for the textfile collector of its node exporter.

The gauges of workers, queues and beat are those of `celtop metrics`, for the rows that are listed;
tasks and failures are counted. Counters and histograms are left out: they belong to a process that
keeps running, which is `celtop metrics`.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ...metrics.exposition import exposition
from ...metrics.families import Family, Labels, LabelValues
from ...metrics.gauges import (
    FindingCounts,
    broker_families,
    queue_families,
    schedule_families,
    worker_families,
)
from ...model.state import ClusterState
from .document import Document
from .json import utf8

MAX_NAMES: Final = 1_000
"""Names of each kind that have series of their own; all others share the label `other`."""


def encode(document: Document) -> bytes:
    """Return the gauges of the document's rows.

    Raises:
        ImportError: The package `prometheus_client` is not installed.
    """
    gauges = (family for family in _families(document) if family.kind == "gauge")
    return exposition(gauges, of_process=False).body


def _families(document: Document) -> Iterator[Family]:
    rows = [record for _, record in document.records]
    if document.context is None:
        state, now = ClusterState(), 0.0
    else:
        state, now = copy.copy(document.context.state), document.context.now
    if document.name == "snapshot":
        for families in (worker_families, queue_families, schedule_families):
            yield from families(state, LabelValues(MAX_NAMES), now)
        yield from broker_families(state)
        yield FindingCounts().family(state, now)
    elif (make := _LISTS.get(document.name)) is not None:
        yield from make(rows, state, now)


def _workers(rows: Iterable[Any], state: ClusterState, now: float) -> Iterator[Family]:
    state.workers = _listed(rows, state.workers)
    return worker_families(state, LabelValues(MAX_NAMES), now)


def _queues(rows: Iterable[Any], state: ClusterState, now: float) -> Iterator[Family]:
    state.queues = _listed(rows, state.queues)
    return queue_families(state, LabelValues(MAX_NAMES), now)


def _listed(rows: Iterable[Any], known: Mapping[str, Any]) -> dict[str, Any]:
    names = {row.name for row in rows}
    return {name: one for name, one in known.items() if utf8(name) in names}


def _schedule(rows: Iterable[Any], state: ClusterState, now: float) -> Iterator[Family]:
    late = {
        row.name: row.overdue_s or 0.0
        for row in rows
        if row.next_run_at is not None or row.next_run_within_s is not None
    }
    text = "Time since the entry was due and not sent; 0 if it is on time."
    yield _gauge("celtop_beat_overdue_seconds", text, ("entry",), late.items())


def _tasks(rows: Iterable[Any], state: ClusterState, now: float) -> Iterator[Family]:
    text = "Tasks of the list."
    counts = Counter((row.name or "", row.state) for row in rows)
    yield _gauge("celtop_listed_tasks", text, ("task", "state"), counts.items())


def _types(rows: Iterable[Any], state: ClusterState, now: float) -> Iterator[Family]:
    text = "Tasks of the list."
    counts = {(row.name, in_state): n for row in rows for in_state, n in row.states.items()}
    yield _gauge("celtop_listed_tasks", text, ("task", "state"), counts.items())


def _failures(rows: Iterable[Any], state: ClusterState, now: float) -> Iterator[Family]:
    text = "Tasks of each group of failures of the list."
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counts[row.exception or "", row.location or ""] += row.count
    yield _gauge("celtop_listed_failures", text, ("exception", "location"), counts.items())


_LISTS: Final[Mapping[str, Callable[[Iterable[Any], ClusterState, float], Iterator[Family]]]] = {
    "workers": _workers,
    "queues": _queues,
    "schedule": _schedule,
    "tasks": _tasks,
    "types": _types,
    "failures": _failures,
}


def _gauge(
    name: str, text: str, labels: Labels, values: Iterable[tuple[str | tuple[str, ...], float]]
) -> Family:
    known = [LabelValues(MAX_NAMES) for _ in labels]
    samples: dict[Labels, float] = {}
    for key, value in values:
        parts = (key,) if isinstance(key, str) else key
        label = tuple(of[part] for of, part in zip(known, parts, strict=True))
        samples[label] = samples.get(label, 0.0) + value
    return Family(name, "gauge", text, labels, samples)
