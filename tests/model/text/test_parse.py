"""Typed values are parsed exactly, or refused with the reason."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celtop.model.text import parse, parse_json
from celtop.model.text.parse import ParseError

NOW = 1_800_000_000.0
"""2027-01-15 08:00:00 UTC."""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("1h 30m", 5400), ("250ms", 0.25), ("90", 90),
     ("1.5h", 5400), ("1.h", 3600), ("0", 0), ("2D", 172_800), ("400d", 34_560_000)],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert parse.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "soon", "-5s", "5x", "1e9", "inf", "nan", "40000d", "5m later"]
)
def test_invalid_durations_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse.duration(text)


@pytest.mark.parametrize("seconds", [0.0, 0.25, 1.0, 30.0, 90.0, 300.0, 3600.0, 5400.0, 12.345])
def test_durations_are_formatted_as_they_are_parsed(seconds: float) -> None:
    assert parse.duration(parse.seconds_text(seconds)) == seconds
    assert parse.seconds_text(None) == ""


@pytest.mark.parametrize(
    ("text", "rate"),
    [("10/m", "10/m"), ("5/s", "5/s"), ("100/H", "100/h"), ("3", "3/s"), ("0", "0"), ("0/m", "0"),
     ("none", "0"), ("", "0"), ("0.5/m", "0.5/m"), ("010/m", "10/m")],
)  # fmt: skip
def test_rates(text: str, rate: str) -> None:
    assert parse.rate(text) == rate


@pytest.mark.parametrize("text", ["10/d", "ten", "-1/s", "10 per minute", "1e3/s", "10/m/m"])
def test_invalid_rates_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse.rate(text)


@pytest.mark.parametrize(
    ("text", "iso"),
    [("09:30", "2027-01-15T09:30:00"), ("07:00:30", "2027-01-16T07:00:30"),
     ("2027-02-01 10:00", "2027-02-01T10:00:00"), ("2027-02-01T10:00:00+02:00",
      "2027-02-01T08:00:00"), ("2027-02-01T10:00:00Z", "2027-02-01T10:00:00")],
)  # fmt: skip
def test_times(text: str, iso: str) -> None:
    at = parse.moment(text, NOW, UTC)
    assert datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat() == iso


def test_times_are_in_the_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parse.moment("2027-07-01 12:00", NOW, berlin) == datetime(
        2027, 7, 1, 10, tzinfo=UTC
    ).timestamp()  # fmt: skip
    with pytest.raises(ParseError, match="set forward"):
        parse.moment("2027-03-28 02:30", NOW, berlin)


@pytest.mark.parametrize("text", ["", "noon", "25:00", "2027-13-01", "2027-02-30 10:00"])
def test_invalid_times_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse.moment(text, NOW, UTC)


@pytest.mark.parametrize("text", ["", "1.5", "1e3", "ten", "9" * 19, "٣"])
def test_invalid_whole_numbers_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse.integer(text)


def test_whole_numbers_have_bounds() -> None:
    assert parse.integer(" 9 ", 0, 9) == 9
    for text in ("-1", "10"):
        with pytest.raises(ParseError):
            parse.integer(text, 0, 9)


VALUES: list[Any] = [
    [1, "a", None, True, 1.5, {"k": [2]}],
    ["\x1b[31mred\u202e", "\x7f", "line\nbreak", "tab\t", "\U000e0001"],
    ["日本語", "€", "emoji \U0001f600"],
    [Decimal("1.10"), datetime(2027, 1, 1, tzinfo=UTC), date(2027, 1, 1), uuid.UUID(int=7)],
    [b"bytes", b"\xff\xfe"],
    [10**50, 0.1, 1e300, -0.0],
    [],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_written_values_are_printable_and_read_back_the_same(value: Any) -> None:
    text = parse_json.write(value)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert list(parse_json.read_list(text)) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1,", "at the end"),
        ("[1 2]", "column 4 at 2]"),
        ("['a']", 'strings need "'),
        ("[True]", "use true, false or null"),
        ("[NaN]", "NaN is not valid JSON"),
        ("[-Infinity]", "not valid JSON"),
        ("[1e999]", "too large"),
        ("[3.14159265358979323846]", "more digits"),
        ('[{"a": 1, "a": 2}]', "twice"),
        ("[" + "9" * 5000 + "]", "5,000 digits"),
        ("[" * 100_000, "nested too deeply"),
        ('["\\ud800"]', "half a character"),
        ('[{"__type__": "decimal", "__value__": "x"}]', "type decimal"),
        ('[{"__type__": "shell", "__value__": "x"}]', "type shell"),
        ("1", "expected an array"),
        ("{}", "expected an array"),
        ("[\n1,\nx]", "line 3, column 1"),
        ("(1, 2)", "column 1"),
        ("[1, ...]", "column 5"),
    ],
)
def test_invalid_or_lossy_json_is_refused(text: str, why: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_json.read_list(text)
    assert why in str(caught.value)


def test_blank_text_is_empty_arguments() -> None:
    assert parse_json.read_list(" ") == ()
    assert parse_json.read_mapping("") == {}
    assert parse_json.read_mapping('{"a": [1]}') == {"a": [1]}
    with pytest.raises(ParseError, match="expected an object"):
        parse_json.read_mapping("[1]")


def test_a_surrogate_pair_is_a_character() -> None:
    assert parse_json.read_list('["\\ud83d\\ude00"]') == ("\U0001f600",)
