r"""The filter language: turns a line of text into a test on tasks.

    query   = { term }                      all terms must match; separated by spaces
    term    = [ "!" | "-" ] ( field | text )
    field   = NAME ":" value { "," value }  one of the values must match
            | NAME compare ( number | duration | time )
    value   = text                          contained in the field, ignoring case
            | text with * or ?              matches the whole field, ignoring case
            | "=" text                      equals the field
            | "~" regexp                    matches anywhere, ignoring case; up to the next space
            | compare ( number | duration )
            | time | [ time ] ".." [ time ] | compare time
    time    = 2026-11-01 | 2026-11-01T14:30 | 2026-11-01T14:30:05Z | duration ago
    compare = "<" | "<=" | ">" | ">="       and "=" for numbers

    state:failure,retry      ignoring case, including custom states, and the groups failed,
                             succeeded, running, waiting, retrying, finished, faulty, lost (no
                             longer run by a worker, without a final event), revoking (revoke
                             confirmed, but not effective yet)
    name:geo.*  name:~^bill  worker:web-1  queue:=celery  id:3f2a  args:invoice  kwargs:user
    result:ok  exception:Timeout  traceback:psycopg  error:=ValueError (the class only)
    place:tasks.py (the innermost frame of the app's own code, `images/tasks.py in download`)
    root:3f2a  parent:3f2a  group:3f2a  periodic:nightly (the periodic task of django-celery-beat)
    runtime:>10s  waited:>1m  age:<5m       300ms 5s 2m 1h 1d 1w 1h30m, or plain seconds
    retries:>0  retries:2
    finished:2026-11-01..2026-11-07  finished:>1d  finished:yesterday  sent:  received:  started:
    created: (the entry in the result backend, only django-db)      see `time_range`
    invoice                  contained in name, id, args, kwargs, worker, queue, exception or state

Double quotes make spaces and signs literal: `"two words"`, `name:"a,b"`, `"foo:bar"`; inside them,
`\"` is a quote and `\\` a backslash. A task with an unknown field does not match a term, and so
matches its negation: `exception:*` finds tasks with an exception, `!exception:*` those without.
Filters of operations are stricter: they leave a task out if an unknown value decides (`definite`).

`age` counts from when the task was sent or, if that is unknown, from its earliest known time;
`runtime` grows while the task runs; `waited` ends when it starts. Texts are searched up to 16,384
characters, by regular expressions up to 1,024 (or fewer, see `safe_regex`).

Parsing never fails, because queries are parsed while being typed. An invalid term (an unknown
field, a bad number) is reported as a Problem and ignored; an incomplete one is only ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from ..entities.task import Task
from . import fields
from .condition import Comparison, Condition, TextPattern, Value
from .fields import FIELDS, SKEWED, TIMED, Predicate
from .time_range import TimeRange, parse_time_range

_FIELD: Final = re.compile(r"([A-Za-z_]+)(?::|(?=[<>]))")
_COMPARE: Final = re.compile(r"[<>]=?|=|")
_QUOTED: Final = "\0"
"""Replaces a quoted character in `_Word.signs`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An invalid term: `text[start:end]` of the query, and the reason."""

    start: int
    end: int
    message: str


@dataclass(frozen=True, slots=True)
class Term:
    """A valid term: `text[start:end]` of the query. `field` is None for free text."""

    start: int
    end: int
    field: str | None
    matches: Predicate
    condition: Condition
    """The term as a value, for the result backend to search by."""

    @property
    def timed(self) -> bool:
        """Whether matching depends on the time."""
        relative = (isinstance(one, TimeRange) and one.relative for one in self.condition.values)
        return self.field in TIMED or any(relative)


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed filter."""

    text: str
    terms: tuple[Term, ...]
    problems: tuple[Problem, ...]
    matches: Predicate
    """Whether a task matches at a time (epoch seconds): `query.matches(task, now)`."""

    @property
    def empty(self) -> bool:
        """Whether every task matches."""
        return not self.terms

    @property
    def timed(self) -> bool:
        """Whether matching depends on the time."""
        return any(term.timed for term in self.terms)

    @property
    def other_states(self) -> frozenset[str]:
        """States that no matching task has, for a first choice among many tasks."""
        others: frozenset[str] = frozenset()
        for term in self.terms:
            if term.field == "state" and not term.condition.negated:
                values = (each for each in term.condition.values if isinstance(each, TextPattern))
                others |= fields.states_without(pattern.text for pattern in values)
        return others

    @property
    def skewed(self) -> bool:
        """Whether matching depends on the clock skews of workers."""
        return any(term.field in SKEWED for term in self.terms)


