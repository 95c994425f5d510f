"""The whole that a task belongs to: a live tree, each task with its bar on one axis of time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from textual.binding import BindingType

from ...bindings.actions import Context
from ...model.entities.states import PENDING
from ...model.entities.task import Task
from ...model.operations.call import SentTask
from ...model.query.language import Problem, parse_query
from ...model.text import units
from ...model.wire.signatures import read_signatures
from ...model.workflow.members import MEMBER_STATUSES, MemberStatus
from ...model.workflow.view import WorkflowRow, WorkflowView
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..columns.workflow import workflow_columns
from ..context import AppContext
from ..keymap import bindings
from ..navigation import DrillDown, Location
from .lists import ListScreen

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from ...model.entities.changes import Changes

ASKED: Final = 20
"""Members that have not ended whose messages are looked for, for what is to follow them."""
SEARCHED: Final = 5_000
"""With more messages in the queues than this they are not looked for: all would have to be read."""
LOOKED_INTO: Final = 4
"""Queues in which members wait that are looked into for others of the same groups."""
MESSAGES: Final = 500
"""Messages of each."""

READ: Final = 200
"""Results that are asked for at once."""

_STYLES: Final[dict[MemberStatus, str]] = {
    "succeeded": "$text-success",
    "failed": "bold $text-error",
    "rejected": "$text-error",
    "lost": "$text-warning",
    "retrying": "mediumpurple",
    "running": "dodgerblue",
}


class WorkflowScreen(ListScreen):
    """A task's workflow."""

    FILTER_HINT: ClassVar[str] = "state:failure name:~^bill worker:w1 !retry age:<5m  or any text"
    FAULTS: ClassVar[str] = "failures only"
    BINDINGS: ClassVar[list[BindingType]] = bindings("tasks")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("list", "tasks")

    def __init__(self, context: AppContext, location: Location) -> None:
        self.task_id = location.path[-1].subject
        super().__init__(context, location)

    def make_table(self) -> LiveTable[WorkflowRow]:
        """Draw the tree."""
        self.view = WorkflowView(self.context.state, self.task_id, self.context.now())
        return LiveTable(
            workflow_columns(self.view),
            self.view,
            row_id=_row_id,
            row_version=self._row_version,
            empty=self.nothing_known(),
        )

    def on_mount(self) -> None:
        """Begin at the task that it was asked for, and look for what is yet to come."""
        self.list_table.move_to(self.task_id)
        self.run_worker(self._look_ahead())

    async def _look_ahead(self) -> None:
        """Look into the messages of what has not ended: they name groups and what follows."""
        session = self.context.session
        unfinished = [task for task in self.view.members.tasks.values() if not task.finished]
        if not unfinished:
            return
        queues = {task.queue: None for task in unfinished if task.state == PENDING and task.queue}
        looks: list[Future[Any]] = [
            session.peek(queue, MESSAGES) for queue in list(queues)[:LOOKED_INTO] if queue
        ]
        waiting = sum(queue.waiting or 0 for queue in self.context.state.queues.values())
        if waiting <= SEARCHED:
            looks.append(session.recover_calls([task.id for task in unfinished[:ASKED]]))
        if not looks:
            return
        waited = [asyncio.wrap_future(look) for look in looks]
        # Waited for, and not awaited: to leave the page must not cancel another thread's work.
        await asyncio.wait(waited)
        if waiting <= SEARCHED and waited[-1].exception() is None:
            self._learn(waited[-1].result())

    def _learn(self, found: Sequence[object]) -> None:
        for one in found:
            message = one.message if isinstance(one, SentTask) else None
            if message is None or message.content_type != "application/json":
                continue
            if isinstance(one, SentTask) and "compression" not in message.headers:
                group_id = message.headers.get("group")
                told = read_signatures(
                    one.id, message.body, group_id if isinstance(group_id, str) else None
                )
                self.view.add_pending(one.id, told, self.context.now())

    # What is shown

    def nothing_known(self) -> str:
        """Say that nothing is there."""
        return f"No task {self.task_id[:8]} is known, nor any that belongs to it"

    def nothing(self) -> str:
        """Return why the tree is empty, if it is."""
        return super().nothing() if self.total else self.nothing_known()

    @property
    def total(self) -> int:
        """How many tasks belong to it."""
        return len(self.view.members)

    def problems(self, text: str) -> Sequence[Problem]:
        """Return the terms that mean nothing."""
        return parse_query(text).problems

    def refilter(self) -> None:
        """Show what passes, and what leads to it."""
        self.view.set_query(parse_query(self.filter_text), self.faults_only, self.context.now())

    def take(self, changes: Changes) -> None:
        """Take in what changed."""
        self.view.apply(changes, self.context.now())
        self._read_results()

    def catch_up(self) -> None:
        """Find all members anew."""
        self.view.refresh(self.context.now())
        self._read_results()

    def _read_results(self) -> None:
        """Have the results read that may tell of more members."""
        unread = self.view.members.unread(READ)
        if unread:
            self.context.session.read_results(unread)

    def paint_body(self) -> None:
        """Let the axis grow with the time."""
        self.view.axis.tick(self.context.now())
        super().paint_body()

    def paint_info(self) -> None:
        """Say how many are how far, and how long it took."""
        view, glyphs = self.view, self.context.glyphs
        left = [Part(f" {glyphs.more_right} ".join(self.title_parts), "bold", gap=1)]
        for one in MEMBER_STATUSES:
            number = view.members.counts[one]
            if number:
                style = _STYLES.get(one, "$text-muted")
                left.append(Part(f"{units.count(number)} {one}", style))
        if view.pending_count:
            left.append(Part(f"{units.count(view.pending_count)} to come", "$text-muted"))
        if view.left_out:
            shown = self.total - view.left_out
            text = f"the first {units.count(shown)} of {units.count(self.total)}"
            left.append(Part(text, "$text-warning", 1))
        if self.faults_only:
            left.append(Part(f"! {self.FAULTS}", "bold $text-error"))
        if self.filter_text:
            left.append(Part(f"/ {self.filter_text}", "$text-accent", 3))
        right = []
        marks = self.list_table.marks
        if marks:
            right.append(Part(f"{units.count(len(marks))} marked", "bold $text-accent", 1))
        right.append(
            Part(f"{units.duration(view.axis.duration(self.context.now()))} ", "$text-muted", 5)
        )
        self.info_bar.show(left, right)

    def _row_version(self, row: WorkflowRow) -> object:
        node, view = row.node, self.view
        task = 0 if node.task is None else node.task.version
        axis = (view.axis.begin, view.axis.length)
        drawn = (node.kind, node.failed, node.given_up, row.guides, row.context, row.folded)
        return (task, axis, drawn, row.counts, row.span)

    # What keys do

    def copied(self) -> Sequence[object]:
        """Return the marked tasks, or the cursor's; a group stands for all its members."""
        table = self.list_table
        if not table.marks:
            return () if table.cursor_id is None else self.view.tasks_of(table.cursor_id)
        members = self.view.members.tasks
        return [members[id_] for id_ in table.marks if id_ in members]

    def listed(self) -> Sequence[Task]:
        """Return all members that the filter lets through."""
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
            # The members, not the group: an act takes the marks from those that it was done to.
            if what == "one" and marked.issuperset(ids):
                table.unmark(*ids)
            else:
                table.mark(*ids)
        self.paint_info()

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open a task; fold a group, or unfold it."""
        message.stop()
        if message.row_id in self.context.state.tasks:
            self.visit(DrillDown("task", message.row_id, message.row_id[:8]))
        elif not self._fold(message.row_id):
            self.notify("Nothing was heard of it yet", timeout=4)

    def _fold(self, row_id: str) -> bool:
        folded = self.view.fold(row_id, self.context.now())
        self._show_rows()
        return folded


def _row_id(row: WorkflowRow) -> str:
    return row.node.id
