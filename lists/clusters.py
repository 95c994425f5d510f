"""The columns of clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..model.entities.cluster.cluster_status import ClusterStatus, Word
from ..model.entities.styles import Level
from ..model.text import units
from ..model.text.phrases import counted
from ..widgets.table.cells import Cell
from ..widgets.table.column import Column, Frame
from . import numbers

CURRENT: Final = "here"
"""The text beside the name of the monitored cluster."""
_LEVELS: Final[Mapping[Word, Level]] = {
    "live": "good",
    "recorded": "good",
    "connecting": "warn",
    "blocked": "bad",
    "lost": "bad",
    "not recorded": "idle",
}


def search_text(row: ClusterStatus) -> str:
    """Return the text that a filter matches."""
    return f"{row.name} {row.state} {row.broker}"


def _name(row: ClusterStatus, frame: Frame) -> Cell:
    style = "bad" if row.is_faulty else "muted" if row.state == "not recorded" else "text"
    return f"{row.name} ({CURRENT})" if row.is_current else row.name, style


def _state(row: ClusterStatus, frame: Frame) -> Cell:
    level = _LEVELS[row.state]
    return f"{frame.glyphs.level(level)} {row.state}", "muted" if level == "idle" else level


def _at(row: ClusterStatus, frame: Frame) -> Cell:
    return ("never", "muted") if row.at is None else (units.ago(row.at, frame.now), "muted")


def _age(row: ClusterStatus, frame: Frame) -> Cell:
    if not row.waiting and row.waiting is not None:
        return "none", "muted"
    return numbers.seconds(row.runnable_age)


def _failed(row: ClusterStatus, frame: Frame) -> Cell:
    return numbers.number(row.failed_per_min, lambda rate: f"{rate:,.3g}", "bad")


def _findings(row: ClusterStatus, frame: Frame) -> Cell:
    if row.errors is None or row.warnings is None:
        return numbers.UNKNOWN
    if not row.errors and not row.warnings:
        return "none", "muted"
    found = [(row.errors, "error"), (row.warnings, "warning")]
    texts = [counted(count, word) for count, word in found if count]
    return ", ".join(texts), "bad" if row.errors else "warn"


CLUSTERS: Final[tuple[Column[ClusterStatus], ...]] = (
    Column("name", "Cluster", 24, _name, grow=2, sort_key="name"),
    Column("state", "State", 15, _state, sort_key="state"),
    numbers.column("workers", "Workers", 7, lambda row, _: numbers.count(row.workers), 1),
    numbers.column("waiting", "Waiting", 9, lambda row, _: numbers.count(row.waiting)),
    numbers.column("age", "Oldest runnable", 15, _age, 3),
    numbers.column("failed", "Failed/min", 10, _failed, 2),
    Column("findings", "Findings", 22, _findings, sort_key="findings", descending=True),
    Column("at", "Known", 12, _at, 4, ticks=numbers.always, sort_key="at", descending=True),
    Column("broker", "Broker", 28, lambda row, _: (row.broker, "muted"), 5, grow=1),
)

ORDER: Final = ("findings", True)

CLUSTER_KEYS: Final[Mapping[str, Callable[[ClusterStatus], Any]]] = {
    "name": lambda row: row.name.lower(),
    "state": lambda row: row.state,
    "workers": lambda row: row.workers,
    "waiting": lambda row: row.waiting,
    "age": lambda row: row.runnable_age,
    "failed": lambda row: row.failed_per_min,
    "findings": lambda row: (row.is_faulty, row.errors or 0, row.warnings or 0),
    "at": lambda row: row.at,
}
