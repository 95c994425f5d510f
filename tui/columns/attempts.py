"""The columns of a task's attempts: worker, runtime and exception of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...lists import numbers
from ...lists.attempts import next_attempt
from ...model.entities.states import RETRY
from ...model.entities.styles import state_style
from ...model.entities.task import Attempt, Task
from ...model.text.phrases import short_worker
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt; the last row is the current one."""

    position: int
    attempt: Attempt
    runtime: float | None
    """Seconds, up to now if it is running."""
    due: str | None = None
    """When it starts, as `in 5 s`, if it is pending."""

    @property
    def id(self) -> str:
        """The row's id."""
        return str(self.position)


def attempt_rows(task: Task, frame: Frame) -> list[AttemptRow]:
    """Return the known attempts of a task at the moment of a frame, oldest first."""
    now, known_until = frame.now_at(task.worker), frame.running_at(task.worker)
    rows = []
    for position, one in enumerate(task.attempts):
        ran = one.started_at is not None and one.finished_at is not None
        runtime = max(0.0, one.finished_at - one.started_at) if ran else None  # type: ignore[operator]
        rows.append(AttemptRow(position, one, runtime))
    # While the next attempt is pending, the task still has the last one's exception.
    pending = bool(task.attempts) and task.state == RETRY and task.started_at is None
    present = Attempt(
        task.retries, task.state, task.worker, task.received_at, task.started_at,
        task.finished_at, None if pending else task.exception,
        None if pending else task.traceback,
    )  # fmt: skip
    rows.append(
        AttemptRow(
            len(rows), present, task.elapsed(known_until), next_attempt(task, now, known_until)
        )
    )  # fmt: skip
    return rows


def _number(row: AttemptRow, frame: Frame) -> Cell:
    return str(row.attempt.number + 1), "muted"


def _state(row: AttemptRow, frame: Frame) -> Cell:
    state = row.attempt.state
    return f"{frame.glyphs.state(state)} {state}", state_style(state)


def _worker(row: AttemptRow, frame: Frame) -> Cell:
    return (row.attempt.worker, "text") if row.attempt.worker else numbers.UNKNOWN


def _runtime(row: AttemptRow, frame: Frame) -> Cell:
    if row.runtime is not None:
        return numbers.seconds(row.runtime)
    return (row.due, "state-retry") if row.due else numbers.NOTHING


def _exception(row: AttemptRow, frame: Frame) -> Cell:
    return row.attempt.exception or "", "bad"


ATTEMPTS: Final[tuple[Column[AttemptRow], ...]] = (
    Column("number", "#", 2, _number, justify="right"),
    Column("state", "State", 10, _state),
    Column("worker", "Worker", 14, _worker, 2, grow=1, shorten=short_worker),
    Column("runtime", "Runtime", 9, _runtime, 1, justify="right"),
    Column("exception", "Exception", 16, _exception, grow=2),
)
