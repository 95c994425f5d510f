"""Numbers are formatted for people."""

from __future__ import annotations

import math
import time
from datetime import UTC, timedelta, timezone

import pytest
from celtop.model.text import units

AT = 1_795_222_923.456


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.2, "10 s"), (90.0, "2 m"), (3600.0, "1 h"), (86_400.0, "1 d")]
)
def test_within_is_rounded_up(seconds: float, text: str) -> None:
    assert units.within(seconds) == f"within {text}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "?"),
        (math.nan, "?"),
        (math.inf, "never"),
        (0, "0 s"),
        (0.0001, "0 s"),
        (0.004, "4 ms"),
        (0.0994, "99 ms"),
        (0.1, "0.1 s"),
        (3.25, "3.2 s"),
        (9.96, "10 s"),
        (41.4, "41 s"),
        (59.6, "1 m"),
        (124, "2 m 4 s"),
        (3599.7, "1 h"),
        (11_520, "3 h 12 m"),
        (439_200, "5 d 2 h"),
        (-41, "-41 s"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("current", "total", "text"),
    [
        (None, None, ""),
        (None, 10.0, ""),
        (3.0, 10.0, "3 of 10"),
        (42.0, None, "42"),
        (-5.0, 0.0, "-5"),
        (123_456_789.0, 200_000_000.0, "123,456,789 of 200,000,000"),
        (0.25, 1.5, "0.25 of 1.5"),
        (1_234_567.5, 1e15, "1,234,568 of 1e+15"),
        (1e-300, 1e300, "1e-300 of 1e+300"),
    ],
)
def test_steps(current: float | None, total: float | None, text: str) -> None:
    assert units.steps(current, total) == text


def test_elapsed_time_is_never_negative() -> None:
    assert units.elapsed(None, AT) == "?"
    assert units.elapsed(AT - 41, AT) == "41 s"
    assert units.elapsed(AT, AT - 3600) == "0 s"


def test_age() -> None:
    assert units.age(None, AT) == "?"
    assert units.age(AT - 41, AT) == "41 s"
    assert units.age(AT + 20, AT) == "in 20 s"
    assert units.age(AT + 0.1, AT) == "0 s"


def test_count_and_percent() -> None:
    assert (units.count(48_201), units.count(None)) == ("48,201", "?")
    assert [units.percent(share) for share in (None, 0.0, 0.008, 0.54, 1.0)] == [
        "?", "0 %", "0.8 %", "54 %", "100 %"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [
        (None, "?"),
        (512, "512 B"),
        (1024, "1.0 KiB"),
        (12.3 * 2**20, "12.3 MiB"),
        (1023.99 * 2**20, "1.0 GiB"),
        (5000 * 2**50, "5,000.0 PiB"),
    ],
)
def test_size(bytes_: float | None, text: str) -> None:
    assert units.size(bytes_) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (None, "?"),
        (0, "0/s"),
        (1204.4, "1,204/s"),
        (12.34, "12.3/s"),
        (12, "12/s"),
        (0.2, "12/min"),
        (0.01, "36/h"),
        (0.0001, "0.4/h"),
    ],
)
def test_rate(per_second: float | None, text: str) -> None:
    assert units.rate(per_second) == text


def test_times() -> None:
    assert units.iso(AT) == "2026-11-21T01:02:03.456Z"
    assert units.iso(1.9996) == "1970-01-01T00:00:02.000Z"
    assert units.clock(AT, UTC) == "01:02:03"
    assert units.clock(AT, timezone(timedelta(hours=9))) == "10:02:03"
    assert units.date_time(AT, UTC) == "2026-11-21 01:02:03.456"


@pytest.mark.parametrize("no_time", [None, math.nan, math.inf, 1e300, -1e300])
def test_invalid_times_are_unknown(no_time: float | None) -> None:
    assert units.iso(no_time) is None
    assert units.clock(no_time, UTC) == "?"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s ago"),
        (59, "59 s ago"),
        (3599, "59 m ago"),
        (7200, "2 h ago"),
        (90_000, "1 d ago"),
        (-5, "in 5 s"),
        (-math.inf, "?"),
    ],
)
def test_ago_has_one_unit(seconds: float, text: str) -> None:
    assert units.ago(AT - seconds, AT) == text


def test_a_zone_is_named_unless_local_time_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone, names in (("UTC", ("", "")), ("CET-1", ("CET", "UTC"))):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert (units.zone_name(AT, utc=False), units.zone_name(AT, utc=True)) == names
    monkeypatch.undo()
    time.tzset()
