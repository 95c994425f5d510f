"""The failures of the last hour, grouped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Final

from ...lists.failures import FAILURE_KEYS, failures_of, group_title
from ...model.entities.states import RETRY
from ...model.entities.styles import Level
from ...model.health.newness import failures_are_new, is_new
from ...model.ingest.tasks.failure_groups import FailureGroup
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...model.text import units
from ...widgets.colours import COLOURS
from ..bars.base import Part
from ..context import AppContext
from ..navigation import DrillDown, FilteredView
from .base import ListPane

MAX_AGE: Final = 3600.0
"""Seconds for which a failure is listed."""
SHORT_CLOCK: Final = len("14:02")


class FailuresPane(ListPane[FailureGroup]):
    """The groups: those that are new or growing first, then the largest."""

    NAME, TITLE, VIEW, EMPTY = "failures", "Failures", "tasks", "none"

    def __init__(self, context: AppContext) -> None:
        self.context = context
        keys = {"worst": lambda group: (failures_are_new(group, context.now()), self._count(group))}
        rows = RowList[FailureGroup](
            self._failing, lambda group: group.id, {**FAILURE_KEYS, **keys}, Order("worst", True)
        )
        super().__init__(context, failures_of(MAX_AGE), rows)

    @property
    def title(self) -> str:
        """The title, with the order, and since when all failures are known if not for an hour."""
        now, since = self.context.now(), self.context.state.failures_since
        if since is None or self.context.freeze.moment is not None or now - since >= MAX_AGE:
            return f"{self.TITLE} (last hour{'' if self.is_line else ', new first'})"
        at = units.clock(since, UTC if self.context.utc else None)[:SHORT_CLOCK]
        note = "last hour" if self.is_line else "new first"
        return f"{self.TITLE} ({note}, complete since {at})"

    def size_of_source(self) -> int:
        """Return the number of groups."""
        return sum(1 for _ in self.context.state.failures)

    def status(self) -> tuple[Level, str]:
        """Return `bad` if failures are new or growing."""
        now = self.context.now()
        failures = sum(map(self._count, self.rows))
        # Those that are new or growing are first.
        if len(self.rows) and failures_are_new(self.rows[0], now):
            level: Level = "bad"
        else:
            recent = any(is_new(group.last_at, now) for group in self.rows)
            level = "warn" if recent else "idle"
        return level, f"{failures:,}{self._retries}" if failures else ""

    @property
    def _retries(self) -> str:
        """That tasks count that will be retried, if there are any: other counts leave them out."""
        return " (retries included)" if self.context.state.totals.by_state.get(RETRY) else ""

    def summary(self) -> Sequence[Part]:
        """Return the number of failures, and the worst group."""
        if not len(self.rows):
            return super().summary()
        level, _ = self.status()
        worst: FailureGroup = self.rows[0]
        times = "x" if self.context.ascii else "×"
        return (
            Part(f"{sum(map(self._count, self.rows)):,}", COLOURS[level]),
            Part(f"{self._count(worst):,} {times} {group_title(worst)}"),
        )

    def target(self, row_id: str | None) -> DrillDown | FilteredView:
        """Return the step to the tasks of a group, or to all groups."""
        group: FailureGroup | None = None if row_id is None else self.rows.get(row_id)
        if group is None:
            return DrillDown("failures", "", "Failures")
        return DrillDown("tasks", group.query, group_title(group))

    def _count(self, group: FailureGroup) -> int:
        return group.count_since(self.context.now() - MAX_AGE)

    def _failing(self) -> list[FailureGroup]:
        """Return the groups with a failure in the last hour."""
        since = self.context.now() - MAX_AGE
        return [one for one in self.context.state.failures if (one.last_at or since) >= since]
