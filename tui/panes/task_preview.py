"""What a list of tasks shows of the selected one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from ...model.entities.task import Task
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ..charts import charts
from ..charts.charts import Build
from ..context import AppContext
from ..details.task import task_fields
from .preview import Previewed

MAX_VALUE: Final = 600
"""Characters of a value."""
_CHARTS: Final = (charts.type_runtimes, charts.type_rates)


def previewed_task(task: Task, context: AppContext) -> Previewed:
    """Return the values and times of a task, and charts of its type."""
    repeated = {"Name", *(("Root",) if task.root_id == task.id else ())}
    first, *others = task_fields(task, context.frame(), context.settings.max_retries_of(task.name))
    return Previewed(
        task.id,
        f"Task {task.name or '?'}",
        [first, *_values(task), *(field for field in others if field.label not in repeated)],
        type_charts(task.name, context),
        wraps=True,
        stacks=True,
    )


def type_charts(name: str | None, context: AppContext) -> list[Build]:
    """Return charts of a task type; none of an unknown one."""
    if name not in context.state.types:
        return []
    return [partial(build, name=name) for build in _CHARTS]


def _values(task: Task) -> Iterator[Field]:
    for label, value in (("Args", task.args), ("Kwargs", task.kwargs), ("Result", task.result)):
        if value:
            yield Field(label, visible(value, MAX_VALUE))
