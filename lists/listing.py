"""The lists as commands use them: columns, rows and orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

from ..model.entities.queue import Queue
from ..model.entities.task import Task
from ..model.entities.task_type import TaskType
from ..model.entities.worker import Worker
from ..model.health.tasks.schedule_status import EntryStatus, entry_statuses
from ..model.ingest.tasks.failure_groups import FailureGroup
from ..model.query.language import EVERY_TASK, Query
from ..model.query.order import Order
from ..model.query.row_list import RowList
from ..model.query.task_view import TaskView
from ..widgets.table.column import Column
from . import failures, queues, schedule, task_types, tasks, workers
from .context import ListContext
from .progress import with_progress

R = TypeVar("R")


@dataclass(frozen=True)
class Listing(Generic[R]):
    """A list by its name, the same on the screen and in a command."""

    name: str
    columns: Callable[[ListContext], Sequence[Column[R]]]
    source: Callable[[ListContext], Iterable[R]]
    """Returns all rows."""
    keys: Callable[[ListContext], Mapping[str, Callable[[R], Any]]]
    """Returns the functions of the columns' sort keys."""
    order: tuple[str, bool]
    """The id of the column that it is sorted by at first, and whether the largest is first."""
    search_text: Callable[[R, ListContext], str]
    """Returns the text that a filter matches."""

    def column_ids(self, context: ListContext) -> tuple[str, ...]:
        """Return the ids of all columns."""
        return tuple(column.id for column in self.columns(context))

    def sort_ids(self, context: ListContext) -> tuple[str, ...]:
        """Return the ids of the columns that the list can be sorted by."""
        return tuple(column.id for column in self.columns(context) if column.sort_key)

    def order_by(
        self, context: ListContext, column_id: str | None = None, descending: bool | None = None
    ) -> Order:
        """Return the order by a column; without one, that of the screen.

        Args:
            context: The model.
            column_id: One of `sort_ids`.
            descending: Whether the largest is first; None leaves it to the column.
        """
        default_id, default_descending = self.order
        found = next(one for one in self.columns(context) if one.id == (column_id or default_id))
        if descending is None:
            descending = default_descending if column_id is None else found.descending
        return Order(found.sort_key or found.id, descending)

    def rows(self, context: ListContext, query: Query | str, order: Order) -> list[R]:
        """Return the rows that match a filter, in an order."""
        found: RowList[R] = RowList(
            lambda: self.source(context),
            lambda row: str(getattr(row, "id")),  # noqa: B009 - a type variable has no attributes
            self.keys(context),
            order,
            lambda row: self.search_text(row, context),
        )
        found.set_filter(query if isinstance(query, str) else query.text)
        return list(found)


class TaskListing(Listing[Task]):
    """The tasks, which have a filter language of their own."""

    def rows(self, context: ListContext, query: Query | str, order: Order) -> list[Task]:
        """Return the tasks that match a filter, in an order."""
        chosen = query if isinstance(query, Query) else EVERY_TASK
        return list(TaskView(context.state, chosen, order, now=context.now))


def _all_columns(
    columns: Sequence[Column[R]],
) -> Callable[[ListContext], Sequence[Column[R]]]:
    return lambda context: columns


def _worker_keys(context: ListContext) -> Mapping[str, Callable[[Worker], Any]]:
    listening, now = context.listening, context.now
    return {
        **workers.WORKER_KEYS,
        "trouble": lambda worker: workers.trouble(workers.level_of(worker, listening, now)),
    }


LISTINGS: Final[Mapping[str, Listing[Any]]] = {
    one.name: one
    for one in (
        TaskListing(
            "tasks",
            lambda context: with_progress(tasks.TASKS, context),
            lambda context: context.state.tasks.values(),
            lambda context: {},
            ("received", True),
            lambda task, context: task.id,
        ),
        Listing[Worker](
            "workers",
            lambda context: workers.worker_columns(context.state.broker),
            lambda context: sorted(context.state.workers.values(), key=attrgetter("name")),
            _worker_keys,
            workers.ORDER,
            lambda worker, context: workers.search_text(worker, worker.health(context.listening)),
        ),
        Listing[Queue](
            "queues",
            _all_columns(queues.QUEUES),
            lambda context: queues.by_name(context.state),
            lambda context: queues.QUEUE_KEYS,
            queues.ORDER,
            lambda queue, context: queues.search_text(queue),
        ),
        Listing[EntryStatus](
            "schedule",
            _all_columns(schedule.SCHEDULE),
            lambda context: entry_statuses(context.state, context.now),
            lambda context: schedule.SCHEDULE_KEYS,
            schedule.ORDER,
            lambda row, context: schedule.search_text(row),
        ),
        Listing[TaskType](
            "types",
            lambda context: task_types.type_columns(context.state),
            lambda context: context.state.types.values(),
            lambda context: task_types.TYPE_KEYS,
            task_types.ORDER,
            lambda row, context: task_types.search_text(row),
        ),
        Listing[FailureGroup](
            "failures",
            _all_columns(failures.FAILURES),
            lambda context: context.state.failures,
            lambda context: failures.FAILURE_KEYS,
            failures.ORDER,
            lambda group, context: failures.search_text(group),
        ),
    )
}
"""All lists, by name."""
