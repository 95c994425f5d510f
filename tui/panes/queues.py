"""The queues, the most troubled first."""

from __future__ import annotations

from collections.abc import Sequence

from ...lists.queues import by_name, trouble
from ...model.entities.queue import Queue
from ...model.entities.styles import Level
from ...model.health.newness import backlog_grew_at, is_new
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...model.text import units
from ...model.text.phrases import counted, named
from ...widgets.colours import COLOURS
from ..bars.base import Part
from ..columns.overview import QUEUES
from ..context import AppContext
from ..navigation import DrillDown, FilteredView
from ..text.queues import delayed_text, depths_age
from .base import ListPane


class QueuesPane(ListPane[Queue]):
    """Depths and trends."""

    NAME, TITLE, VIEW, EMPTY = "queues", "Queues", "queues", "no queues so far"
    QUESTION = "queues"

    def __init__(self, context: AppContext) -> None:
        rows = RowList[Queue](
            lambda: by_name(context.state),
            lambda queue: queue.name,
            {"trouble": trouble},
            Order("trouble", True),
        )
        super().__init__(context, QUEUES, rows)

    def size_of_source(self) -> int:
        """Return the number of queues."""
        return len(self.context.state.queues)

    def status(self) -> tuple[Level, str]:
        """Return `bad` if a queue without consumers is new or grows."""
        now = self.context.now()
        unattended = [queue for queue in self.rows if queue.unattended]
        if any(is_new(backlog_grew_at(queue), now) for queue in unattended):
            level: Level = "bad"
        elif unattended:
            level = "warn"
        else:
            level = "good" if any(queue.waiting for queue in self.rows) else "idle"
        return level, "; ".join(self._remarks())

    def _remarks(self) -> list[str]:
        """Return what is delayed, and how old the depths are."""
        state, now = self.context.state, self.context.now()
        # The budget of commands makes this screen's measurements less frequent.
        age = depths_age(state, 2 * self.context.settings.queue_interval, now)
        return [text for text in (delayed_text(state.delayed, now), age) if text]

    def summary(self) -> Sequence[Part]:
        """Return the number of waiting messages, and the queues without consumers."""
        if not len(self.rows):
            return super().summary()
        depths = [queue.waiting for queue in self.rows]
        known = [depth for depth in depths if depth is not None]
        waiting = units.UNKNOWN if not known else units.count(sum(known))
        parts = [Part(f"{waiting} waiting in {counted(len(depths), 'queue')}")]
        unattended = [queue.name for queue in self.rows if queue.unattended]
        if unattended:
            level, _ = self.status()
            parts.append(Part(f"no consumers: {named(unattended)}", COLOURS[level], 1))
        elif self.rows[0].waiting:
            parts.append(Part(f"most in {self.rows[0].name}", "$text-muted", 1))
        parts += [Part(text, "$text-muted", 2) for text in self._remarks()]
        return parts

    def target(self, row_id: str | None) -> DrillDown | FilteredView:
        """Return the step to a queue's page."""
        return DrillDown("queue", row_id) if row_id else FilteredView(self.VIEW)
