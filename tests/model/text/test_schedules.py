from __future__ import annotations

import pytest
from celtop.model.text import schedules


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0 * * * *", "every hour"),
        ("5,35 * * * *", "every hour at :05 and :35"),
        ("15 */2 * * *", "every 2 hours at :15"),
        ("0 9,17 * * *", "daily at 09:00 and 17:00"),
        ("0 9 * * 1-5", "weekdays at 09:00"),
        ("0 9 * * sat,sun", "weekends at 09:00"),
        ("0 9 * * mon,thu", "Mondays and Thursdays at 09:00"),
        ("0 9 * * sat-mon", "Saturdays, Sundays and Mondays at 09:00"),
        ("*/10 8-17 * * 1-5", "weekdays every 10 minutes from 08:00 to 17:59"),
        ("30 8-17 * * *", "every hour from 08:30 to 17:30"),
        ("30 7 1,15 * *", "on days 1 and 15 of the month at 07:30"),
        ("0 0 1 jan,jul *", "on day 1 of the month in January and July at 00:00"),
        ("*/7 * * * *", "crontab */7 * * * *"),
        ("1-3/2 * * * *", "crontab 1-3/2 * * * *"),
        ("0 9 * * 9", "crontab 0 9 * * 9"),
    ],
)
def test_a_crontab_is_worded(fields: str, words: str) -> None:
    minute, hour, day, month, weekday = fields.split()
    assert schedules.crontab(minute, hour, day, month, weekday) == words
    zone = schedules.crontab(minute, hour, day, month, weekday, "Europe/Berlin")
    assert zone == f"{words} Europe/Berlin"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "every 0.5 seconds"),
        (1, "every second"),
        (30, "every 30 seconds"),
        (5_400, "every 90 minutes"),
        (3_600, "every hour"),
        (7 * 86_400, "every 7 days"),
    ],
)
def test_an_interval_is_worded(seconds: float, words: str) -> None:
    assert schedules.interval(seconds) == words


def test_a_solar_event_is_worded() -> None:
    assert schedules.solar("dawn_civil", 48.2, -16.0) == "dawn civil at 48.2, -16"