@dataclass(frozen=True, slots=True)
class _Word:
    """A part of the query between spaces."""

    start: int
    end: int
    text: str
    """Without quotes."""
    signs: str
    """The text with quoted characters replaced, so that they are not taken for signs."""

    def cut(self, start: int, end: int | None = None) -> _Word:
        return _Word(self.start, self.end, self.text[start:end], self.signs[start:end])


def parse_query(text: str, zone: tzinfo | None = None) -> Query:
    """Parse a filter. Never raises: invalid terms are in `problems`.

    Args:
        text: The filter.
        zone: The time zone of times without an offset; None is the local one.
    """
    terms: list[Term] = []
    problems: list[Problem] = []
    for word in _words(text):
        try:
            term = _term(word, zone)
        except ValueError as error:
            problems.append(Problem(word.start, word.end, str(error)))
        else:
            if term is not None:
                terms.append(term)
    return Query(text, tuple(terms), tuple(problems), all_of([term.matches for term in terms]))


def refusal(query: Query) -> str | None:
    """Return why a filter must not choose what is changed: a term is ignored, or there is none."""
    text = query.text
    for problem in query.problems:
        return f"term {text[problem.start : problem.end]!r}: {problem.message}"
    rest = list(text)
    for term in query.terms:
        rest[term.start : term.end] = " " * (term.end - term.start)
    if incomplete := "".join(rest).split():
        return f"term {incomplete[0]!r}: it has no value"
    return "it is empty; use 'id:*' to match every task" if query.empty else None


def exact_term(field: str, value: str) -> str:
    """Return the term for tasks whose field equals a value, quoted if necessary."""
    return f"{field}:={quoted(value)}"


