"""The fields of the filter language, and how a value typed for one becomes a test on a task."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from math import isfinite
from typing import Final, TypeAlias, TypeVar

from ..entities.states import CELERY_STATES, FAULTY, FINISHED
from ..entities.task import Task, first_seen_at
from ..text.parse import duration
from ..text.traceback import exception_class, location_of
from .safe_regex import safe_search

Predicate: TypeAlias = Callable[[Task, float], bool]
"""Whether a task matches, given the time."""

T = TypeVar("T")

TextTest: TypeAlias = Callable[[str], bool]
NumberTest: TypeAlias = Callable[[float], bool]

MAX_SEARCHED: Final = 16_384
"""Characters of a text that are searched; a regular expression sees fewer (see `patterns`)."""

_CACHE_SIZE: Final = 2_048
"""Texts whose answer is remembered. Names, workers and queues repeat from task to task."""

_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


def _age(task: Task, now: float) -> float | None:
    born = first_seen_at(task)
    return None if born is None else now - born


SHARED_TEXTS: Final = {
    "name": operator.attrgetter("name"),
    "worker": operator.attrgetter("worker"),
    "queue": operator.attrgetter("queue"),
}
"""Text fields of which many tasks have the same value."""

TEXTS: Final[dict[str, Callable[[Task], str | None]]] = {
    **SHARED_TEXTS,
    "id": operator.attrgetter("id"),
    "args": operator.attrgetter("args"),
    "kwargs": operator.attrgetter("kwargs"),
    "result": operator.attrgetter("result"),
    "exception": operator.attrgetter("exception"),
    "traceback": operator.attrgetter("traceback"),
    "error": lambda task: exception_class(task.exception),
    "place": lambda task: location_of(task.traceback, task.name),
    "root": operator.attrgetter("root_id"),
    "parent": operator.attrgetter("parent_id"),
    "group": operator.attrgetter("group_id"),
}

DURATIONS: Final[dict[str, Callable[[Task, float], float | None]]] = {
    "age": _age,
    "runtime": lambda task, now: task.elapsed(now),
    "waited": lambda task, _: task.waited(),
}

NUMBERS: Final[dict[str, Callable[[Task, float], float | None]]] = {
    "retries": lambda task, _: task.retries,
}

TIMED: Final = frozenset({"age", "runtime"})
"""Fields whose value changes while nothing happens to the task."""

FIELDS: Final = ("state", *TEXTS, *DURATIONS, *NUMBERS)

STATE_ALIASES: Final[dict[str, frozenset[str]]] = {
    "failed": frozenset({"FAILURE"}),
    "succeeded": frozenset({"SUCCESS"}),
    "waiting": frozenset({"PENDING", "RECEIVED", "RETRY"}),
    "finished": FINISHED,
    "faulty": FAULTY,
    "retrying": frozenset({"RETRY"}),
}
"""Words for states. Three more ask for more than the state: `running` is whatever a worker is at
work on, whatever the state is called; `lost` is what none runs any more while no end was heard;
`revoking` is what was revoked, while no worker has said yet that it skipped or ended it."""


def contains(needle: str) -> TextTest:
    """Return a test whether a text holds another, in any case."""
    folded = needle.casefold()
    return lambda text: folded in text[:MAX_SEARCHED].casefold()


def equals(wanted: str) -> TextTest:
    """Return a test for this very text."""
    return lambda text: text == wanted


def glob(pattern: str) -> TextTest:
    """Return a test whether a whole text fits an `fnmatch` pattern, in any case."""
    match = re.compile(translate(pattern), re.IGNORECASE).match
    return lambda text: match(text[:MAX_SEARCHED]) is not None


def regexp(pattern: str) -> TextTest:
    """Return a test for a regular expression, found anywhere, in any case.

    Raises:
        ValueError: It is none, or one that could take too long.
    """
    return safe_search(pattern)


def any_of(tests: Iterable[Callable[[T], bool]]) -> Callable[[T], bool]:
    """Return a test that passes where one of these does."""
    kept = tuple(tests)
    if len(kept) == 1:
        return kept[0]
    return lambda value: any(test(value) for test in kept)


def comparison(field: str, sign: str, text: str) -> NumberTest:
    """Return a test of a number field against a typed value.

    Raises:
        ValueError: The value is no number or duration, or lacks a sign where it needs one.
    """
    if field in NUMBERS:
        limit = number(text)
    elif sign in ("", "="):
        raise ValueError(f"say which side: {field}:<{text} or {field}:>{text}")
    else:
        limit = duration(text)
    compare = _COMPARISONS[sign or "="]
    return lambda value: compare(value, limit)


def number(text: str) -> float:
    """Read a plain number.

    Raises:
        ValueError: It is none, or not finite.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ValueError(f"not a number: {text}")
    return value


def text_predicate(field: str, test: TextTest) -> Predicate:
    """Return whether a text field is known and passes."""
    get = TEXTS[field]
    if field in SHARED_TEXTS:
        test = lru_cache(_CACHE_SIZE)(test)

    def matches(task: Task, now: float) -> bool:
        text = get(task)
        return text is not None and test(text)

    return matches


def number_predicate(field: str, tests: Iterable[NumberTest]) -> Predicate:
    """Return whether a number field is known and passes one of the tests."""
    get = DURATIONS.get(field) or NUMBERS[field]
    test = any_of(tests)

    def matches(task: Task, now: float) -> bool:
        value = get(task, now)
        return value is not None and test(value)

    return matches


def state_predicate(names: Iterable[str]) -> Predicate:
    """Return whether a task is in one of these states or of those that these words stand for."""
    wanted = {name.casefold() for name in names}
    states = {state for state in CELERY_STATES if state.casefold() in wanted}
    states |= {state for alias in wanted for state in STATE_ALIASES.get(alias, ())}
    running = "running" in wanted
    lost = "lost" in wanted
    revoking = "revoking" in wanted
    custom = lru_cache(_CACHE_SIZE)(lambda state: state.casefold() in wanted)

    def matches(task: Task, now: float) -> bool:
        state = task.state
        if state in states or custom(state):
            return True
        return (
            (running and task.running)
            or (lost and task.lost_at is not None)
            or (revoking and task.revoking)
        )

    return matches


def free_predicate(text: str) -> Predicate:
    """Return whether a text is part of what tells tasks apart, in any case."""
    folded = text.casefold()

    @lru_cache(_CACHE_SIZE)
    def common(*texts: str | None) -> bool:
        return any(text is not None and folded in text[:MAX_SEARCHED].casefold() for text in texts)

    def matches(task: Task, now: float) -> bool:
        # Spelt out: a loop over the fields takes half as long again, for each of 100,000 tasks.
        if common(task.name, task.worker, task.queue, task.state) or folded in task.id.casefold():
            return True
        text = task.args
        if text is not None and folded in text[:MAX_SEARCHED].casefold():
            return True
        text = task.kwargs
        if text is not None and folded in text[:MAX_SEARCHED].casefold():
            return True
        text = task.exception
        return text is not None and folded in text[:MAX_SEARCHED].casefold()

    return matches
