from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celtop.cluster.schedule.raw import MAX_ARGUMENTS, Plan, RawEntry, entry_of, zone_of
from celtop.model.entities.schedule import ScheduleEntry

BERLIN = ZoneInfo("Europe/Berlin")


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


NOW = epoch("2026-03-28T12:00:00+01:00")


def made(plan: Plan, **fields: Any) -> ScheduleEntry:
    return entry_of(RawEntry("e", "t", plan, **fields), "app", BERLIN, NOW)


def local(times: tuple[float, ...]) -> list[str]:
    return [f"{datetime.fromtimestamp(at, BERLIN):%m-%d %H:%M:%S %z}" for at in times]


def test_an_interval_counts_from_its_last_run() -> None:
    found = made(Plan("interval", 30.0), last_run_at=NOW - 10, total_runs=3)
    assert (found.schedule, found.every, found.due_at) == ("every 30 seconds", 30.0, NOW + 20)
    assert found.upcoming == tuple(NOW + 20 + 30 * number for number in range(5))
    assert made(Plan("interval", 30.0)).upcoming == ()


def test_an_overdue_interval_is_sent_at_once() -> None:
    found = made(Plan("interval", 30.0), last_run_at=NOW - 100)
    assert found.due_at == NOW - 70
    assert found.upcoming[:2] == (NOW, NOW + 30)


def test_a_crontab_is_at_the_same_time_of_day_in_summer_and_winter() -> None:
    found = made(Plan("crontab", minute="30", hour="7"), last_run_at=NOW - 3_600 * 5)
    assert found.schedule == "daily at 07:30 Europe/Berlin"
    assert local(found.upcoming)[:2] == ["03-29 07:30:00 +0200", "03-30 07:30:00 +0200"]
    assert found.due_at == found.upcoming[0] - 86_400 + 3_600


def test_a_time_that_daylight_saving_time_skips_becomes_one_that_exists() -> None:
    found = made(Plan("crontab", minute="30", hour="2"))
    assert local(found.upcoming)[:2] == ["03-29 03:30:00 +0200", "03-30 02:30:00 +0200"]


def test_a_crontab_has_its_own_time_zone() -> None:
    found = made(Plan("crontab", minute="0", hour="9", zone="Asia/Tokyo"))
    assert (found.schedule, found.zone) == ("daily at 09:00 Asia/Tokyo", "Asia/Tokyo")
    assert found.upcoming[0] == epoch("2026-03-29T09:00:00+09:00")


def test_the_times_are_those_of_celery() -> None:
    from celery.schedules import crontab

    fields: dict[str, Any] = {
        "minute": "*/7",
        "hour": "8-17",
        "day_of_week": "mon-fri",
        "month_of_year": "3,4",
    }
    ours = made(Plan("crontab", **fields)).upcoming
    at = datetime.fromtimestamp(NOW, BERLIN)
    theirs = crontab(**fields, nowfun=lambda: at)
    theirs.tz = BERLIN
    assert ours[0] == pytest.approx(NOW + theirs.remaining_estimate(at).total_seconds())


@pytest.mark.parametrize(
    ("plan", "note"),
    [
        (Plan("crontab", day_of_month="30", month_of_year="2"), "day_of_month '30' never occurs"),
        (Plan("crontab", minute="60"), "Invalid end range: 60 > 59"),
        (Plan("crontab", zone="Mars/Olympus"), "No time zone found"),
        (Plan("solar", event="noon"), "must be one of"),
    ],
)
def test_a_schedule_that_cannot_be_computed_has_a_note(plan: Plan, note: str) -> None:
    found = made(plan)
    assert found.upcoming == () and found.due_at is None
    assert found.note.startswith("next time unknown: ") and note in found.note


def test_solar_and_clocked_schedules() -> None:
    sunset = made(Plan("solar", event="sunset", latitude=48.2, longitude=16.4))
    assert sunset.schedule == "sunset at 48.2, 16.4"
    assert local(sunset.upcoming)[:2] == ["03-28 18:18:39 +0100", "03-29 19:20:07 +0200"]
    once = made(Plan("clocked", at=NOW + 60), one_off=True)
    assert once.schedule == "once at 2026-03-28 12:01:00 CET"
    assert once.upcoming == (NOW + 60,)


def test_an_entry_starts_and_expires() -> None:
    later = made(Plan("crontab", minute="0"), starts_at=NOW + 86_400, expires_at=NOW + 90_000)
    assert local(later.upcoming) == ["03-29 13:00:00 +0200"]


def test_options_are_taken_apart() -> None:
    options = {"queue": "q", "priority": 3, "expires": 60, "headers": {"a": 1}, "shadow": "s"}
    found = made(Plan(text="rrule"), options=options)
    assert (found.queue, found.priority, found.expires_in) == ("q", 3, 60.0)
    assert (found.headers, found.options) == ({"a": 1}, {"shadow": "s"})
    assert (found.schedule, found.kind) == ("rrule", "other")


def test_huge_or_masked_arguments_are_not_sent() -> None:
    huge = made(Plan("interval", 1.0), args=["x" * MAX_ARGUMENTS])
    assert (huge.args, huge.exact) == ((), False) and "arguments not read" in huge.note
    assert not made(Plan("interval", 1.0), kwargs={"password": "***"}).exact


def test_the_time_zone_of_an_app() -> None:
    assert str(zone_of("Europe/Berlin")) == "Europe/Berlin"
    assert str(zone_of(None)) == "UTC"
    assert zone_of("nowhere") is UTC
