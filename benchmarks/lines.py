"""The budgets and the readings of subjects, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, Literal, ParamSpec

from .subjects.programs import Name

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the budget table."""

    id: str
    what: str
    budget: float
    unit: str
    better: Literal["less", "more"]

    def met(self, value: float) -> bool:
        """Return whether a value keeps the budget."""
        return value <= self.budget if self.better == "less" else value >= self.budget


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of one subject on one line."""

    line: str
    subject: Name
    value: float | None
    """None if it could not be measured, for the reason in `note`."""
    note: str = ""
    details: dict[str, object] = field(default_factory=dict)


LINES = (
    Line("merged", "merged events per CPU-second, TUI open", 60_000, "/s", "more"),
    Line("cpu", "CPU time for the stream, as a share of Flower's", 20, "%", "less"),
    Line("memory", "memory with 100,000 tasks, whole process", 170, "MiB", "less"),
    Line("kept", "memory after 1,000,000 events, 1 of 1,000 failed", 170, "MiB", "less"),
    Line("fleet-cpu", "CPU with 1,000 workers and 30,000 events/s", 35, "%", "less"),
    Line("fleet-memory", "memory with 1,000 workers and 30,000 events/s", 250, "MiB", "less"),
    Line("frame", "frame at 100,000 tasks, 200x50, 50 rows changed", 6, "ms", "less"),
    Line("key", "key to paint at 5,000 events/s, p95", 20, "ms", "less"),
    Line("opening", "a screen opened among 100,000 tasks, the slowest", 100, "ms", "less"),
    Line("opening-again", "the same, opened again", 100, "ms", "less"),
    Line("bytes", "bytes to the terminal at 1,500 events/s, 200x50", 30, "KB/s", "less"),
    Line("first-frame", "first frame, against a bare Textual hello", 1.5, "x", "less"),
    Line("snapshot", "CPU of celtop snapshot, against celery inspect ping", 1.3, "x", "less"),
    Line("first-data", "first true data after the broker answers", 1, "s", "less"),
    Line("commands", "broker commands per minute, idle, Tasks open", 10, "/min", "less"),
    Line(
        "commands-overview", "broker commands per minute, idle, Overview open", 30, "/min", "less"
    ),
    Line("commands-frugal", "broker commands per minute, idle, frugal", 10, "/min", "less"),
    Line("idle-cpu", "CPU when idle", 0.5, "%", "less"),
    Line("progress", "CPU while 200 tasks report 10 times a second", 8, "%", "less"),
    Line("progress-report", "cost of a task's report, on the screen", 50, "us", "less"),
    Line("progress-stranger", "cost of a report of a task of others", 10, "us", "less"),
    Line("progress-late", "age of a report when it is painted, p95", 250, "ms", "less"),
    Line("history-frame", "first frame, 100,000 old results on Redis", 1.5, "x", "less"),
    Line("history-data", "first true data, 100,000 old results", 1, "s", "less"),
    Line("history-listed", "old results listed after the broker answers", 2, "s", "less"),
    Line("history-command", "longest command, 100,000 old results", 5, "ms", "less"),
    Line("stored-cpu", "CPU with the history kept, against without", 1.15, "x", "less"),
    Line("stored-page", "first page of a filter, 1,000,000 stored tasks", 100, "ms", "less"),
    Line("stored-memory", "memory more with the history kept", 20, "MiB", "less"),
    Line("collector-cpu", "collector of 300 workers and 30,000 events/s, CPU", 100, "%", "less"),
    Line("collector-memory", "the same, memory", 350, "MiB", "less"),
    Line("collector-screens", "CPU of a screen on its history, the busiest of 5", 35, "%", "less"),
    Line("collector-counted", "its counts, against what was sent", 100, "%", "more"),
    Line("revoke", "10,000 waiting tasks revoked by filter", 15, "s", "less"),
    Line("revoke-key", "key to paint while they are revoked, longest", 250, "ms", "less"),
    Line("revoke-line", "the same by `celtop revoke --filter`", 20, "s", "less"),
    Line("retry-line", "1,000 tasks retried by `celtop retry`", 10, "s", "less"),
)


def attempt(
    lines: tuple[str, ...],
    measure: Callable[Concatenate[Name, P], list[Reading]],
    subject: Name,
    *args: P.args,
    **kwargs: P.kwargs,
) -> list[Reading]:
    """Return the readings of a subject; a failure becomes a reading with the reason."""
    try:
        return measure(subject, *args, **kwargs)
    except Exception as error:
        words = f"failed: {type(error).__name__}: {error}"
        return [Reading(line, subject, None, words) for line in lines]
