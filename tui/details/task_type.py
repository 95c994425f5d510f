"""Every field of a task type, as labels and values for its page."""

from __future__ import annotations

from typing import Final

from ...lists.limits import common_limits
from ...lists.task_types import running_count, waiting_count
from ...model.entities.states import FAILURE, RETRY, REVOKED, SUCCESS
from ...model.entities.styles import state_style
from ...model.entities.task_type import TaskType
from ...model.health.newness import newly_failing
from ...model.ingest.tasks.rate_limited import held_by_type
from ...model.state import ClusterState
from ...model.text import units
from ...model.text.phrases import counted
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.column import Frame

_MAX_TEXT: Final = 300
"""Characters of a value."""
_MAX_EXCEPTIONS: Final = 5
_ACKS: Final = {True: "after the task has run", False: "before the task runs", None: units.UNKNOWN}


def type_fields(task_type: TaskType, state: ClusterState, frame: Frame) -> list[Field]:
    """Return the fields of a task type; counts of states are of the tasks in memory."""
    runtime, wait = task_type.runtime, task_type.wait
    lost = sum(task_type.lost.values())
    failing = "bad" if task_type.name in newly_failing(state, frame.now) else "text"
    failed = task_type.failure_rate
    last = units.UNKNOWN
    if task_type.last_at is not None:
        last = f"{units.elapsed(task_type.last_at, frame.now)} ago"
    found = [
        Field("In memory", units.count(task_type.held)),
        Field("Waiting", units.count(waiting_count(task_type))),
        Field("Running", units.count(running_count(task_type))),
        *([Field("Lost", units.count(lost), "warn")] if lost else []),
        *(
            Field(
                name.capitalize(),
                units.count(task_type.held_in(name)),
                failing if name == FAILURE else state_style(name),
            )
            for name in (SUCCESS, FAILURE, RETRY, REVOKED)
            if task_type.held_in(name)
        ),
        Field(
            "Failed",
            units.UNKNOWN if failed is None else f"{units.percent(failed)} of finished tasks",
            failing if failed else "text",
        ),
        Field("Run time", _quantiles(runtime.quantile(0.5), runtime.quantile(0.95), runtime.max)),
        Field("Wait", _quantiles(wait.quantile(0.5), wait.quantile(0.95), wait.max)),
        Field("Limits", common_limits(state, task_type.name) or "none"),
        *_held(held_by_type(state.workers.values())[task_type.name]),
        Field("Acknowledged", _ACKS[task_type.acks_late]),
        Field("Last event", last),
    ]
    worst = sorted(task_type.exceptions.items(), key=lambda item: -item[1])
    if worst:
        names = ", ".join(f"{count:,} {name}" for name, count in worst[:_MAX_EXCEPTIONS])
        more = len(worst) - _MAX_EXCEPTIONS
        names += f" and {more} more" if more > 0 else ""
        # A task that is retried raises one in each attempt, and is in a group of failures once.
        names += " (retries included)" if task_type.retried else ""
        found.append(Field("Exceptions", visible(names, _MAX_TEXT), failing))
    return found


def _held(number: int) -> list[Field]:
    text = f"{counted(number, 'task')}, by the rate limit"
    return [Field("Held", text, "warn")] if number else []


def _quantiles(middle: float | None, high: float | None, most: float | None) -> str:
    if middle is None or high is None or most is None:
        return units.UNKNOWN
    p50, p95, top = (units.duration(value) for value in (middle, high, most))
    return f"p50 {p50}, p95 {p95}, max {top}"
