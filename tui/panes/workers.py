"""The workers, the most troubled first."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from ...lists.workers import level_of, trouble
from ...model.entities.styles import Level
from ...model.entities.worker import Worker
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...model.text import units
from ...widgets.colours import COLOURS
from ..bars.base import Part
from ..bars.header import workers_online
from ..columns.overview import worker_columns
from ..context import AppContext
from ..navigation import DrillDown, FilteredView
from .base import ListPane


class WorkersPane(ListPane[Worker]):
    """Workers with their load, or since when they are late, stalled or offline."""

    NAME, TITLE, VIEW, EMPTY = "workers", "Workers", "workers", "no workers so far"

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self._now = context.now()
        self._listening = context.state.broker.listening(self._now)
        rows = RowList[Worker](
            lambda: sorted(context.state.workers.values(), key=attrgetter("name")),
            lambda worker: worker.name,
            {"trouble": lambda one: trouble(level_of(one, self._listening, self._now))},
            Order("trouble", True),
        )
        super().__init__(context, worker_columns(context.state), rows)

    def refresh_rows(self) -> None:
        """Read the workers again."""
        self._now = self.context.now()
        self._listening = self.context.state.broker.listening(self._now)
        super().refresh_rows()

    def size_of_source(self) -> int:
        """Return the number of workers."""
        return len(self.context.state.workers)

    def status(self) -> tuple[Level, str]:
        """Return the worst level of a worker, and how many are online."""
        state, now = self.context.state, self.context.now()
        online, known = workers_online(state, now)
        level: Level = "idle"
        if len(self.rows):  # the worst is first
            level = level_of(self.rows[0], state.broker.listening(now), now)
            if level == "good" and online is None:
                level = "idle"
        shown = units.UNKNOWN if online is None else f"{online:,}"
        return level, f"{shown} of {known:,} online" if known else ""

    def summary(self) -> Sequence[Part]:
        """Return how many workers are online, and how many slots are busy."""
        if not len(self.rows):
            return super().summary()
        level, online = self.status()
        state, now = self.context.state, self.context.now()
        listening = state.broker.listening(now)
        present = [worker for worker in self.rows if worker.status(listening) != "offline"]
        known = [worker.running for worker in present if worker.running is not None]
        slots = sum(worker.slots or 0 for worker in present)
        parts = [Part(online, COLOURS[level])]
        if slots:
            current = known and workers_online(state, now)[0] is not None
            running = f"{sum(known):,}" if current else units.UNKNOWN
            parts.append(Part(f"{running} of {slots:,} slots busy", "", 1))
        return parts

    def target(self, row_id: str | None) -> DrillDown | FilteredView:
        """Return the step to a worker."""
        return DrillDown("worker", row_id) if row_id else FilteredView(self.VIEW)
