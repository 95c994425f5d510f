from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from celery.schedules import crontab, schedule, solar
from celtop.cluster.schedule.beat_schedule import entries, is_plain, plan_of
from celtop.cluster.schedule.raw import Plan

SCHEDULES = [
    (30, Plan("interval", 30.0)),
    (timedelta(days=1, minutes=2), Plan("interval", 86_520.0)),
    (schedule(90), Plan("interval", 90.0)),
    (crontab(30, 7), Plan("crontab", minute="30", hour="7")),
    (crontab(0, [1, 2], "mon-fri"), Plan("crontab", minute="0", hour="1,2", day_of_week="mon-fri")),
    (solar("sunset", 48.2, 16.4), Plan("solar", event="sunset", latitude=48.2, longitude=16.4)),
]


@pytest.mark.parametrize(("value", "plan"), SCHEDULES)
def test_schedules_of_an_app_are_read(value: Any, plan: Plan) -> None:
    assert plan_of(value) == plan


@pytest.mark.parametrize(
    ("value", "plan"), [(value, plan) for value, plan in SCHEDULES if "1,2" not in str(plan)]
)
def test_schedules_are_read_as_workers_report_them(value: Any, plan: Plan) -> None:
    text = value if isinstance(value, int) else str(value)
    assert plan_of(text) == plan


def test_an_older_repr_of_a_crontab_has_the_day_of_the_week_third() -> None:
    plan = plan_of("<crontab: 0 9 mon-fri 1 * (m/h/d/dM/MY)>")
    assert (plan.day_of_week, plan.day_of_month) == ("mon-fri", "1")


def test_an_unknown_schedule_keeps_its_text() -> None:
    assert plan_of("<rrule: weekly>") == Plan(text="<rrule: weekly>")


def test_an_entry_is_read_and_broken_ones_are_left_out() -> None:
    found = entries(
        {
            "good": {"task": "t", "schedule": 5, "args": (1,), "options": {"queue": "q"}},
            "dated": {"task": "t", "schedule": 5, "args": [date(2026, 1, 1)]},
            "broken": "no entry",
        }
    )
    good, dated = found
    assert (good.task, good.plan.every, good.args, good.options, good.exact) == (
        "t", 5.0, (1,), {"queue": "q"}, True,
    )  # fmt: skip
    assert not dated.exact


def test_tuples_are_plain_but_keys_that_json_changes_are_not() -> None:
    assert is_plain([(1, "a"), {"b": None}])
    assert not is_plain({1: "a"})
    assert not is_plain([float("nan")])
