"""Two tasks, workers or task types side by side: their fields, and the parts of their values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, Final, TypeAlias

from ...lists.limits import limits_text
from ...model.entities.task import Task
from ...model.entities.task_type import TaskType
from ...model.entities.worker import UNLIMITED, Worker
from ...model.state import ClusterState
from ...model.text.phrases import short_id
from ...widgets.fields import Field
from ...widgets.literal import read
from ...widgets.table.column import Frame
from ..navigation import DrillDown
from .task import task_fields
from .task_type import type_fields
from .worker import usage_fields, worker_fields

Comparable: TypeAlias = Task | Worker | TaskType

KINDS: Final[Mapping[str, type[Comparable]]] = {"task": Task, "worker": Worker, "type": TaskType}

MAX_PARTS: Final = 2_000
"""Parts of one value that are compared one by one."""
MAX_PART: Final = 300
"""Characters of a part."""
OWN: Final = frozenset(
    {
        *("ID", "Sent", "Received", "Started", "Retried", "Finished", "Stored", "Last seen"),
        *("PID", "Processes", "Uptime", "Last event"),
    }
)
"""Labels of values that are never the same: their difference means nothing."""
_YES: Final = "yes"
MAX_TITLE: Final = 24
"""Characters of a name that is shown whole above its column."""
_SEPARATORS: Final = "-._@/:"
_PART: Final = re.compile(r"[^-._@/:]*[-._@/:]|[^-._@/:]+")


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One field of both."""

    id: str
    """Its label: the row's id in tables."""
    left: str
    right: str
    """Empty if there is none."""

    @property
    def differs(self) -> bool:
        """Whether the values differ, and that means something."""
        return self.left != self.right and self.id not in OWN


def compared(
    left: Comparable, right: Comparable, state: ClusterState, frame: Frame
) -> list[ComparedRow]:
    """Return all fields of two tasks, workers or task types, in the order of their pages."""
    one, other = (_values(each, state, frame) for each in (left, right))
    labels = dict.fromkeys((*one, *other))
    return [ComparedRow(label, one.get(label, ""), other.get(label, "")) for label in labels]


def comparison_of(rows: Sequence[object]) -> DrillDown | None:
    """Return the step to the comparison of two rows; None unless both are of one kind."""
    if len(rows) != 2:
        return None
    for name, kind in KINDS.items():
        left, right = rows
        if isinstance(left, kind) and isinstance(right, kind):
            titles = [short_id(one.id) if name == "task" else one.id for one in (left, right)]
            subject = json.dumps([name, left.id, right.id])
            return DrillDown("compare", subject, " and ".join(titles))
    return None


def _values(subject: Comparable, state: ClusterState, frame: Frame) -> dict[str, str]:
    if isinstance(subject, Task):
        return dict(_task(subject, state, frame))
    if isinstance(subject, Worker):
        return dict(_worker(subject, state, frame))
    return dict(_pairs(type_fields(subject, state, frame)))


def _pairs(fields: Iterable[Field]) -> Iterator[tuple[str, str]]:
    return ((field.label, field.value) for field in fields)


def _task(task: Task, state: ClusterState, frame: Frame) -> Iterator[tuple[str, str]]:
    yield from _pairs(task_fields(task, frame))
    worker = state.workers.get(task.worker or "")
    if worker is not None and worker.software_version:
        yield "Worker's version", worker.software_version
    for name in ("args", "kwargs", "result"):
        text = getattr(task, name)
        if text:
            literal = read(text)
            yield from _parts(name, literal.value if literal.known else text)


def _worker(worker: Worker, state: ClusterState, frame: Frame) -> Iterator[tuple[str, str]]:
    status = worker.health(state.broker.listening(frame.now))
    yield from _pairs(worker_fields(worker, status, frame))
    yield from _pairs(usage_fields(worker))
    for name, limits in sorted(worker.limits.items()):
        if limits != UNLIMITED:
            yield f"limits {name}", limits_text(limits)
    for name in worker.registered or ():
        yield f"registered {name}", _YES
    yield from _parts("conf", worker.conf or {})


def _parts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each part of a value."""
    return islice(_all_parts(path, value), MAX_PARTS)


def _all_parts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _all_parts(f"{path} {key}", part)
    elif isinstance(value, list | tuple) and value:
        for number, part in enumerate(value):
            yield from _all_parts(f"{path}[{number}]", part)
    else:
        yield path, (value if isinstance(value, str) else repr(value))[:MAX_PART]


def distinct_parts(left: str, right: str, ellipsis: str) -> tuple[str, str]:
    """Return two long names without the parts that both begin or end with."""
    if max(len(left), len(right)) <= MAX_TITLE or left == right:
        return left, right
    parts = _PART.findall(left), _PART.findall(right)
    start = _common(*parts)
    ends = parts[0][start:][::-1], parts[1][start:][::-1]
    end = _common(*ends)
    cut_left, cut_right = ("".join(one[end:][::-1]).strip(_SEPARATORS) for one in ends)
    if not cut_left or not cut_right:
        return left, right
    first, last = ellipsis if start else "", ellipsis if end else ""
    return f"{first}{cut_left}{last}", f"{first}{cut_right}{last}"


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Return how many of the first parts are equal."""
    pairs = zip(left, right, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
