from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from celtop.model.query.time_range import parse_time_range
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()


def bounds(text: str, zone: str = "UTC") -> tuple[str | None, str | None]:
    """Return the limits of a value, such as `>=2026-11-01`, in UTC."""
    sign = text[: len(text) - len(text.lstrip("<>="))]
    parsed = parse_time_range("finished", sign, text[len(sign) :], ZoneInfo(zone))
    low, high = (
        None if at is None else datetime.fromtimestamp(at, UTC).strftime("%m-%d %H:%M:%S")
        for at in parsed.bounds(NOW)
    )
    return low, high


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026-11-01", "11-01 00:00:00", "11-02 00:00:00"),
        ("2026-11-01T14:30", "11-01 14:30:00", "11-01 14:31:00"),
        ("2026-11-01 14:30:05", "11-01 14:30:05", "11-01 14:30:06"),
        ("2026-11-01T14:30+02:00", "11-01 12:30:00", "11-01 12:31:00"),
        ("2026-11-01t14:30z", "11-01 14:30:00", "11-01 14:31:00"),
        ("2026-11-01..2026-11-07", "11-01 00:00:00", "11-08 00:00:00"),
        ("2026-11-01..2026-11-01T06:00", "11-01 00:00:00", "11-01 06:01:00"),
        ("2026-11-01..", "11-01 00:00:00", None),
        ("..2026-11-07", None, "11-08 00:00:00"),
        (">2026-11-01", "11-02 00:00:00", None),
        (">=2026-11-01", "11-01 00:00:00", None),
        ("<2026-11-01", None, "11-01 00:00:00"),
        ("<=2026-11-01", None, "11-02 00:00:00"),
        (">1d", None, "11-27 12:00:00"),
        ("<1h30m", "11-28 10:30:00", None),
        ("1h..2h", "11-28 10:00:00", "11-28 11:00:00"),
        ("2h..1h", "11-28 10:00:00", "11-28 11:00:00"),
        ("1d..", "11-27 12:00:00", None),
        ("2026-11-01..1d", "11-01 00:00:00", "11-27 12:00:00"),
        ("yesterday", "11-27 00:00:00", "11-28 00:00:00"),
        ("Today", "11-28 00:00:00", "11-29 00:00:00"),
        ("<yesterday", None, "11-27 00:00:00"),
        ("yesterday..today", "11-27 00:00:00", "11-29 00:00:00"),
        ("yesterday..1h", "11-27 00:00:00", "11-28 11:00:00"),
    ],
)
def test_ranges(text: str, low: str | None, high: str | None) -> None:
    assert bounds(text) == (low, high)


def test_days_have_the_length_that_they_have_in_their_zone() -> None:
    assert bounds("2026-10-25", "Europe/Berlin") == ("10-24 22:00:00", "10-25 23:00:00")
    assert bounds("2026-11-01", "Asia/Tokyo") == ("10-31 15:00:00", "11-01 15:00:00")


@pytest.mark.parametrize(
    ("sign", "text", "message"),
    [
        ("", "1d", "add a comparison: finished:<1d or finished:>1d"),
        ("", "2026-11-07..2026-11-01", "the range ends before it begins"),
        ("", "2026-13-01", "no such date or time: 2026-13-01"),
        ("", "2026-11-01T25:00", "no such date or time"),
        (">", "tomorrow", "not a time: tomorrow"),
        ("", "tod", "use today, yesterday, 1d, 2026-11-01 or 2026-11-01T14:30"),
        (">", "2026-11", "not a time"),
        ("", "9999-12-31", "no such date or time"),
    ],
)
def test_what_is_no_range(sign: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_time_range("finished", sign, text, ZoneInfo("UTC"))


@given(st.sampled_from(["", "<", ">="]), st.text("0123456789-:.TZ+ dhms", max_size=30))
def test_any_text_is_a_range_or_an_error(sign: str, text: str) -> None:
    with contextlib.suppress(ValueError):
        low, high = parse_time_range("finished", sign, text, ZoneInfo("Europe/Berlin")).bounds(NOW)
        assert low is None or high is None or low <= high


def test_a_range_that_moves_with_the_time() -> None:
    week = parse_time_range("finished", ">", "7d")
    assert week.relative and not parse_time_range("finished", ">", "2026-11-01").relative
    assert week.contains(NOW - 8 * 86_400, NOW) and not week.contains(NOW - 6 * 86_400, NOW)
    assert week.contains(NOW - 6 * 86_400, NOW + 2 * 86_400)


def test_today_moves_with_the_time_and_begins_at_midnight_of_its_zone() -> None:
    today = parse_time_range("finished", "", "today", ZoneInfo("Asia/Tokyo"))  # 21:00 there
    assert today.relative
    assert today.contains(NOW - 21 * 3_600, NOW) and not today.contains(NOW - 21 * 3_600 - 1, NOW)
    assert not today.contains(NOW, NOW + 3 * 3_600)
