"""The findings, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model.entities.styles import Level
from ...model.health.finding import Finding
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...widgets.colours import COLOURS
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame
from ..bars.base import Part
from ..context import AppContext
from ..navigation import DrillDown, FilteredView
from ..text.alerts import Alert, alerts
from .base import ListPane

IN_BANNER: Final = "broker-blocked"
"""The code of the finding that the banner shows already."""


class AttentionPane(ListPane[Alert]):
    """The findings; one line if all are acknowledged, hidden if there are none."""

    NAME, TITLE, VIEW, EMPTY = "attention", "Attention", "findings", "no findings"
    FRAME_LINES = 2
    _version = 0
    _counted_of: tuple[Finding, ...] | None = None
    """The findings of which `_acknowledged` are acknowledged, by those acknowledgements."""
    _counted_version = 0
    _acknowledged = 0

    def __init__(self, context: AppContext) -> None:
        rows = RowList[Alert](
            lambda: [
                alert
                for alert in alerts(
                    context.findings, context.now(), context.acknowledgements.quiets
                )
                if alert.finding.code != IN_BANNER
            ],
            lambda alert: alert.id,
            {"level": lambda alert: alert.level == "bad"},
            Order("level", True),
        )
        super().__init__(context, COLUMNS, rows, titles=False)

    def status(self) -> tuple[Level, str]:
        """Return whether anything is bad, and the number of findings."""
        count = len(self.rows)
        level: Level = "warn" if count else "idle"
        if any(alert.level == "bad" for alert in self.rows):
            level = "bad"
        notes = [f"{count}"] if count > 1 else []
        if self.acknowledged:
            notes.append(self._note)
        return level, ", ".join(notes)

    @property
    def acknowledged(self) -> int:
        """How many findings are acknowledged, and not listed for that reason."""
        findings, held = self.context.findings, self.context.acknowledgements
        if findings is not self._counted_of or held.version != self._counted_version:
            self._counted_of, self._counted_version = findings, held.version
            self._acknowledged = sum(map(held.quiets, findings))
        return self._acknowledged

    @property
    def _note(self) -> str:
        return f"{self.acknowledged:,} acknowledged"

    def refresh_rows(self) -> None:
        """Read the findings again once a second, or when one was acknowledged."""
        version = self.context.acknowledgements.version
        if version != self._version:
            self._version = version
            self._refreshed = None
        super().refresh_rows()

    def summary(self) -> Sequence[Part]:
        """Return the worst finding, and how many more there are."""
        if not len(self.rows):
            return (Part(self._note, "$text-muted", gap=1),)
        first, more = self.rows[0], len(self.rows) - 1
        parts = [Part(f"{first.subject}: {first.text}", COLOURS[first.level], gap=1)]
        return [*([Part(f"(+{more})", "$text-muted", gap=1)] if more else []), *parts]

    def target(self, row_id: str | None) -> DrillDown | FilteredView:
        """Return the page or list that a finding opens."""
        rows: RowList[Alert] = self.rows
        alert = next(iter(rows), None) if row_id is None else rows.get(row_id)
        return FilteredView(self.VIEW) if alert is None else alert.target


def _subject(alert: Alert, frame: Frame) -> Cell:
    return f"{frame.glyphs.level(alert.level)} {alert.subject}", alert.level


def _problem(alert: Alert, frame: Frame) -> Cell:
    return f"{frame.glyphs.level(alert.level)} {alert.text}", alert.level


PROBLEMS: Final[tuple[Column[Alert], ...]] = (Column("text", "Problem", 30, _problem, grow=1),)
"""The columns where all findings have the same subject."""
COLUMNS: Final[tuple[Column[Alert], ...]] = (
    Column("subject", "Subject", 22, _subject),
    Column("text", "Problem", 30, lambda alert, _: (alert.text, "text"), grow=4),
)
