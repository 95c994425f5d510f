"""Translates a filter into conditions on the columns of `tasks`.

The conditions may hold for more rows than the filter, never for fewer: unless they are `exact`, the
filter itself decides about each row that is read. Texts are compared as ASCII, ignoring case, as
LIKE does in SQLite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from ...model.entities.states import FINISHED, SUCCESS, WAITING
from ...model.query.condition import Comparison, Condition, TextPattern, Value
from ...model.query.criterion import Criterion, criteria_of
from ...model.query.fields import STATE_ALIASES
from ...model.query.time_range import TimeRange

Parameter: TypeAlias = str | float | int

_COLUMNS: Final = {
    **{name: name for name in ("id", "name", "worker", "queue")},
    "root": "root_id",
    "parent": "parent_id",
    "group": "group_id",
}
"""The columns of text fields."""
_IN_BODY: Final = frozenset({"args", "kwargs", "result", "exception", "error"})
"""Text fields that are only in the body; they are contained in it as they are."""
_FREE: Final = ("id", "name", "worker", "queue", "state", "body")
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]+")
"""Characters that JSON writes as they are."""
_TESTED_BY_MODEL: Final = frozenset({"running", "lost", "revoking"})
"""Names of states that are more than the column `state`."""
_TIME_SIGNS: Final = {"from": ">=", "before": "<"}
CLOCK_MARGIN: Final = 3600.0
"""Seconds that the clock of a worker may differ from the local one, by which rows are ordered."""


class Conditions(NamedTuple):
    """The SQL of a filter."""

    where: str
    """Conditions, each beginning with ` AND `; empty for all rows."""
    parameters: tuple[Parameter, ...]
    exact: bool
    """Whether they hold for the same rows as the filter."""
    unsuccessful: bool
    """Whether only tasks that did not succeed match: they have an index of their own."""
    since: float | None
    """No older row matches, by `at`; None if any may."""
    until: float | None
    """No newer row matches, by `at`; None if any may."""


def conditions(terms: Iterable[Condition], now: float) -> Conditions:
    """Return the conditions for the terms of a filter at a time in epoch seconds."""
    where: list[str] = []
    parameters: list[Parameter] = []
    exact, unsuccessful = True, False
    since: list[float] = []
    until: list[float] = []
    for term in terms:
        low, high = _span(term, now)
        since += [] if low is None else [low]
        until += [] if high is None else [high]
        found = _condition(term, now)
        exact = exact and found is not None and _is_exact(term)
        if found is not None:
            where.append(found[0])
            parameters += found[1]
        unsuccessful = unsuccessful or _excludes_success(term)
    return Conditions(
        "".join(f" AND {one}" for one in where),
        tuple(parameters),
        exact,
        unsuccessful,
        max(since, default=None),
        min(until, default=None),
    )


_Sql: TypeAlias = tuple[str, Sequence[Parameter]]


def _condition(term: Condition, now: float) -> _Sql | None:
    if term.field == "state":
        return _state(term)
    if term.field in ("runtime", "age") and not term.negated:
        return _any([_comparison(term.field, value, now) for value in term.values])
    columns: Sequence[str] = ()
    if term.field == "finished":
        columns = ("finished_at",)
    elif term.field in _COLUMNS:
        columns = (_COLUMNS[term.field],)
    elif term.field in _IN_BODY:
        columns = ("body",)
    elif term.field is None:
        columns = _FREE
    if not columns or (term.negated and not _is_exact(term)):
        return None
    found = _any([_text(column, value, now) for column in columns for value in term.values])
    if found is None or not term.negated:
        return found
    column = columns[0]
    return f"({column} IS NULL OR NOT {found[0]})", found[1]


def _any(conditions: Sequence[_Sql | None]) -> _Sql | None:
    """Return the condition that one of these holds; None if one of them cannot be tested."""
    known = [one for one in conditions if one is not None]
    if not known or len(known) < len(conditions):
        return None
    return f"({' OR '.join(one[0] for one in known)})", [part for one in known for part in one[1]]


def _state_names(term: Condition) -> set[str]:
    return {value.text.casefold() for value in term.values if isinstance(value, TextPattern)}


def _states(names: Iterable[str]) -> set[str]:
    """Return the lower-case states that names of states and of groups of states stand for."""
    found: set[str] = set()
    for name in names:
        found |= {name, *(state.casefold() for state in STATE_ALIASES.get(name, ()))}
    return found


def _state(term: Condition) -> _Sql | None:
    names = _state_names(term)
    if not all(name.isascii() for name in names):
        return None
    special = names & _TESTED_BY_MODEL
    if term.negated:
        names -= special
    elif special - {"running"}:
        return None
    states = sorted(_states(names - {"running"}))
    found = [f"lower(state) IN ({', '.join('?' * len(states))})"] if states else []
    if "running" in names:
        ended = sorted(FINISHED | WAITING)
        found.append(f"state NOT IN ({', '.join('?' * len(ended))})")
        states += ended
    if not found:
        return None
    whole = f"({' OR '.join(found)})"
    return (f"NOT {whole}" if term.negated else whole), states


def _excludes_success(term: Condition) -> bool:
    if term.field != "state":
        return False
    names = _state_names(term)
    if term.negated:
        return SUCCESS.casefold() in _states(names - _TESTED_BY_MODEL)
    return not names & {"lost", "revoking"} and SUCCESS.casefold() not in _states(names)


def _is_exact(term: Condition) -> bool:
    if term.definite or term.field in ("runtime", "age") or term.field in _IN_BODY:
        return False
    if term.field == "state":
        return not _state_names(term) & _TESTED_BY_MODEL
    if term.field == "finished":
        return True
    return term.field in _COLUMNS and all(
        isinstance(value, TextPattern) and value.kind in ("contains", "equals")
        for value in term.values
    )


def _comparison(field: str, value: Value, now: float) -> _Sql | None:
    if not isinstance(value, Comparison):
        return None
    if field == "runtime":
        # Without a run time it may still be running.
        return f"(runtime IS NULL OR runtime {value.sign} ?)", [value.number]
    sign = value.sign.translate(str.maketrans("<>", "><"))
    return f"first_seen_at {sign} ?", [now - value.number]


def _text(column: str, value: Value, now: float) -> _Sql | None:
    found = criteria_of(column, value, now)
    if not found:
        return None
    tests = [_all([_test(one) for one in alternative]) for alternative in found]
    return _any(tests)


def _all(tests: Sequence[_Sql | None]) -> _Sql | None:
    known = [one for one in tests if one is not None]
    if not known:
        return None
    return f"({' AND '.join(one[0] for one in known)})", [part for one in known for part in one[1]]


def _test(criterion: Criterion) -> _Sql | None:
    column, text = criterion.column, criterion.value
    if column == "body":
        # In it, each text is between others.
        if not _PLAIN.fullmatch(text):
            return None
        return "body LIKE ? ESCAPE '\\'", [f"%{_escaped(text)}%"]
    if criterion.operator == "equals":
        return f"{column} = ?", [text]
    if criterion.operator in _TIME_SIGNS:
        return f"{column} {_TIME_SIGNS[criterion.operator]} ?", [criterion.value]
    before = "" if criterion.operator == "startswith" else "%"
    after = "" if criterion.operator == "endswith" else "%"
    return f"{column} LIKE ? ESCAPE '\\'", [f"{before}{_escaped(text)}{after}"]


def _escaped(text: str) -> str:
    """Return the pattern of LIKE for a text."""
    return re.sub(r"([\\%_])", r"\\\1", text.lower())


def _span(term: Condition, now: float) -> tuple[float | None, float | None]:
    """Return between which times, by `at`, all tasks are that match."""
    if term.negated:
        return None, None
    lows: list[float | None] = []
    highs: list[float | None] = []
    for value in term.values:
        low = high = None
        if isinstance(value, TimeRange) and term.field in ("sent", "received", "started"):
            # It ended after that.
            low = value.bounds(now)[0]
        elif isinstance(value, TimeRange) and term.field == "finished":
            low, high = value.bounds(now)
        elif isinstance(value, Comparison) and term.field == "age" and value.sign.startswith("<"):
            low = now - value.number
        lows.append(None if low is None else low - CLOCK_MARGIN)
        highs.append(None if high is None else high + CLOCK_MARGIN)
    return _if_all(lows, min), _if_all(highs, max)


def _if_all(
    limits: Sequence[float | None], choose: Callable[[Iterable[float]], float]
) -> float | None:
    """Return the widest of the limits; None if one of them is open."""
    known = [limit for limit in limits if limit is not None]
    return choose(known) if known and len(known) == len(limits) else None
