"""The keys that the footer shows: they depend on the focus, the row and the marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar

from ...bindings.actions import ACTIONS
from ...bindings.contexts import Context
from ...bindings.keymap import Keymap
from ...model.entities.queue import Queue
from ...model.entities.task import Task
from ...model.entities.task_type import TaskType
from ...model.entities.worker import Worker
from ...model.ingest.tasks.failure_groups import FailureGroup
from ...model.observations import WaitingMessage
from ...model.text.frames import TracebackFrame
from ..bars.keys import Here, Key
from ..text.alerts import Alert

if TYPE_CHECKING:
    from ...widgets.table.live_table import LiveTable
    from ..bars.command_line import CommandLine
    from ..bars.filter import Filter
    from ..bars.search import SearchLine
    from ..context import AppContext
    from ..navigation import Kind, Location

R = TypeVar("R")


class Shown(Protocol):
    """The parts of a screen that the choice of keys depends on."""

    CONTEXTS: ClassVar[tuple[Context, ...]]
    context: AppContext
    location: Location

    @property
    def typing(self) -> Filter | SearchLine | CommandLine | None:
        """The focused input line."""

    @property
    def keymap(self) -> Keymap:
        """The keys that act now."""

    @property
    def table(self) -> LiveTable[Any] | None:
        """The table that keys go to."""

    @property
    def zoomed(self) -> bool:
        """Whether one pane takes the whole screen."""

    @property
    def searching(self) -> bool:
        """Whether the text of the page is being searched."""

    @property
    def current_row(self) -> object | None:
        """The row or item that keys act on if nothing is marked."""

    def chosen(self, kind: type[R]) -> list[R]:
        """Return the rows of a type to operate on."""


def _is_ended(task: Task) -> bool:
    return task.state in ("FAILURE", "REVOKED")


def _is_recoverable(task: Task, context: AppContext) -> bool:
    return context.unrecoverable.reason(task) is None


def _is_terminable(task: Task, context: AppContext) -> bool:
    from ...model.confirm.targets import can_terminate

    worker = context.live.workers.get(task.worker or "")
    return task.running and (worker is None or can_terminate(worker.pool) is not False)


def _is_online(worker: Worker, context: AppContext) -> bool:
    return not context.is_offline(worker)


def _is_resizable(worker: Worker, context: AppContext) -> bool:
    from ...model.confirm.pools import FIXED_POOLS, autoscaling

    fixed = worker.pool in FIXED_POOLS or autoscaling(worker)
    return not fixed and not context.is_offline(worker)


def _is_readable(context: AppContext) -> bool:
    from ...model.confirm.queues import why_unreadable

    return why_unreadable(context.live) is None


_ONE_ROW: Final[Mapping[type, tuple[tuple[str, Callable[[Any, AppContext], bool]], ...]]] = {
    Task: (
        ("task.revoke", lambda task, _: not task.finished and not task.running),
        ("task.terminate", _is_terminable),
        ("task.retry", lambda task, context: _is_ended(task) and _is_recoverable(task, context)),
        (
            "task.rerun",
            lambda task, context: _is_ended(task) and not _is_recoverable(task, context),
        ),
        ("why", lambda task, _: task.waiting),
        ("workflow", lambda task, _: task.parent_id is not None or task.group_id is not None),
    ),
    Worker: (
        ("worker.drain", _is_online),
        ("pool.grow", _is_resizable),
        ("pool.shrink", _is_resizable),
        ("worker.consumer", _is_online),
    ),
    Queue: (
        ("why", lambda queue, _: bool(queue.waiting)),
        ("queue.look", lambda queue, context: queue.waiting != 0 and _is_readable(context)),
        ("queue.purge", lambda queue, _: bool(queue.waiting)),
    ),
    WaitingMessage: (
        ("message.remove", lambda _, context: context.live.broker.family != "amqp"),
        ("queue.look", lambda _, context: _is_readable(context)),
    ),
    TaskType: (("type.limit", lambda type_, _: True), ("task.trigger", lambda type_, _: True)),
}
"""The actions for a row, each with the condition under which it is possible and makes sense."""
_MARKED_ROWS: Final[Mapping[type, tuple[str, ...]]] = {
    Task: ("task.revoke", "task.terminate", "task.retry"),
    Worker: ("worker.drain", "pool.grow", "pool.shrink"),
    FailureGroup: ("task.retry",),
    Alert: ("finding.acknowledge",),
    WaitingMessage: ("message.remove", "task.revoke"),
}
_OPENS: Final[Mapping[Kind, str]] = {"workflow": "workflow", "failures": "error"}
"""The action that opens a page, which does nothing on the page itself."""
_MUTATING: Final = frozenset(action.id for action in ACTIONS if action.mutates)


def here(screen: Shown) -> Here:
    """Return the keys that work on a screen now."""
    line = screen.typing
    if line is not None:
        return Here(general=tuple((id_, "") for id_ in _shown((line.CONTEXT,), every=True)))
    # Only lists have marks; a page would have to look for its tables in each frame.
    table = screen.table if "list" in screen.CONTEXTS else None
    marked = table if table is not None and table.marks else None
    title = "" if marked is None else f"{len(marked.marks):,} marked:"
    keys = _of_row(screen) if marked is None else _of_marked(screen, marked)
    opened = _OPENS.get(screen.location.path[-1].kind) if screen.location.path else None
    unique = {id_: (id_, label) for id_, label in reversed([*keys]) if id_ != opened}
    general = (key for key in _general(screen) if key[0] not in {*unique, opened})
    return Here(title, tuple(reversed(unique.values())), tuple(general))


def _of_marked(screen: Shown, table: LiveTable[Any]) -> Iterator[Key]:
    if not screen.context.session.read_only:
        yield from ((id_, "") for id_ in _MARKED_ROWS.get(type(table.cursor_row), ()))
    if len(table.marks) == 2 and isinstance(table.cursor_row, Task | Worker | TaskType):
        yield "compare", ""
    yield "mark.none", "unmark"


def _of_row(screen: Shown) -> Iterator[Key]:
    context = screen.context
    read_only = context.session.read_only
    for row in _rows(screen):
        if isinstance(row, TracebackFrame):
            yield "copy.id", "copy path:line"
            if "detail" in screen.CONTEXTS:
                yield from _for(next(iter(screen.chosen(Task)), None), context)
        if isinstance(row, Queue) and not read_only and _is_paused(row, context):
            yield "undo", "resume"
        if isinstance(row, Alert):
            yield "finding.acknowledge", "take back" if row.acknowledged else ""
        if isinstance(row, FailureGroup):
            if not read_only:
                yield "task.retry", "retry all"
            if "failures" in screen.CONTEXTS:
                yield "focus.next", "traceback"
        yield from _for(row, context)


def _for(row: object, context: AppContext) -> Iterator[Key]:
    read_only = context.session.read_only
    for id_, sensible in _ONE_ROW.get(type(row), ()):
        if sensible(row, context) and not (read_only and id_ in _MUTATING):
            yield id_, ""


def _is_paused(queue: Queue, context: AppContext) -> bool:
    return any(change.queue == queue.name for change in context.lasting)


def _rows(screen: Shown) -> Iterator[object]:
    """Yield the row under the cursor, and what the page is about."""
    row = screen.current_row
    yield row
    if screen.location.path:
        kinds: tuple[tuple[Context, type], ...] = (
            ("workers", Worker),
            ("queues", Queue),
            ("types", TaskType),
        )
        for context, kind in kinds:
            if context in screen.CONTEXTS and not isinstance(row, kind):
                yield next(iter(screen.chosen(kind)), None)


def _general(screen: Shown) -> Iterator[Key]:
    context = screen.context
    if screen.zoomed:
        yield "zoom", "restore"
    if context.frozen:
        yield "freeze", "unfreeze"
        if "overview" in screen.CONTEXTS:
            if not context.freeze.at_first_record:
                yield "scroll.left", "earlier"
            if context.freeze.stepped_back:
                yield "scroll.right", "later"
    if context.lasting and not context.session.read_only:
        yield "undo", ""
    if screen.searching:
        yield from (("search.next", "next"), ("search.previous", "previous"), ("back", "clear"))
    for id_ in _shown(screen.CONTEXTS):
        if id_ == "quit" and screen.location.path:
            yield id_, "back"
        elif id_ == "filter" and isinstance(screen.current_row, TracebackFrame):
            yield id_, "search"
        elif id_ == "faults" and [step.kind for step in screen.location.path[-1:]] == ["compare"]:
            yield id_, "differences"
        elif id_ != "freeze" or not context.frozen:
            yield id_, "pause" if id_ == "freeze" and context.replay is not None else ""


@cache
def _shown(contexts: tuple[Context, ...], *, every: bool = False) -> tuple[str, ...]:
    """Return the ids of actions that the footer shows, those that work everywhere last."""
    found = [
        action
        for action in ACTIONS
        if (action.show or every)
        and not action.id.startswith("view.")
        and not {*contexts, *(() if every else ("global",))}.isdisjoint(action.contexts)
    ]
    found.sort(key=lambda action: "global" in action.contexts)
    return tuple(action.id for action in found)
