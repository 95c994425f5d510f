"""The Findings screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..charts import charts
from ..columns.findings import ACKNOWLEDGED, FINDING_KEYS, FINDINGS, severity_word
from ..details.finding import finding_fields
from ..keymap import bindings
from ..messages import ViewRequested
from ..navigation import DrillDown
from ..panes.preview import Previewed
from ..text.alerts import Alert, each_alert
from .base.row_lists import RowListScreen

_CHARTS: Final[Mapping[str, Callable[..., Any]]] = {
    "queue": charts.queue_depth,
    "worker": charts.worker_busy,
    "type": charts.type_runtimes,
}
"""The chart that shows most of a finding, by kind of subject."""
_CHARTS_BY_CODE: Final[Mapping[str, Callable[..., Any]]] = {"type-failing": charts.type_rates}


class FindingsScreen(RowListScreen[Alert]):
    """All findings, the worst first, with the evidence and the next step."""

    BINDINGS = bindings("findings")
    CONTEXTS = ("list", "findings")
    LIST = "findings"
    EMPTY = "No findings: nothing needs attention"
    ORDER = ("severity", False)
    FAULTS = "errors only"
    KEYS = FINDING_KEYS
    PREVIEWS = True

    @property
    def topics(self) -> frozenset[str]:
        """What findings are derived from, polled slowly."""
        return frozenset({"overview", "workers", "queues"})

    def columns(self) -> tuple[Column[Alert], ...]:
        """Return the columns of findings."""
        return FINDINGS

    def source(self) -> Iterable[Alert]:
        """Return all findings, the worst first."""
        context = self.context
        return each_alert(context.findings, context.now(), context.acknowledgements.quiets)

    def row_version(self, row: Alert) -> object:
        """Return all that is shown of a finding."""
        return row.text, row.level, row.acknowledged

    def row_text(self, row: Alert) -> str:
        """Return severity, code, subject and texts."""
        finding = row.finding
        words = (severity_word(row), finding.severity, finding.code, finding.subject, row.text)
        return " ".join(words)

    def previewed(self, row: Alert) -> Previewed:
        """Return the evidence of a finding, and a chart of its subject."""
        finding = row.finding
        build = _CHARTS_BY_CODE.get(finding.code) or _CHARTS.get(finding.kind)
        builds = [partial(build, name=finding.name)] if build and finding.name else []
        fields = finding_fields(row, self.context.frame())
        return Previewed(row.id, finding.subject, fields, builds, wraps=True)

    def faulty(self, row: Alert) -> bool:
        """Return whether it is an error that is not acknowledged."""
        return row.finding.severity == "error" and not row.acknowledged

    def notes(self) -> Sequence[Part]:
        """Note how many findings are acknowledged."""
        acknowledged = sum(row.acknowledged for row in self.rows)
        return [Part(f"{acknowledged:,} {ACKNOWLEDGED}", "$text-muted", 3)] if acknowledged else ()

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the subject; a finding without a page or list of its own is shown in full."""
        row = self.list_table.cursor_row
        if row is None:
            return
        target = row.target
        if isinstance(target, DrillDown):
            self.visit(target)
        elif target.view != self.LIST:
            self.post_message(ViewRequested(target))
        else:
            from ..dialogs.text import TextDialog

            fields = finding_fields(row, self.context.frame())
            lines = [f"{field.label}: {field.value}" for field in fields]
            self.app.push_screen(TextDialog(row.finding.subject, "\n\n".join(lines)))
