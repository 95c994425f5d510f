"""The short lists: workers, queues, task types and the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual.binding import BindingType

from ...bindings.actions import Context
from ...model.entities.log import LogEntry
from ...model.entities.queue import Queue
from ...model.entities.task_type import TaskType
from ...model.entities.worker import Worker
from ...model.query.order import Order
from ...model.query.task_view import RowList
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..columns.log import LOG, LOG_KEYS
from ..columns.queues import PAUSED, QUEUE_KEYS, queue_columns
from ..columns.task_types import TYPE_KEYS, type_columns
from ..columns.workers import WORKER_KEYS, queue_names, worker_columns
from ..keymap import bindings
from ..navigation import Drill
from ..text.limits import common_limits
from .lists import ListScreen

if TYPE_CHECKING:
    from ...model.state import Changes

R = TypeVar("R")


class RowListScreen(ListScreen, Generic[R]):
    """A list of things that are few: taken anew each frame."""

    ORDER: ClassVar[tuple[str, bool]]
    """The id of the column that sorts at first, and whether the largest is first."""
    FOLLOWS: ClassVar[bool] = False

    def make_table(self) -> LiveTable[R]:
        """List all."""
        column_id, descending = self.ORDER
        columns = self.columns()
        key = next(column.sort_key or "" for column in columns if column.id == column_id)
        self.rows: RowList[R] = RowList(
            self._listed, self.row_id, self.sort_keys(), Order(key, descending), self.row_text
        )
        return LiveTable(
            columns,
            self.rows,
            row_id=self.row_id,
            row_version=self.row_version,
            empty=self.EMPTY,
            sort=self.ORDER,
            follow=self.FOLLOWS,
        )

    def columns(self) -> tuple[Column[R], ...]:
        """Return the columns."""
        raise NotImplementedError

    def sort_keys(self) -> Mapping[str, Callable[[R], Any]]:
        """Return what the columns' sort keys stand for."""
        raise NotImplementedError

    def source(self) -> Iterable[R]:
        """Return all rows."""
        raise NotImplementedError

    def row_id(self, row: R) -> str:
        """Return a row's id."""
        return str(getattr(row, "id"))  # noqa: B009 - a type variable has no attributes

    def row_version(self, row: R) -> object:
        """Return what differs when a row has changed."""
        return getattr(row, "version", 0)

    def row_text(self, row: R) -> str:
        """Return what a filter looks into."""
        return self.row_id(row)

    def faulty(self, row: R) -> bool:
        """Return whether something is wrong with a row."""
        raise NotImplementedError

    @property
    def total(self) -> int:
        """How many there are without a filter."""
        return sum(1 for _ in self.source())

    def refilter(self) -> None:
        """Filter by words."""
        self.rows.set_filter(self.filter_text)

    def take(self, changes: Changes) -> None:
        """Take the rows anew."""
        self.rows.refresh()

    def catch_up(self) -> None:
        """Take the rows anew."""
        self.rows.refresh()

    def _listed(self) -> Iterable[R]:
        rows = self.source()
        # The table is made before the screen knows of any filter.
        if getattr(self, "faults_only", False):
            return [row for row in rows if self.faulty(row)]
        return rows


class WorkersScreen(RowListScreen[Worker]):
    """Workers, their pools and load."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("workers")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("list", "workers")
    EMPTY = "No workers heard of so far: is one running, with this broker?"
    ORDER = ("name", False)
    FAULTS = "late, silent or offline"

    @property
    def topics(self) -> frozenset[str]:
        """Stats of all workers."""
        return frozenset({"workers"})

    def columns(self) -> tuple[Column[Worker], ...]:
        """Return the columns of workers."""
        return worker_columns(self.scene.state.broker)

    def sort_keys(self) -> Mapping[str, Callable[[Worker], Any]]:
        """Return the keys of workers; status sorts by how long one has been silent."""
        return {**WORKER_KEYS, "status": self.faulty}

    def source(self) -> Iterable[Worker]:
        """Return all workers that were ever heard of."""
        return self.scene.state.workers.values()

    def row_text(self, row: Worker) -> str:
        """Look into name, pool, queues and version."""
        words = (row.name, row.pool, queue_names(row), row.software_version, self._status(row))
        return " ".join(word for word in words if word)

    def faulty(self, row: Worker) -> bool:
        """Return whether it is late, gone, or takes nothing."""
        return self._status(row) != "online"

    def _status(self, worker: Worker) -> str:
        return worker.standing(self.scene.now(), self.scene.state.broker.listening_since)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the worker."""
        message.stop()
        self.visit(Drill("worker", message.row_id))


