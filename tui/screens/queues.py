"""The Queues screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from ...lists import queues
from ...model.entities.queue import Queue
from ...model.text import units
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..charts import charts
from ..details.queue import queue_fields
from ..keymap import bindings
from ..navigation import DrillDown
from ..panes.preview import Previewed
from ..text.queues import common_note, consumers_age, delayed_text, depths_age
from .base.row_lists import RowListScreen


class QueuesScreen(RowListScreen[Queue]):
    """Depth, trend and consumers of each queue."""

    BINDINGS = bindings("queues")
    CONTEXTS = ("list", "queues")
    LIST = "queues"
    EMPTY = "No queues so far; workers and tasks name them"
    QUESTION = "queues"
    ORDER = queues.ORDER
    FAULTS = "no consumers"
    KEYS = queues.QUEUE_KEYS
    PREVIEWS = True

    @property
    def topics(self) -> frozenset[str]:
        """Queue depths and consumers."""
        return frozenset({"queues", "consumers"})

    def columns(self) -> tuple[Column[Queue], ...]:
        """Return the columns of queues."""
        return queues.QUEUES

    def source(self) -> Iterable[Queue]:
        """Return all queues."""
        return queues.by_name(self.context.state)

    def row_text(self, row: Queue) -> str:
        """Return name, consumers and status."""
        return queues.search_text(row)

    def previewed(self, row: Queue) -> Previewed:
        """Return the numbers of a queue, its depth, and what arrives and leaves."""
        workers = self.context.state.workers
        consumers = [workers[name] for name in row.known_consumers if name in workers]
        frame = self.context.frame()
        delayed = self.context.state.delayed.due_times(frame.now)
        fields = queue_fields(row, consumers, frame, delayed)
        builds = (charts.queue_depth, charts.queue_rates, charts.queue_ages)
        return Previewed(
            row.id, f"Queue {row.name}", fields, [partial(build, name=row.name) for build in builds]
        )

    def faulty(self, row: Queue) -> bool:
        """Return whether messages are waiting without a consumer."""
        return row.unattended

    def notes(self) -> Sequence[Part]:
        """Note the age of the values, and whether queues are missing."""
        state, now = self.context.state, self.context.now()
        notes = [
            depths_age(state, self.context.settings.queue_interval, now),
            consumers_age(state, now),
        ]
        if state.fact("queues").is_failed:
            notes.append("list may be incomplete")
        notes.append(common_note(list(self.rows)))
        if state.queues_left_out:
            notes.append(f"{units.count(len(state.queues_left_out))} more queues not listed")
        parts = [Part(text, "$text-warning", 3) for text in notes if text]
        delayed = delayed_text(state.delayed, now)
        return [Part(delayed, "$text-accent", 2), *parts] if delayed else parts

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the queue's page."""
        self.visit(DrillDown("queue", message.row_id))
