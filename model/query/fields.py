"""The fields of the filter language, and the tests that their values stand for."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from math import isfinite
from typing import Any, Final, TypeAlias, TypeVar

from ..entities.clock_skew import skews_at, time_at
from ..entities.states import CANCELLED, CELERY_STATES, FAULTY, FINISHED, WAITING
from ..entities.task import Task, first_seen_at
from ..text.parse import duration
from ..text.traceback import exception_class, location_of
from .condition import Comparison, TextPattern
from .safe_regex import safe_search
from .time_range import TimeRange

Predicate: TypeAlias = Callable[[Task, float], bool]
"""Whether a task matches at a time."""

T = TypeVar("T")

TextTest: TypeAlias = Callable[[str], bool]
NumberTest: TypeAlias = Callable[[float], bool]

MAX_SEARCHED: Final = 16_384
"""Characters of a text that are searched; regular expressions search fewer (`safe_regex`)."""

_CACHE_SIZE: Final = 2_048
"""Texts whose test result is cached: names, workers and queues repeat from task to task."""

_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


def _extra_field(name: str) -> Callable[[Task], Any]:
    get = operator.attrgetter(name)
    return lambda task: None if task.extra is None else get(task.extra)


def _age(task: Task, now: float) -> float | None:
    first_seen = first_seen_at(task)
    return None if first_seen is None else now - first_seen


_SHARED_TEXTS: Final = ("name", "worker", "queue")
"""Text fields in which many tasks have the same value."""

_OWN_TEXTS: Final = ("id", "args", "kwargs", "result", "exception", "traceback")

TEXTS: Final[dict[str, Callable[[Task], str | None]]] = {
    **{name: operator.attrgetter(name) for name in (*_SHARED_TEXTS, *_OWN_TEXTS)},
    "error": lambda task: exception_class(task.exception),
    "place": lambda task: location_of(task.traceback, task.name),
    "root": operator.attrgetter("root_id"),
    "parent": operator.attrgetter("parent_id"),
    "group": operator.attrgetter("group_id"),
    "periodic": _extra_field("periodic_task_name"),
}

DURATIONS: Final[dict[str, Callable[[Task, float], float | None]]] = {
    "age": _age,
    "runtime": lambda task, now: task.elapsed(time_at(task.worker, now)),
    "waited": lambda task, now: task.waited(skews_at(now)),
}

NUMBERS: Final[dict[str, Callable[[Task, float], float | None]]] = {
    "retries": lambda task, _: task.known_retries,
}

TIMES: Final[dict[str, Callable[[Task], float | None]]] = {
    **{name: operator.attrgetter(f"{name}_at") for name in ("sent", "received", "started")},
    "finished": operator.attrgetter("finished_at"),
    "created": _extra_field("created_at"),
}

TIMED: Final = frozenset({"age", "runtime"})
"""Fields whose value changes with time alone."""

SKEWED: Final = frozenset({"runtime", "waited"})
"""Fields whose value depends on the clock skews of workers."""

FIELDS: Final = ("state", *TEXTS, *DURATIONS, *NUMBERS, *TIMES)

STATE_ALIASES: Final[dict[str, frozenset[str]]] = {
    "failed": frozenset({"FAILURE"}),
    "succeeded": frozenset({"SUCCESS"}),
    "waiting": frozenset({"PENDING", "RECEIVED", "RETRY"}),
    "finished": FINISHED,
    "faulty": FAULTY,
    "retrying": frozenset({"RETRY"}),
}
"""Names for groups of states. Three more names test more than the state: `running` tasks may have
any custom state, `lost` ones are no longer run by a worker without a final event, and `revoking`
ones have a confirmed revoke that has not taken effect."""

STATE_NAMES: Final = (*CELERY_STATES, CANCELLED, *STATE_ALIASES, "running", "lost", "revoking")
"""The names that `state:` accepts, besides custom states."""


def contains(needle: str) -> TextTest:
    """Return a test whether a text contains another, ignoring case."""
    folded = needle.casefold()
    return lambda text: folded in text[:MAX_SEARCHED].casefold()


def equals(wanted: str) -> TextTest:
    """Return a test for equality."""
    return lambda text: text == wanted


def glob(pattern: str) -> TextTest:
    """Return a test whether a whole text matches an `fnmatch` pattern, ignoring case."""
    match = re.compile(translate(pattern), re.IGNORECASE).match
    return lambda text: match(text[:MAX_SEARCHED]) is not None


def any_of(tests: Iterable[Callable[[T], bool]]) -> Callable[[T], bool]:
    """Return a test that passes if any of these does."""
    kept = tuple(tests)
    if len(kept) == 1:
        return kept[0]
    return lambda value: any(test(value) for test in kept)


def text_test(pattern: TextPattern) -> TextTest:
    """Return the test that a pattern stands for.

    Raises:
        ValueError: It is no regular expression.
    """
    tests: dict[str, Callable[[str], TextTest]] = {
        "contains": contains,
        "equals": equals,
        "glob": glob,
        "regex": safe_search,
    }
    return tests[pattern.kind](pattern.text)


def comparison(field: str, sign: str, text: str) -> Comparison:
    """Return the comparison of a number field with a typed value.

    Raises:
        ValueError: The value is not a number or duration, or needs a comparison sign.
    """
    if field in NUMBERS:
        limit = number(text)
    elif sign in ("", "="):
        raise ValueError(f"add a comparison: {field}:<{text} or {field}:>{text}")
    else:
        limit = duration(text)
    return Comparison(sign or "=", limit)


def number_test(comparison: Comparison) -> NumberTest:
    """Return the test that a comparison stands for."""
    compare, limit = _COMPARISONS[comparison.sign], comparison.number
    return lambda value: compare(value, limit)


def number(text: str) -> float:
    """Return a finite number.

    Raises:
        ValueError: The text is not one.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ValueError(f"not a number: {text}")
    return value