class QueuesScreen(RowListScreen[Queue]):
    """Depth, trend and consumers of each queue."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("queues")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("list", "queues")
    EMPTY = "No queues known so far: they are learned from workers and from tasks"
    ORDER = ("name", False)
    FAULTS = "nobody consumes"

    @property
    def topics(self) -> frozenset[str]:
        """Depths, and who consumes."""
        return frozenset({"queues", "workers"})

    def columns(self) -> tuple[Column[Queue], ...]:
        """Return the columns of queues."""
        return queue_columns(lambda: self.scene.paused_queues)

    def row_version(self, row: Queue) -> object:
        """Return what differs when a queue has changed, was paused or resumed."""
        return row.version, row.name in self.scene.paused_queues

    def sort_keys(self) -> Mapping[str, Callable[[Queue], Any]]:
        """Return the keys of queues."""
        return QUEUE_KEYS

    def source(self) -> Iterable[Queue]:
        """Return all queues."""
        return self.scene.state.queues.values()

    def row_text(self, row: Queue) -> str:
        """Look into the name and the consumers, and whether it is paused."""
        paused = (PAUSED,) if row.name in self.scene.paused_queues else ()
        return " ".join((row.name, *row.consumers, *paused))

    def faulty(self, row: Queue) -> bool:
        """Return whether messages wait that nobody consumes."""
        return row.unattended and row.name not in self.scene.paused_queues

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """List the queue's tasks."""
        message.stop()
        self.visit(Drill("tasks", exactly("queue", message.row_id), message.row_id))


class TypesScreen(RowListScreen[TaskType]):
    """Statistics by task name."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("types")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("list", "types")
    EMPTY = "No tasks heard of so far"
    ORDER = ("tasks", True)
    FAULTS = "with failures"

    def columns(self) -> tuple[Column[TaskType], ...]:
        """Return the columns of types."""
        return type_columns(self.scene.state)

    def row_version(self, row: TaskType) -> object:
        """Return what differs when a type, or what workers limit it to, has changed."""
        return row.version, common_limits(self.scene.state, row.name)

    def sort_keys(self) -> Mapping[str, Callable[[TaskType], Any]]:
        """Return the keys of types."""
        return TYPE_KEYS

    def source(self) -> Iterable[TaskType]:
        """Return all types."""
        return self.scene.state.types.values()

    def faulty(self, row: TaskType) -> bool:
        """Return whether any of its tasks failed."""
        return row.failed > 0

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """List the type's tasks."""
        message.stop()
        self.visit(Drill("tasks", exactly("name", message.row_id), message.row_id))


class LogScreen(RowListScreen[LogEntry]):
    """What happened, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("stream")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("list", "stream")
    EMPTY = "Nothing happened so far"
    ORDER = ("at", True)
    FAULTS = "warnings and errors"
    FOLLOWS = True

    def columns(self) -> tuple[Column[LogEntry], ...]:
        """Return the columns of the log."""
        return LOG

    def sort_keys(self) -> Mapping[str, Callable[[LogEntry], Any]]:
        """Return the keys of log entries."""
        return LOG_KEYS

    def source(self) -> Iterable[LogEntry]:
        """Return all entries."""
        return self.scene.state.log

    def row_text(self, row: LogEntry) -> str:
        """Look into all of it."""
        return f"{row.level} {row.source} {row.text}"

    def faulty(self, row: LogEntry) -> bool:
        """Return whether it is more than information."""
        return row.level != "info"

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Show the whole text; of an act, all that came of it."""
        message.stop()
        from ..dialogs.text import TextDialog

        row = self.list_table.cursor_row
        act = None if row is None else row.act
        outcome = None if act is None else self.scene.state.acts.get(act)
        if outcome is not None:
            from ..dialogs.outcome import OutcomeDialog

            self.app.push_screen(OutcomeDialog(outcome))
        elif row is not None:
            self.app.push_screen(TextDialog(f"{row.level} from {row.source}", row.text))


def exactly(field: str, value: str) -> str:
    """Return a filter for this very value of a field."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{field}:="{quoted}"'
