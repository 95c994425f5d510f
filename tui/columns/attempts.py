"""A task's attempts as rows: each with its worker, its duration and why it was not the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...model.entities.states import RETRY
from ...model.entities.task import Attempt, Task
from ...widgets.table.cells import Cell, state_style
from ...widgets.table.column import Column, Frame
from ..text.attempts import next_attempt
from . import numbers


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt; the last row is the present one."""

    position: int
    attempt: Attempt
    runtime: float | None
    """Seconds that it ran or has been running."""
    due: str | None = None
    """When it starts, in words, if that is yet to come."""

    @property
    def id(self) -> str:
        """What tables know it by."""
        return str(self.position)


def attempt_rows(task: Task, now: float) -> list[AttemptRow]:
    """Return all attempts that are known of a task, the first one first.

    Args:
        task: The task.
        now: The time by its worker's clock.
    """
    rows = []
    for position, one in enumerate(task.attempts):
        ran = one.started_at is not None and one.finished_at is not None
        runtime = max(0.0, one.finished_at - one.started_at) if ran else None  # type: ignore[operator]
        rows.append(AttemptRow(position, one, runtime))
    # While the next one waits, the task still carries why the last one failed.
    pending = bool(task.attempts) and task.state == RETRY and task.started_at is None
    present = Attempt(
        task.retries, task.state, task.worker, task.received_at, task.started_at,
        task.finished_at, None if pending else task.exception,
        None if pending else task.traceback,
    )  # fmt: skip
    rows.append(
        AttemptRow(len(rows), present, task.elapsed(now), next_attempt(task, now))
    )  # fmt: skip
    return rows


def _number(row: AttemptRow, frame: Frame) -> Cell:
    return str(row.attempt.number + 1), "muted"


def _state(row: AttemptRow, frame: Frame) -> Cell:
    state = row.attempt.state
    return f"{frame.glyphs.state(state)} {state}", state_style(state)


def _worker(row: AttemptRow, frame: Frame) -> Cell:
    return (row.attempt.worker, "text") if row.attempt.worker else numbers.UNKNOWN


def _took(row: AttemptRow, frame: Frame) -> Cell:
    if row.runtime is not None:
        return numbers.seconds(row.runtime)
    return (row.due, "state-retry") if row.due else numbers.NOTHING


def _why(row: AttemptRow, frame: Frame) -> Cell:
    return row.attempt.exception or "", "bad"


ATTEMPTS: Final[tuple[Column[AttemptRow], ...]] = (
    Column("number", "#", 2, _number, justify="right"),
    Column("state", "State", 10, _state),
    Column("worker", "Worker", 14, _worker, 2, grow=1),
    Column("took", "Took", 9, _took, 1, justify="right"),
    Column("why", "Exception", 16, _why, grow=2),
)
