"""The Schedule screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from ...lists import schedule
from ...model.entities.schedule import SOURCE_NAMES
from ...model.health.tasks.schedule_status import EntryStatus, entry_statuses
from ...model.query.language import exact_term
from ...model.routing import Routing, routing
from ...model.text import units
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..charts import charts
from ..details.schedule import entry_fields, title
from ..keymap import bindings
from ..navigation import DrillDown
from ..panes.preview import Previewed
from ..text.unknown import not_known_yet
from .base.row_lists import RowListScreen


class ScheduleScreen(RowListScreen[EntryStatus]):
    """The periodic tasks of beat, the overdue ones first."""

    BINDINGS = bindings("schedule")
    CONTEXTS = ("list", "schedule")
    LIST = "schedule"
    QUESTION = ""
    ORDER = schedule.ORDER
    FAULTS = "overdue"
    KEYS = schedule.SCHEDULE_KEYS
    PREVIEWS = True

    _routed: tuple[object, Routing] = (None, Routing())

    @property
    def topics(self) -> frozenset[str]:
        """The schedule, and the queues from which it follows whether beat is running."""
        return frozenset({"schedule", "queues", "consumers"})

    def columns(self) -> tuple[Column[EntryStatus], ...]:
        """Return the columns of the schedule."""
        return schedule.SCHEDULE

    def source(self) -> Iterable[EntryStatus]:
        """Return all entries."""
        return entry_statuses(self.context.state, self.context.now())

    def row_version(self, row: EntryStatus) -> object:
        """Return a value that changes with the entry, its status and its tasks."""
        tasks = tuple(task.version for task in row.runs)
        return self.context.state.schedule.version, row.word, row.next_run_at, tasks

    def row_text(self, row: EntryStatus) -> str:
        """Return name, task, schedule, arguments, queue and status."""
        return schedule.search_text(row)

    def previewed(self, row: EntryStatus) -> Previewed:
        """Return the numbers of an entry, its next times, and charts of its task type."""
        fields = entry_fields(row, self._routing(), self.context.frame())
        task = row.entry.task
        builds = (
            (charts.type_rates, charts.type_runtimes) if task in self.context.state.types else ()
        )
        return Previewed(
            row.id, title(row), fields, [partial(build, name=task) for build in builds]
        )

    def faulty(self, row: EntryStatus) -> bool:
        """Return whether it is overdue."""
        return row.word == "overdue"

    @property
    def unknown_reason(self) -> str:
        """Why it is unknown whether there are entries, before any source was read."""
        state = self.context.state
        return "" if state.schedule.reads else not_known_yet(state)

    def empty_text(self) -> str:
        """Return why there are no entries."""
        reads = self.context.state.schedule.reads
        if self.total:
            return super().empty_text()
        if not reads and not self.context.settings.app:
            return "No periodic tasks found yet. Set -A to read those of the app or its database"
        return "No periodic tasks found" if reads else "Reading the schedule ..."

    def notes(self) -> Sequence[Part]:
        """Note sources that could not be read, and entries that are missing."""
        schedule = self.context.state.schedule
        notes = [
            f"{SOURCE_NAMES[source]} not read: {read.fault.problem}"
            for source, read in schedule.reads.items()
            if read.fault is not None
        ]
        if schedule.left_out:
            notes.append(f"{units.count(schedule.left_out)} more entries not listed")
        scheduled = self.keymap.key("view.scheduled")
        text = f"press {scheduled} for tasks with an ETA"
        hint = [Part(text, "$text-muted", 4)] if scheduled else []
        return [*(Part(text, "$text-warning", 3) for text in notes), *hint]

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """List the tasks of the entry."""
        row = self.list_table.cursor_row
        if row is None:
            return
        ids = frozenset(task.id for task in row.runs)
        filter_ = exact_term("name", row.entry.task)
        self.visit(DrillDown("tasks", filter_, f"tasks of {row.entry.name}", ids or None))

    def _routing(self) -> Routing:
        moment = int(self.context.now() / 5)
        if self._routed[0] != moment:
            settings, state = self.context.settings, self.context.state
            self._routed = moment, routing(state, settings.routes, settings.default_queue)
        return self._routed[1]
