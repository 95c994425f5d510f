"""The Workers screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

from ...lists import workers
from ...model.entities.styles import Level
from ...model.entities.worker import Worker, WorkerHealth
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..charts import charts
from ..details.worker import resource_fields, worker_fields
from ..keymap import bindings
from ..navigation import DrillDown
from ..panes.preview import Previewed
from .base.row_lists import RowListScreen


class WorkersScreen(RowListScreen[Worker]):
    """Workers with status, pool and load."""

    BINDINGS = bindings("workers")
    CONTEXTS = ("list", "workers")
    LIST = "workers"
    EMPTY = "No workers so far. Is one running on this broker?"
    ORDER = workers.ORDER
    FAULTS = "late, draining, stalled or offline"
    KEYS = workers.WORKER_KEYS
    PREVIEWS = True

    @property
    def topics(self) -> frozenset[str]:
        """Stats of all workers."""
        return frozenset({"workers"})

    def columns(self) -> tuple[Column[Worker], ...]:
        """Return the columns of workers."""
        return workers.worker_columns(self.context.state.broker)

    def sort_keys(self) -> Mapping[str, Callable[[Worker], Any]]:
        """Return the functions of the columns' sort keys; the worst status is first."""
        return {**self.KEYS, "trouble": lambda worker: workers.trouble(self._level(worker))}

    def source(self) -> Iterable[Worker]:
        """Return all known workers by name, the order of those with the same status."""
        return sorted(self.context.state.workers.values(), key=attrgetter("name"))

    def row_text(self, row: Worker) -> str:
        """Return name, pool, queues, version and status."""
        return workers.search_text(row, self._status(row))

    def previewed(self, row: Worker) -> Previewed:
        """Return the numbers of a worker, its busy slots, rate, load and memory."""
        frame = self.context.frame()
        status = row.health(self.context.state.broker.listening(frame.now))
        builds = (charts.worker_busy, charts.worker_rate, charts.worker_load)
        return Previewed(
            row.id,
            f"Worker {row.name}",
            [*worker_fields(row, status, frame), *resource_fields(row)],
            [partial(build, name=row.name) for build in builds],
        )

    def faulty(self, row: Worker) -> bool:
        """Return whether it is late, stalled or offline, or being drained."""
        return self._status(row) not in ("online", "unknown")

    def _status(self, worker: Worker) -> WorkerHealth:
        return worker.health(self.context.state.broker.listening(self.context.now()))

    def _level(self, worker: Worker) -> Level:
        now = self.context.now()
        return workers.level_of(worker, self.context.state.broker.listening(now), now)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the worker."""
        self.visit(DrillDown("worker", message.row_id))
