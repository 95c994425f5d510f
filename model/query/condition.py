"""The terms of a filter as values, for a database to search by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .time_range import TimeRange


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A text to look for in a text field."""

    kind: Literal["contains", "equals", "glob", "regex"]
    """All but `equals` ignore case; a `glob` is an `fnmatch` pattern for the whole text."""
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison with a number or a duration in seconds."""

    sign: str
    """`<`, `<=`, `>`, `>=` or `=`."""
    number: float


Value: TypeAlias = TextPattern | Comparison | TimeRange


@dataclass(frozen=True, slots=True)
class Condition:
    """A term: the field matches one of the values, or none of them if negated."""

    field: str | None
    """None is free text."""
    values: tuple[Value, ...]
    """For `state`, the names of states and of groups of states as `equals`."""
    negated: bool = False
    definite: bool = False
    """Whether a task is left out if the value of the field is unknown."""
