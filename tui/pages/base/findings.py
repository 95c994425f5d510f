"""The findings about the subject of a page."""

from __future__ import annotations

from typing import Any, Final

from ....model.health.finding import SubjectKind
from ....model.query.order import Order
from ....model.query.row_list import RowList
from ....widgets.table.live_table import LiveTable
from ....widgets.tile import Tile
from ...context import AppContext
from ...panes.attention import PROBLEMS
from ...text.alerts import Alert, each_alert

MAX_ROWS: Final = 8
"""Most findings that are shown without scrolling."""
FRAME_LINES: Final = 2


class FindingsPane(Tile):
    """What is wrong with a queue, worker or task type, the worst first.

    Args:
        context: The session.
        kind: What the page is about.
        name: Its name.
    """

    def __init__(self, context: AppContext, kind: SubjectKind, name: str) -> None:
        self.context = context
        self._about = kind, name
        self.alerts = RowList[Alert](
            self._alerts, lambda alert: alert.id, {"level": _is_bad}, Order("level", True)
        )
        # The title of the pane is enough.
        self.table: LiveTable[Any] = LiveTable(
            PROBLEMS, self.alerts, empty="none", markable=False, titles=False, id="findings-table"
        )
        super().__init__(
            self.table, title="Attention", glyphs=context.glyphs, id="findings", classes="pane"
        )
        self.can_focus = False

    @property
    def lines(self) -> int:
        """The lines that it needs; 0 without any finding."""
        return min(len(self.alerts), MAX_ROWS) + FRAME_LINES if len(self.alerts) else 0

    def show_level(self) -> None:
        """Show whether any finding is an error."""
        self.show("bad" if any(map(_is_bad, self.alerts)) else "warn")

    def _alerts(self) -> list[Alert]:
        context = self.context
        found = [one for one in context.findings if (one.kind, one.name) == self._about]
        return each_alert(found, context.now(), context.acknowledgements.quiets)


def _is_bad(alert: Alert) -> bool:
    return alert.level == "bad"
