"""Texts in events are read as the value that was sent, or refused."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
import warnings
from typing import Any

import pytest
from celery.utils.saferepr import saferepr as celery_saferepr
from celtop.model.text.coerce import to_text
from celtop.model.text.literals import Arguments, parse_arguments, saferepr
from hypothesis import example, given
from hypothesis import strategies as st


def as_celery_writes(value: object, maxlevels: int = 3) -> str:
    """Return what `as_task_v2` puts into the headers, from where events have it."""
    return str(celery_saferepr(value, 1024, maxlevels=maxlevels))


def identical(one: object, other: object) -> bool:
    """Return whether two values are equal, with equal types at every level."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return len(one) == len(other) and all(
            identical(*pair) for pair in zip(one.items(), other.items(), strict=True)
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one.hex() == other.hex()
    return one == other


# Characters that Celery writes in ways of its own are as likely as all others together.
texts = st.text() | st.text(alphabet="'\"\\\n\r\t\0 .,:;*[](){}ab1#\x0c\u2028\U0001f600\ud800é")
atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.binary()
    | st.complex_numbers()
    | st.decimals()
    | st.uuids()
    | st.datetimes()
    | st.just(...)
)
keys = texts | st.integers() | st.booleans() | st.none() | st.binary() | st.tuples(texts)


def nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(children, max_size=4)
        | st.lists(children, max_size=4).map(tuple)
        | st.dictionaries(keys, children, max_size=4)
        | st.frozensets(st.integers() | texts, max_size=3)
        | st.sets(st.integers() | texts, max_size=3)
    )


values = st.recursive(atoms, nested, max_leaves=25)


@given(
    st.lists(values, max_size=5).map(tuple),
    st.dictionaries(texts, values, max_size=3),
    st.sampled_from([0, 2, 3, 6]),
)
@example((b"6279", "x"), {}, 3)
@example((b"\x00\xff",), {}, 3)
@example((b"a', 'b",), {}, 3)
@example((("a",),), {"k": {1: (2.0,)}}, 3)
@example((-0.0, 1e16, 10**400), {}, 3)
@example(("C:\\new\\t",), {}, 3)
@example(("\ud800",), {}, 3)
def test_a_wrong_value_is_never_read(
    args: tuple[Any, ...], kwargs: dict[str, Any], maxlevels: int
) -> None:
    written = to_text(as_celery_writes(args, maxlevels)), to_text(as_celery_writes(kwargs))
    found = parse_arguments(*written)
    assert isinstance(found, str) or identical(found, (args, kwargs)), written


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet="abc äöü日本 -/:@", max_size=10),
    lambda children: (
        st.lists(children, max_size=3)
        | st.lists(children, max_size=3).map(tuple)
        | st.dictionaries(st.text(alphabet="abc", max_size=3), children, max_size=3)
    ),
    max_leaves=4,
)


@given(st.lists(plain, max_size=3).map(tuple), st.dictionaries(st.just("key"), plain))
def test_plain_values_are_read_and_formatted_like_celery(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    written = as_celery_writes(args, 0), as_celery_writes(kwargs, 0)
    assert (saferepr(args), saferepr(kwargs)) == written
    if max(map(len, written)) < 1000:
        assert identical(parse_arguments(*written), (args, kwargs))


@given(texts | st.text(alphabet="()[]{},:' 0123456789.e+-TrueFalsNonjx_\"#"))
def test_any_text_is_read_or_refused_without_a_warning(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = parse_arguments(text, "{}")
    assert isinstance(found, str) or saferepr(found[0]) in (
        text,
        f"({text[1:-1]},)",
        f"({text[1:-1]})",
    )


def read_back(*args: object, **kwargs: object) -> Arguments | str:
    return parse_arguments(as_celery_writes(args), as_celery_writes(kwargs))


def test_texts_cut_by_celery_are_refused() -> None:
    for value in ("x" * 5000, list(range(1000)), {"a": {"b": {"c": {"d": 1}}}}):
        found = read_back(value)
        assert isinstance(found, str) and "..." in found


@pytest.mark.parametrize("length", range(900, 1100))
def test_a_text_at_the_limit_is_complete_or_refused(length: int) -> None:
    value = "x" * length
    found = read_back(value)
    assert isinstance(found, str) or found == ((value,), {})
    assert isinstance(found, str) or length < 1020


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"bytes", "contains more than"),
        (datetime.datetime(2026, 1, 1), "contains more than"),
        (decimal.Decimal("1.10"), "contains more than"),
        (uuid.UUID(int=1), "contains more than"),
        (math.nan, "contains more than"),
        (math.inf, "contains more than"),
        (1 + 2j, "contains more than"),
        ({1, 2}, "several values"),
        ("it's", "a backslash or an escaped quote"),
        ("C:\\new", "a backslash or an escaped quote"),
        ("two\nlines", "not a literal"),
        ("***", "masked"),
        ("4242 **** 4242", "masked"),
    ],
)
def test_ambiguous_texts_are_refused_with_the_reason(value: object, reason: str) -> None:
    found = read_back(value)
    assert isinstance(found, str) and reason in found


def test_missing_texts_have_no_arguments() -> None:
    assert parse_arguments(None, "{}") == "the arguments are unknown"
    assert parse_arguments("()", None) == "the keyword arguments are unknown"
    assert isinstance(parse_arguments("", "{}"), str)
    assert isinstance(parse_arguments("'text'", "{}"), str)
    assert isinstance(parse_arguments("()", "{1: 2}"), str)
    assert isinstance(parse_arguments("()", "[]"), str)
