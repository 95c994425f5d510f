"""The Queues screen."""

from __future__ import annotations

from collections.abc import Iterable

from ...model.entities.queue import Queue
from ...model.query.language import exact_term
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..columns.queues import PAUSED, QUEUE_KEYS, queue_columns
from ..keymap import bindings
from ..navigation import DrillDown
from .row_lists import RowListScreen


class QueuesScreen(RowListScreen[Queue]):
    """Depth, trend and consumers of each queue."""

    BINDINGS = bindings("queues")
    CONTEXTS = ("list", "queues")
    EMPTY = "No queues so far; they are discovered from workers and tasks"
    ORDER = ("name", False)
    FAULTS = "no consumers"
    KEYS = QUEUE_KEYS

    @property
    def topics(self) -> frozenset[str]:
        """Queue depths and consumers."""
        return frozenset({"queues", "consumers"})

    def columns(self) -> tuple[Column[Queue], ...]:
        """Return the columns of queues."""
        return queue_columns(lambda: self.context.paused_queues)

    def row_version(self, row: Queue) -> object:
        """Return a value that changes with the queue and with its being paused."""
        return row.version, row.name in self.context.paused_queues

    def source(self) -> Iterable[Queue]:
        """Return all queues."""
        return self.context.state.queues.values()

    def row_text(self, row: Queue) -> str:
        """Return name, consumers, and whether it is paused."""
        paused = (PAUSED,) if row.name in self.context.paused_queues else ()
        return " ".join((row.name, *row.known_consumers, *paused))

    def faulty(self, row: Queue) -> bool:
        """Return whether messages are waiting without a consumer."""
        return row.unattended and row.name not in self.context.paused_queues

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """List the queue's tasks."""
        self.visit(DrillDown("tasks", exact_term("queue", message.row_id), message.row_id))
