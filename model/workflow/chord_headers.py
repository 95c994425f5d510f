"""Finds the header of a chord by the arguments of its body, where no source has the group's id.

Tasks that were sent outside of any task have no parent, and each is its own root: no event joins
the members of a chord's header. Its body has their results as its first argument, in their order,
and the member that ended last as its parent (`celery/canvas.py`, `_chord`; `BaseBackend.
on_chord_part_return`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..entities.states import SUCCESS
from ..entities.task import Task
from ..text.literals import read_literal

MAX_ARGUMENTS_LENGTH: Final = 4_096
"""Characters of arguments that are read; Celery cuts them at 1,024."""
SENDING_TIME: Final = 10.0
"""Seconds within which the members of a header are sent."""
END_TOLERANCE: Final = 0.25
"""Seconds before a member's final event within which the body may have been sent."""


@dataclass(frozen=True, slots=True)
class ChordHeader:
    """The header of a chord."""

    size: int
    """Number of members."""
    ids: tuple[str, ...]
    """The members that are known for certain, at least the one that ended last."""

    @property
    def unknown(self) -> int:
        """Number of members that are not known."""
        return self.size - len(self.ids)


def may_be_body(task: Task) -> bool:
    """Return whether a task may be the body of a chord: a list is its first argument."""
    args = task.args
    return task.parent_id is not None and args is not None and args.startswith(("([", "[["))


def find_header(body: Task, last: Task, tasks: Iterable[Task]) -> ChordHeader | None:
    """Return the header of a chord; None if the task is not a chord's body.

    A member is known only if no other task can have returned its result.

    Args:
        body: The task that may be a body.
        last: Its parent: the member that ended last.
        tasks: Where to look for the other members.
    """
    results = _first_argument(body)
    if results is None or last.result is None or last.result not in results:
        return None  # the parent of a chain's next step may have returned the list itself
    sent, wanted = _begin(body), Counter(results)
    found: dict[str, list[str]] = {}
    for task in tasks:
        result = task.result
        if result in wanted and task.state == SUCCESS and _may_belong(task, last, body, sent):
            found.setdefault(result or "", []).append(task.id)
    ids = {
        id_
        for result, number in wanted.items()
        if len(found.get(result, ())) == number
        for id_ in found.get(result, ())
    }
    return ChordHeader(len(results), tuple(ids | {last.id}))


def _may_belong(task: Task, last: Task, body: Task, sent: float | None) -> bool:
    if task.id == body.id or task.parent_id != last.parent_id or task.group_id is not None:
        return False
    if last.parent_id is None and task.root_id not in (None, task.id):
        return False
    begin, first = _begin(task), _begin(last)
    if begin is None or first is None or abs(begin - first) > SENDING_TIME:
        return False
    return sent is None or task.finished_at is None or task.finished_at <= sent + END_TOLERANCE


def _first_argument(body: Task) -> Sequence[str] | None:
    """Return the items of the list that is the first argument, each as text; None without one."""
    text = body.args or ""
    if len(text) > MAX_ARGUMENTS_LENGTH:
        return None
    try:
        arguments = read_literal(text, repr)
    except ValueError:
        return None
    if not isinstance(arguments, tuple | list) or not arguments:
        return None
    first = arguments[0]
    return [repr(item) for item in first] if isinstance(first, list) and len(first) > 1 else None


def _begin(task: Task) -> float | None:
    if task.sent_at is not None:
        return task.sent_at
    return task.received_at if task.received_at is not None else task.started_at
