"""The Clusters screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...lists import clusters
from ...model.entities.cluster.cluster_status import ClusterStatus
from ...model.text.sanitize import visible
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..charts import charts
from ..cluster_list import ClusterList
from ..context import AppContext
from ..messages import ClusterRequested, ViewRequested
from ..navigation import FilteredView, Location
from ..panes.preview import Previewed, column_fields
from .base.row_lists import RowListScreen

ONLY_ONE = "Tables [clusters.NAME] in the config file add clusters"


class ClustersScreen(RowListScreen[ClusterStatus]):
    """The clusters, those with errors first; enter monitors another one."""

    CONTEXTS = ("list",)
    LIST = "clusters"
    QUESTION = ""
    ORDER = clusters.ORDER
    FAULTS = "with errors only"
    KEYS = clusters.CLUSTER_KEYS
    PREVIEWS = True
    PREVIEW_LINES = 0

    def __init__(self, context: AppContext, location: Location) -> None:
        self._clusters = ClusterList(context)
        super().__init__(context, location)

    @property
    def topics(self) -> frozenset[str]:
        """What the findings of the monitored cluster are derived from."""
        return frozenset({"overview", "workers", "queues"})

    def columns(self) -> tuple[Column[ClusterStatus], ...]:
        """Return the columns of clusters."""
        return clusters.CLUSTERS

    def source(self) -> Iterable[ClusterStatus]:
        """Return all clusters."""
        return self._clusters.rows()

    def row_id(self, row: ClusterStatus) -> str:
        """Return the name."""
        return row.name

    def row_version(self, row: ClusterStatus) -> object:
        """Return the row, all of which is shown."""
        return row

    def row_text(self, row: ClusterStatus) -> str:
        """Return name, state and broker."""
        return clusters.search_text(row)

    def previewed(self, row: ClusterStatus) -> Previewed:
        """Return all other columns, whole, and charts of the monitored cluster."""
        fields = column_fields(clusters.CLUSTERS[1:], row, self.context.frame())
        builds = (charts.throughput, charts.waiting) if row.is_current else ()
        title = f"Cluster {row.name}"
        return Previewed(row.name, title, fields, builds, wraps=True, stacks=True)

    def faulty(self, row: ClusterStatus) -> bool:
        """Return whether it needs attention."""
        return row.is_faulty

    def notes(self) -> Sequence[Part]:
        """Note why other clusters are not known."""
        if self._clusters.problem:
            return [
                Part(f"History not read: {visible(self._clusters.problem)}", "$text-warning", 3)
            ]
        return [] if self.context.settings.clusters else [Part(ONLY_ONE, "$text-muted", 4)]

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Monitor the selected cluster; the monitored one leads to its Overview."""
        row = self.list_table.cursor_row
        if row is None:
            return
        if row.is_current:
            self.post_message(ViewRequested(FilteredView("overview")))
        elif row.name in self.context.settings.clusters:
            self.post_message(ClusterRequested(row.name))
        else:
            self.app.notify(
                f"The config file has no [clusters.{row.name}] with its broker."
                f" `celtop --cluster {row.name} tasks` lists its stored tasks",
                markup=False,
            )
