"""The columns of the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...lists import numbers
from ...model.entities.cluster.log import LogEntry
from ...model.entities.styles import LOG_STYLES
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame


def _time(entry: LogEntry, frame: Frame) -> Cell:
    return numbers.time_of_day(entry.at, frame)


def _level(entry: LogEntry, frame: Frame) -> Cell:
    return entry.level, LOG_STYLES[entry.level]


def _text(entry: LogEntry, frame: Frame) -> Cell:
    return entry.text, "text" if entry.level == "info" else LOG_STYLES[entry.level]


LOG: Final[tuple[Column[LogEntry], ...]] = (
    Column("at", "Time", 8, _time, sort_key="arrival", descending=True),
    Column("level", "Level", 7, _level, sort_key="level"),
    Column("source", "Source", 12, lambda entry, _: (entry.source, "accent"), 1, sort_key="source"),
    Column("text", "Message", 40, _text, grow=1, sort_key="text"),
)

LOG_KEYS: Final[Mapping[str, Callable[[LogEntry], Any]]] = {
    "arrival": lambda entry: entry.serial,
    "level": lambda entry: entry.level,
    "source": lambda entry: entry.source,
    "text": lambda entry: entry.text,
}