def text_predicate(field: str, test: TextTest) -> Predicate:
    """Return the predicate that a text field is known and passes."""
    get = TEXTS[field]
    if field in _SHARED_TEXTS:
        test = lru_cache(_CACHE_SIZE)(test)

    def matches(task: Task, now: float) -> bool:
        text = get(task)
        return text is not None and test(text)

    return matches


def number_predicate(field: str, comparisons: Iterable[Comparison]) -> Predicate:
    """Return the predicate that a number field is known and passes one of the comparisons."""
    get = DURATIONS.get(field) or NUMBERS[field]
    test = any_of(map(number_test, comparisons))

    def matches(task: Task, now: float) -> bool:
        value = get(task, now)
        return value is not None and test(value)

    return matches


def time_predicate(field: str, ranges: Iterable[TimeRange]) -> Predicate:
    """Return the predicate that a time is known and in one of the ranges."""
    get, kept = TIMES[field], tuple(ranges)

    def matches(task: Task, now: float) -> bool:
        at = get(task)
        return at is not None and any(each.contains(at, now) for each in kept)

    return matches


_NOT_RUNNING: Final = WAITING | FINISHED


def state_predicate(names: Iterable[str]) -> Predicate:
    """Return the predicate that a task is in one of these states or groups of states."""
    wanted = {name.casefold() for name in names}
    states = {state for state in CELERY_STATES if state.casefold() in wanted}
    states |= {state for alias in wanted for state in STATE_ALIASES.get(alias, ())}
    running = "running" in wanted
    lost = "lost" in wanted
    revoking = "revoking" in wanted
    custom = lru_cache(_CACHE_SIZE)(lambda state: state.casefold() in wanted)

    def matches(task: Task, now: float) -> bool:
        state = task.state
        if state in states or (state not in CELERY_STATES and custom(state)):
            return True
        return (
            (running and state not in _NOT_RUNNING and task.running)
            or (lost and task.lost_at is not None)
            or (revoking and task.revoking)
        )

    return matches


def states_without(names: Iterable[str]) -> frozenset[str]:
    """Return those of Celery's states that no task has which `state_predicate` matches."""
    wanted = {name.casefold() for name in names}
    if wanted & {"lost", "revoking"}:
        return frozenset()
    states = {state for state in CELERY_STATES if state.casefold() in wanted}
    states.update(*(STATE_ALIASES.get(alias, ()) for alias in wanted))
    others = frozenset(CELERY_STATES) - states
    return others & _NOT_RUNNING if "running" in wanted else others


def free_predicate(text: str) -> Predicate:
    """Return the predicate that a text is contained in an identifying field, ignoring case."""
    folded = text.casefold()

    @lru_cache(_CACHE_SIZE)
    def common(*texts: str | None) -> bool:
        return any(text is not None and folded in text[:MAX_SEARCHED].casefold() for text in texts)

    def matches(task: Task, now: float) -> bool:
        # Spelled out: a loop over the fields takes 50 % longer, for each of 100,000 tasks.
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
