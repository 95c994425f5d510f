r"""The filter language: turns a line of text into a test on tasks.

    query   = { term }                      all terms must match; separated by spaces
    term    = [ "!" | "-" ] ( field | text )
    field   = NAME ":" value { "," value }  one of the values must match
            | NAME compare ( number | duration )
    value   = text                          contained in the field, ignoring case
            | text with * or ?              matches the whole field, ignoring case
            | "=" text                      equals the field
            | "~" regexp                    matches anywhere, ignoring case; up to the next space
            | compare ( number | duration )
    compare = "<" | "<=" | ">" | ">="       and "=" for numbers

    state:failure,retry      ignoring case, including custom states, and the groups failed,
                             succeeded, running, waiting, retrying, finished, faulty, lost (no
                             longer run by a worker, without a final event), revoking (revoke
                             confirmed, but not effective yet)
    name:geo.*  name:~^bill  worker:web-1  queue:=celery  id:3f2a  args:invoice  kwargs:user
    result:ok  exception:Timeout  traceback:psycopg  error:=ValueError (the class only)
    place:tasks.py (the innermost frame of the app's own code, `images/tasks.py in download`)
    root:3f2a  parent:3f2a  group:3f2a
    runtime:>10s  waited:>1m  age:<5m       300ms 5s 2m 1h 1d 1w 1h30m, or plain seconds
    retries:>0  retries:2
    invoice                  contained in name, id, args, kwargs, worker, queue, exception or state

Double quotes make spaces and signs literal: `"two words"`, `name:"a,b"`, `"foo:bar"`; inside them,
`\"` is a quote and `\\` a backslash. A task with an unknown field does not match a term, and so
matches its negation: `exception:*` finds tasks with an exception, `!exception:*` those without.

`age` counts from when the task was sent or, if that is unknown, from its earliest known time;
`runtime` grows while the task runs; `waited` ends when it starts. Texts are searched up to 16,384
characters, by regular expressions up to 1,024 (or fewer, see `safe_regex`).

Parsing never fails, because queries are parsed while being typed. An invalid term (an unknown
field, a bad number) is reported as a Problem and ignored; an incomplete one is only ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ..entities.task import Task
from . import fields
from .fields import FIELDS, TIMED, Predicate
from .safe_regex import safe_search

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
        return any(term.field in TIMED for term in self.terms)


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


def parse_query(text: str) -> Query:
    """Parse a filter. Never raises: invalid terms are in `problems`."""
    terms: list[Term] = []
    problems: list[Problem] = []
    for word in _words(text):
        try:
            term = _term(word)
        except ValueError as error:
            problems.append(Problem(word.start, word.end, str(error)))
        else:
            if term is not None:
                terms.append(term)
    return Query(text, tuple(terms), tuple(problems), _all([term.matches for term in terms]))


def exact_term(field: str, value: str) -> str:
    """Return the term for tasks whose field equals a value, quoted if necessary."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{field}:="{escaped}"' if re.search(r'[\s",\\]', value) else f"{field}:={value}"


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


def _term(word: _Word) -> Term | None:
    negated, rest = _negation(word)
    named = _FIELD.match(rest.signs)
    if named is None:
        field = None
        predicate = fields.free_predicate(rest.text) if rest.text else None
    else:
        field = named[1].lower()
        if field not in FIELDS:
            raise ValueError(
                f'unknown field {named[1]}; put free text in "quotes", or use {", ".join(FIELDS)}'
            )
        predicate = _field(field, rest.cut(named.end()))
    if predicate is None:
        return None
    return Term(word.start, word.end, field, _not(predicate) if negated else predicate)


def _field(field: str, rest: _Word) -> Predicate | None:
    """Return the predicate of a field, or None without a value."""
    if field in fields.TEXTS and rest.signs.startswith("~"):
        pattern = rest.text[1:]
        return fields.text_predicate(field, safe_search(pattern)) if pattern else None
    values = [value for value in _alternatives(rest) if value.text]
    if field == "state":
        names = [value.text[value.signs.startswith("=") :] for value in values]
        names = [name for name in names if name]
        return fields.state_predicate(names) if names else None
    if field in fields.TEXTS:
        texts = [test for value in values if (test := _text(value)) is not None]
        return fields.text_predicate(field, fields.any_of(texts)) if texts else None
    numbers = []
    for value in values:
        sign = _sign(value)
        if operand := value.text[len(sign) :]:
            numbers.append(fields.comparison(field, sign, operand))
    return fields.number_predicate(field, numbers) if numbers else None


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


def _text(value: _Word) -> fields.TextTest | None:
    if value.signs.startswith("="):
        return fields.equals(value.text[1:]) if value.text[1:] else None
    if "*" in value.signs or "?" in value.signs:
        return fields.glob(_wildcards(value))
    return fields.contains(value.text)


def _wildcards(value: _Word) -> str:
    """Return the pattern for `fnmatch`, with only unquoted `*` and `?` as wildcards."""
    pairs = zip(value.text, value.signs, strict=True)
    return "".join(
        f"[{char}]" if char == "[" or (char in "*?" and char != sign) else char
        for char, sign in pairs
    )


def _not(predicate: Predicate) -> Predicate:
    return lambda task, now: not predicate(task, now)


def _all(predicates: list[Predicate]) -> Predicate:
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
