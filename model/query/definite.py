"""Filters that choose what is changed: a negated term never matches by an unknown value.

On a screen, `!name:billing` also lists the tasks without a known name. An operation must not take
them: their name may be billing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ..entities.states import FAILURE, PENDING, RETRY, SUCCESS
from ..entities.task import Task
from .fields import DURATIONS, NUMBERS, TEXTS, TIMES, Predicate
from .language import Query, Term, all_of

_ONLY_IN: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(("exception", "error", "traceback", "place"), frozenset({FAILURE, RETRY})),
    "result": frozenset({SUCCESS}),
}
"""Fields that tasks have only in some states."""
_FINISHED: Final = ("started", "finished", "runtime", "waited")
"""Fields that unfinished tasks need not have yet."""
_DELIVERED: Final = ("worker", "received")
"""Fields that waiting tasks do not have yet."""
_FREE_TEXT: Final = ("name", "args", "kwargs")
"""Fields that free text is searched in, and that may be unknown."""


def definite(query: Query) -> Query:
    """Return the filter by which an operation chooses tasks or results."""
    terms = tuple(map(_definite, query.terms))
    return replace(query, terms=terms, matches=all_of([term.matches for term in terms]))


def left_out(query: Query) -> str | None:
    """Return what `definite` leaves out, without a full stop; None if nothing."""
    fields: dict[str, None] = {}
    for term in query.terms:
        if _doubtful(term):
            fields |= dict.fromkeys(_FREE_TEXT if term.field is None else (term.field,))
    if not fields:
        return None
    return f"Tasks whose {' or '.join(fields)} is unknown are left out"


def undecided(query: Query, tasks: Iterable[Task], now: float) -> Counter[str]:
    """Return how many tasks do not match only because a field is unknown, by field.

    Args:
        query: The filter.
        tasks: Those to choose from.
        now: The time, in epoch seconds.
    """
    found: Counter[str] = Counter()
    for task in tasks:
        failed = [term for term in query.terms if not term.matches(task, now)]
        fields = [_unknown_field(term, task, now) for term in failed]
        if fields and (field := fields[0]) is not None and None not in fields:
            found[field] += 1
    return found


def _unknown_field(term: Term, task: Task, now: float) -> str | None:
    """Return the field whose unknown value keeps a task from matching a term; None if none does."""
    if term.field == "state":
        return None
    fields = _FREE_TEXT if term.field is None else (term.field,)
    return next((field for field in fields if not _known(field)(task, now)), None)


def _doubtful(term: Term) -> bool:
    return term.condition.negated and term.field not in ("state", "id")


def _definite(term: Term) -> Term:
    if not _doubtful(term):
        return term
    fields = _FREE_TEXT if term.field is None else (term.field,)
    known = all_of([_known(field) for field in fields])
    condition = replace(term.condition, definite=True)
    return replace(term, matches=all_of([known, term.matches]), condition=condition)


def _known(field: str) -> Predicate:
    """Return whether a task's value of a field is known, or known to be absent."""
    text, number = TEXTS.get(field), DURATIONS.get(field) or NUMBERS.get(field)

    def known(task: Task, now: float) -> bool:
        if text is not None:
            value: object = text(task)
        elif number is not None:
            value = number(task, now)
        else:
            value = TIMES[field](task)
        return value is not None or _absent(field, task)

    return known


def _absent(field: str, task: Task) -> bool:
    if field in _ONLY_IN:
        return task.state not in _ONLY_IN[field]
    if field in _DELIVERED:
        return task.state == PENDING
    return field in _FINISHED and not task.finished
