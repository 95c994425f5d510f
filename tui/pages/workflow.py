"""The Workflow screen: the tree of a chain, group or chord, with a timeline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from textual import work

from ...model.entities.states import PENDING
from ...model.entities.task import Task
from ...model.operations.call import SentTask
from ...model.query.language import Problem, parse_query
from ...model.text import units
from ...model.text.phrases import short_id
from ...model.wire.signatures import read_signatures
from ...model.workflow.members import MEMBER_STATUSES
from ...model.workflow.view import WorkflowRow, WorkflowView
from ...widgets.colours import COLOURS
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..columns.workflow import MEMBER_STYLES, workflow_columns
from ..context import AppContext
from ..keymap import bindings
from ..navigation import Location, page_of
from ..panes.preview import Previewed, column_fields
from ..panes.task_preview import previewed_task
from ..screens.base.previewing import PreviewingList

if TYPE_CHECKING:
    from ...model.entities.changes import Changes

MAX_RECOVERED: Final = 20
"""Unfinished members whose messages are searched for the signatures that follow them."""
MAX_SEARCHED_MESSAGES: Final = 5_000
"""With more waiting messages they are not searched: all would have to be read."""
MAX_PEEKED_QUEUES: Final = 4
"""Queues with waiting members that are peeked at for other members of their groups."""
MAX_PEEKED_MESSAGES: Final = 500
"""Messages read from each of these queues, and of those that workers have."""

MAX_RESULTS_READ: Final = 1_000
"""Results requested at once."""


class WorkflowScreen(PreviewingList[WorkflowRow]):
    """The workflow of a task."""

    FILTER_HINT = "state:failure name:~^bill worker:w1 !retry age:<5m  or any text"
    BINDINGS = bindings("tasks")
    LIST = "workflow"
    CONTEXTS = ("list", "tasks")
    PREVIEW_LINES = 0

    def __init__(self, context: AppContext, location: Location) -> None:
        self.task_id = location.path[-1].subject
        super().__init__(context, location)

    def make_table(self) -> LiveTable[WorkflowRow]:
        """Return the table of the tree."""
        self.view = WorkflowView(self.context.state, self.task_id, self.context.now())
        return LiveTable(
            workflow_columns(self.view),
            self.view,
            row_id=_row_id,
            row_version=self._row_version,
            empty=self.unknown_text(),
        )

    def on_mount(self) -> None:
        """Move the cursor to the task, and search for upcoming tasks."""
        self.list_table.move_to(self.task_id)
        self._find_upcoming()

    @work
    async def _find_upcoming(self) -> None:
        """Read the messages of unfinished members: they contain groups and the tasks to follow."""
        session = self.context.session
        unfinished = [task for task in self.view.members.tasks.values() if not task.finished]
        if not unfinished:
            return
        queues: dict[str | None, None] = dict.fromkeys(
            [task.queue for task in unfinished if task.state == PENDING and task.queue]
        )
        for queue in list(queues)[MAX_PEEKED_QUEUES:]:
            del queues[queue]
        if any(task.state != PENDING and task.group_id is None for task in unfinished):
            queues[None] = None  # the group's id is in the messages that workers have
        for queue in queues:
            session.lookups.peek(queue, MAX_PEEKED_MESSAGES)  # the model is updated
        waiting = sum(queue.waiting or 0 for queue in self.context.state.queues.values())
        if waiting > MAX_SEARCHED_MESSAGES:
            return
        ids = [task.id for task in unfinished[:MAX_RECOVERED]]
        search = asyncio.wrap_future(session.lookups.recover_calls(ids))
        # `wait` does not cancel the other thread's work when the page is left, `await` would.
        await asyncio.wait([search])
        if search.exception() is None:
            self._add_upcoming(search.result())

    def _add_upcoming(self, found: Sequence[object]) -> None:
        for one in found:
            message = one.message if isinstance(one, SentTask) else None
            if message is None or message.content_type != "application/json":
                continue
            if isinstance(one, SentTask) and "compression" not in message.headers:
                group_id = message.headers.get("group")
                signatures = read_signatures(
                    one.id, message.body, group_id if isinstance(group_id, str) else None
                )
                self.view.add_pending(one.id, signatures, self.context.now())

    # Rows

    def unknown_text(self) -> str:
        """Return the text shown for an unknown task."""
        return f"Unknown task {short_id(self.task_id)}; no event of its workflow was received"

    def empty_text(self) -> str:
        """Return the text of an empty tree."""
        return super().empty_text() if self.total else self.unknown_text()

    @property
    def total(self) -> int:
        """The number of tasks in the workflow."""
        return len(self.view.members)

    def problems(self, text: str) -> Sequence[Problem]:
        """Return the invalid terms of a filter."""
        return parse_query(text).problems

    def refilter(self) -> None:
        """Show the matching tasks and their ancestors."""
        self.view.set_query(parse_query(self.filter_text), self.faults_only, self.context.now())

    def take(self, changes: Changes) -> None:
        """Apply the changes."""
        self.view.apply(changes, self.context.now())
        self._read_results()

    def catch_up(self) -> None:
        """Find all members again."""
        self.view.refresh(self.context.now())
        self._read_results()

    def _read_results(self) -> None:
        """Request the results that may list more members."""
        unread = self.view.members.unread(MAX_RESULTS_READ)
        if unread:
            self.context.session.read_results(unread)

    def paint_body(self) -> None:
        """Extend the time axis, then paint."""
        self.view.axis.tick(self.context.now())
        super().paint_body()

    def counts(self) -> list[Part]:
        """Return the counts by status."""
        view, parts = self.view, []
        for one in MEMBER_STATUSES:
            number = view.members.counts[one]
            if number:
                parts.append(Part(f"{units.count(number)} {one}", COLOURS[MEMBER_STYLES[one]]))
        if view.pending_count:
            parts.append(Part(f"{units.count(view.pending_count)} upcoming", "$text-muted"))
        if number := view.members.unknown:
            text = f"{units.count(number)} unknown members of a chord: events lack its group id"
            parts.append(Part(text, "$text-muted", 3))
        elif view.members.may_be_grouped:
            text = "other members of its group may be missing: events lack the group id"
            parts.append(Part(text, "$text-muted", 3))
        if view.left_out:
            shown = self.total - view.left_out
            text = f"first {units.count(shown)} of {units.count(self.total)} shown"
            parts.append(Part(text, "$text-warning", 1))
        return parts

    def order_text(self) -> str:
        """Return how long the workflow took, in place of the sort order."""
        return units.duration(self.view.axis.duration(self.context.now()))

    def _row_version(self, row: WorkflowRow) -> object:
        node, view = row.node, self.view
        task = 0 if node.task is None else node.task.version
        axis = (view.axis.begin, view.axis.length)
        drawn = (node.kind, node.failed, node.given_up, row.guides, row.context, row.folded)
        return (task, axis, drawn, row.counts, row.span)

    def previewed(self, row: WorkflowRow) -> Previewed:
        """Return the values of a task and the charts of its type, or the texts of a group."""
        if row.node.task is not None:
            return previewed_task(row.node.task, self.context)
        fields = column_fields(self.list_table.columns, row, self.context.frame())
        known = [field for field in fields if field.value.strip()]
        title = "Group" if row.node.kind == "group" else "Task"
        return Previewed(row.node.id, title, known, (), wraps=True)

    # Actions

    def copied(self) -> Sequence[object]:
        """Return the marked tasks, else the cursor's; a group stands for all its members."""
        table = self.list_table
        if not table.marks:
            return () if table.cursor_id is None else self.view.tasks_of(table.cursor_id)
        members = self.view.members.tasks
        return [members[id_] for id_ in table.marks if id_ in members]

    @property
    def current_row(self) -> object | None:
        """The task under the cursor; None for a group."""
        row = self.list_table.cursor_row
        return None if row is None else row.node.task

    def listed(self) -> Sequence[Task]:
        """Return all members that match the filter."""
        return self.view.matching_tasks()

    def action_mark(self, what: Literal["one", "range", "all", "none"]) -> None:
        """Mark or unmark rows; a group's row stands for all its members."""
        super().action_mark(what)
        table, marked = self.list_table, set(self.list_table.marks)
        for id_ in table.marks:
            if id_ in self.view.members.tasks:
                continue
            table.unmark(id_)
            ids = [task.id for task in self.view.tasks_of(id_)]
            # Mark the members, not the group: an operation unmarks the tasks that it succeeded on.
            if what == "one" and marked.issuperset(ids):
                table.unmark(*ids)
            else:
                table.mark(*ids)
        self.paint_info()

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open a task; fold or unfold a group."""
        if message.row_id in self.context.state.tasks:
            self.visit(page_of(message.row_id))
        elif not self._fold(message.row_id):
            self.notify("No events of this task were received yet", timeout=4)

    def _fold(self, row_id: str) -> bool:
        folded = self.view.fold(row_id, self.context.now())
        self._show_rows()
        return folded


def _row_id(row: WorkflowRow) -> str:
    return row.node.id
