"""Texts of arguments and results are taken as values only where they tell them for certain."""

from __future__ import annotations

import pytest
from celtop.widgets.literal import MAX_LENGTH, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, null, true]}', {"a": [1, None, True]}),
        ("(1, 'two', [3.5])", (1, "two", [3.5])),
        ("{'a': {'b': None}}", {"a": {"b": None}}),
        ("'text'", "text"),
        ("()", ()),
        ("42", 42),
    ],
)
def test_known(text: str, value: object) -> None:
    literal = read(text)
    assert literal.known
    assert literal.value == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "('C:\\new',)",
        "({'a': {'b': {...}}},)",
        "'aaa...'",
        "(1, 2, ...)",
        "<Geo object at 0x7f>",
        "datetime.datetime(2026, 1, 1)",
        "__import__('os').system('true')",
        "(1,2)",
        "0x10",
        "[/]",
        "\x1b[31m",
        "[" * 10_000,
        "(" * 300 + ")" * 300,
        "'" + "x" * MAX_LENGTH + "'",
        "1 +",
        "\ud800",
        "\x00",
    ],
    ids=range(18),
)
def test_not_known(text: str) -> None:
    literal = read(text)
    assert not literal.known
    assert literal.text == text
