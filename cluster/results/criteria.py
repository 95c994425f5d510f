"""Translates a filter into tests of columns, which a database can search by.

A test may hold for more entries than the filter, never for fewer: the filter itself decides about
those that are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec

from ...model.entities.result import READY_STATES
from ...model.entities.states import FAILURE, SUCCESS
from ...model.entities.task import Task
from ...model.query.condition import Comparison, Condition, TextPattern, Value
from ...model.query.criterion import Criterion, criteria_of
from ...model.query.fields import state_predicate
from ...model.query.time_range import TimeRange

TEXT_COLUMNS: Final = frozenset({"id", "name", "worker", "queue", "periodic"})
TIME_COLUMNS: Final = frozenset({"finished", "started", "created"})
ALL_COLUMNS: Final = TEXT_COLUMNS | TIME_COLUMNS
_NEVER_STORED: Final = frozenset({"sent", "received", "waited"})
"""Fields that no entry in a result backend has."""
_STATES_WITH: Final[dict[str | None, str]] = {
    **dict.fromkeys(("exception", "error", "traceback", "place"), FAILURE),
    "result": SUCCESS,
}
"""Fields that the model takes only from entries in one final state."""


class Clause(msgspec.Struct, frozen=True, gc=False):
    """A condition: all criteria of one of the alternatives hold, or of none if negated."""

    alternatives: tuple[tuple[Criterion, ...], ...]
    negated: bool = False


class Criteria(NamedTuple):
    """The conditions on an entry that can be checked in its columns."""

    clauses: tuple[Clause, ...]
    exact: bool
    """Whether they hold for the same entries as the filter."""


def criteria(
    conditions: Iterable[Condition],
    columns: Collection[str],
    now: float,
    *,
    unfinished: bool = False,
    ended_before: float | None = None,
) -> Criteria | None:
    """Return the criteria for a filter; None if no entry can match it.

    Args:
        conditions: The terms of the filter.
        columns: The columns that the table has.
        now: The time, in epoch seconds.
        unfinished: Whether entries of unfinished tasks are searched too.
        ended_before: Only tasks that ended before this time; None for all.
    """
    clauses, exact = [], True
    states = set(READY_STATES)
    for condition in conditions:
        if not condition.negated and _is_unknown(condition.field, columns):
            return None
        if not condition.negated and condition.field in _STATES_WITH:
            states &= {_STATES_WITH[condition.field]}
        if condition.field == "state":
            states &= _states(condition, now)
            exact = exact and not unfinished
            continue
        clause = _clause(condition, columns, now)
        exact = exact and clause is not None and _is_exact(condition) and not condition.definite
        if clause is not None:
            clauses.append(clause)
    if not unfinished:
        if not states:
            return None
        clauses.insert(0, Clause(((Criterion("status", "in", sorted(states)),),)))
        if ended_before is not None:
            clauses.append(Clause(((Criterion("finished", "before", ended_before),),)))
    return Criteria(tuple(clauses), exact)


def names_unfinished(conditions: Iterable[Condition]) -> bool:
    """Return whether a filter names a state of unfinished tasks."""
    for condition in conditions:
        if condition.field == "state" and not condition.negated:
            for value in condition.values:
                name = value.text.upper() if isinstance(value, TextPattern) else ""
                if not _states(Condition("state", (value,)), 0.0) and name != "LOST":
                    return True
    return False


def _is_unknown(field: str | None, columns: Collection[str]) -> bool:
    """Return whether no entry has the field."""
    if field in _NEVER_STORED or (field == "runtime" and "started" not in columns):
        return True
    return field in ALL_COLUMNS and field not in columns


def _states(condition: Condition, now: float) -> set[str]:
    """Return the final states that match."""
    names = [value.text for value in condition.values if isinstance(value, TextPattern)]
    matches = state_predicate(names)
    return {
        state
        for state in READY_STATES
        if matches(Task(id="", state=state), now) is not condition.negated
    }


def _clause(condition: Condition, columns: Collection[str], now: float) -> Clause | None:
    field = condition.field
    if field == "age" and not condition.negated:
        # Without events a task's age counts from its end, or from its start before that.
        upper = [_upper_limit(value) for value in condition.values]
        if None in upper:
            return None
        oldest = max(limit for limit in upper if limit is not None)
        return Clause(((Criterion("finished", "from", now - oldest),),))
    if field is None or field not in columns:
        return None
    alternatives: list[tuple[Criterion, ...]] = []
    for value in condition.values:
        found = criteria_of(field, value, now)
        if not found:
            return None
        alternatives += found
    if condition.negated and not _is_exact(condition):
        return None
    return Clause(tuple(alternatives), condition.negated)


def _upper_limit(value: Value) -> float | None:
    is_upper = isinstance(value, Comparison) and value.sign.startswith("<")
    return value.number if isinstance(value, Comparison) and is_upper else None


def _is_exact(condition: Condition) -> bool:
    return condition.field != "age" and all(
        isinstance(value, TimeRange)
        or (isinstance(value, TextPattern) and value.kind in ("contains", "equals"))
        for value in condition.values
    )
