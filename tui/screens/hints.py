"""Hints of one line, each shown once, the first time it is of use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...model.entities.queue import Queue
from ...model.entities.task import Task
from .here import Shown

SHOWN_FOR: Final = 12.0
"""Seconds that a hint stays."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint, and the condition under which it is of use."""

    id: str
    text: str
    """`{act.menu}` stands for the key of an action."""
    actions: tuple[str, ...]
    """The actions it names; without a key for each of them it is not shown."""
    applies: Callable[[Shown], bool]
    changes: bool = False
    """Whether it is about changes to the cluster, which read-only mode refuses."""
    temporary: bool = False
    """Whether it describes a state, and disappears with it."""


def _marked(screen: Shown) -> bool:
    return screen.table is not None and bool(screen.table.marks)


def _failed_task(screen: Shown) -> bool:
    row = screen.current_row
    return isinstance(row, Task) and row.state == "FAILURE"


def _failed_page(screen: Shown) -> bool:
    """Return whether it is the page of a failed task, with the cursor anywhere on it."""
    on_page = bool(screen.location.path) and screen.location.path[-1].kind == "task"
    return on_page and any(task.state == "FAILURE" for task in screen.chosen(Task))


def _waiting_queue(screen: Shown) -> bool:
    row = screen.current_row
    return screen.location.view == "queues" and isinstance(row, Queue) and bool(row.waiting)


HINTS: Final = (
    Hint(
        "frozen",
        "This is a snapshot to browse, filter and copy; {freeze} shows the live state again",
        ("freeze",),
        lambda screen: screen.context.frozen,
        temporary=True,
    ),
    Hint(
        "undo",
        "The header shows changes that are in force; {undo} undoes the latest",
        ("undo",),
        lambda screen: bool(screen.context.lasting),
        changes=True,
        temporary=True,
    ),
    Hint(
        "marks",
        "{act.menu} lists what can be done with the marked rows; {mark.none} unmarks them",
        ("act.menu", "mark.none"),
        lambda screen: _marked(screen) and "list" in screen.CONTEXTS,
        changes=True,
        temporary=True,
    ),
    Hint(
        "failed-page",
        "{search} searches this page, {copy.menu} copies its traceback or its arguments",
        ("search", "copy.menu"),
        _failed_page,
    ),
    Hint(
        "failed-row",
        "{open} opens the traceback, {error} groups all failures by exception and location",
        ("open", "error"),
        lambda screen: not screen.location.path and _failed_task(screen),
    ),
    Hint(
        "queue",
        "{open} opens the queue: its numbers, consumers and latest tasks",
        ("open",),
        _waiting_queue,
    ),
    Hint(
        "start",
        "{help} lists the keys of a screen; {palette} finds workers, queues and tasks",
        ("help", "palette"),
        lambda screen: screen.location.view == "overview",
    ),
)
"""The hints; of several that apply the first is shown."""


def new_hint(screen: Shown) -> Hint | None:
    """Return a hint that applies and was not shown yet."""
    context = screen.context
    return next(
        (
            hint
            for hint in HINTS
            if context.seen_hints.is_new(hint.id)
            and not (hint.changes and context.session.read_only)
            and hint.applies(screen)
            and has_keys(hint, screen)
        ),
        None,
    )


def has_keys(hint: Hint, screen: Shown) -> bool:
    """Return whether there is a key now for each action that a hint names."""
    return all(screen.keymap[action].keys for action in hint.actions)


def hint_text(hint: Hint, screen: Shown) -> str:
    """Return a hint with the user's keys."""
    text = hint.text
    for action in hint.actions:
        key = screen.keymap.key(action, ascii_only=screen.context.ascii)
        text = text.replace(f"{{{action}}}", key)
    return text