def quoted(value: str) -> str:
    """Return a value of a field, in quotes if it needs them."""
    if not re.search(r'[\s",\\]', value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_words(text: str) -> Callable[[str], bool]:
    """Return the test that a text contains every word of the query, and no negated one.

    For tables without fields: workers, queues, types, the log.
    """
    tests: list[tuple[bool, Callable[[str], bool]]] = []
    for word in _words(text):
        negated, rest = _negation(word)
        if rest.text:
            tests.append((not negated, fields.contains(rest.text)))
    return lambda haystack: all(test(haystack) is wanted for wanted, test in tests)


def _words(text: str) -> Iterator[_Word]:
    kept: list[str] = []
    signs: list[str] = []
    start: int | None = None
    quoted = False
    position = 0
    while position < len(text):
        char = text[position]
        if not quoted and char.isspace():
            if start is not None:
                yield _Word(start, position, "".join(kept), "".join(signs))
            start, kept, signs = None, [], []
        else:
            start = position if start is None else start
            if quoted and char == "\\" and text[position + 1 : position + 2] in ('"', "\\"):
                position += 1
                char = text[position]
            elif char == '"':
                quoted = not quoted
                char = ""
            if char:
                kept.append(char)
                signs.append(_QUOTED if quoted else char)
        position += 1
    if start is not None:
        yield _Word(start, len(text), "".join(kept), "".join(signs))


def _negation(word: _Word) -> tuple[bool, _Word]:
    negated = word.signs[:1] in ("!", "-") and bool(word.signs)
    return negated, word.cut(1) if negated else word


def _term(word: _Word, zone: tzinfo | None) -> Term | None:
    negated, rest = _negation(word)
    named = _FIELD.match(rest.signs)
    if named is None:
        if not rest.text:
            return None
        field = None
        values: tuple[Value, ...] = (TextPattern("contains", rest.text),)
        predicate = fields.free_predicate(rest.text)
    else:
        field = named[1].lower()
        if field not in FIELDS:
            raise ValueError(
                f'unknown field {named[1]}; put free text in "quotes", or use {", ".join(FIELDS)}'
            )
        values = tuple(_values(field, rest.cut(named.end()), zone))
        if not values:
            return None
        predicate = _predicate(field, values)
    return Term(
        word.start,
        word.end,
        field,
        _not(predicate) if negated else predicate,
        Condition(field, values, negated),
    )


def _values(field: str, rest: _Word, zone: tzinfo | None) -> Iterator[Value]:
    """Yield the values of a field; incomplete ones are left out."""
    if field in fields.TEXTS and rest.signs.startswith("~"):
        if rest.text[1:]:
            yield TextPattern("regex", rest.text[1:])
        return
    for value in _alternatives(rest):
        if field == "state":
            name = value.text[value.signs.startswith("=") :]
            if name:
                yield TextPattern("equals", name)
        elif field in fields.TEXTS:
            pattern = _text(value)
            if pattern.text:
                yield pattern
        else:
            sign = _sign(value)
            operand = value.text[len(sign) :]
            if field in fields.TIMES and operand.strip("."):
                yield parse_time_range(field, sign, operand, zone)
            elif field not in fields.TIMES and operand:
                yield fields.comparison(field, sign, operand)


def _predicate(field: str, values: Sequence[Value]) -> Predicate:
    patterns = [value for value in values if isinstance(value, TextPattern)]
    if field == "state":
        return fields.state_predicate([pattern.text for pattern in patterns])
    if field in fields.TEXTS:
        return fields.text_predicate(field, fields.any_of(map(fields.text_test, patterns)))
    if field in fields.TIMES:
        return fields.time_predicate(field, [one for one in values if isinstance(one, TimeRange)])
    comparisons = [value for value in values if isinstance(value, Comparison)]
    return fields.number_predicate(field, comparisons)


def _sign(value: _Word) -> str:
    found = _COMPARE.match(value.signs)
    return found[0] if found else ""


def _alternatives(word: _Word) -> Iterator[_Word]:
    start = 0
    for position, sign in enumerate(word.signs):
        if sign == ",":
            yield word.cut(start, position)
            start = position + 1
    yield word.cut(start)


def _text(value: _Word) -> TextPattern:
    if value.signs.startswith("="):
        return TextPattern("equals", value.text[1:])
    if "*" in value.signs or "?" in value.signs:
        return TextPattern("glob", _wildcards(value))
    return TextPattern("contains", value.text)


def _wildcards(value: _Word) -> str:
    """Return the pattern for `fnmatch`, with only unquoted `*` and `?` as wildcards."""
    pairs = zip(value.text, value.signs, strict=True)
    return "".join(
        f"[{char}]" if char == "[" or (char in "*?" and char != sign) else char
        for char, sign in pairs
    )


def _not(predicate: Predicate) -> Predicate:
    return lambda task, now: not predicate(task, now)


def all_of(predicates: list[Predicate]) -> Predicate:
    """Return the predicate that all of these hold."""
    if not predicates:
        return lambda task, now: True
    if len(predicates) == 1:
        return predicates[0]
    kept = tuple(predicates)

    def matches(task: Task, now: float) -> bool:
        # A plain loop: `all` with a generator takes three times as long, for each task.
        for predicate in kept:  # noqa: SIM110
            if not predicate(task, now):
                return False
        return True

    return matches


EVERY_TASK: Final = parse_query("")
"""The empty filter."""
