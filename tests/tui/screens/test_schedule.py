from __future__ import annotations

from typing import Any

from celtop.model.entities.fault import Fault
from celtop.model.entities.schedule import ScheduleEntry
from celtop.model.observations import ScheduleRead
from celtop.model.state import ClusterState
from celtop.tests.model.schedules import entry
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, refused, task_events
from celtop.tui.dialogs.forms.send import TriggerForm
from celtop.tui.navigation import Location

NIGHTLY = {
    "task": "reports.nightly", "kind": "crontab", "every": None, "spacing": 86_400.0,
    "schedule": "daily at 02:00 UTC", "definition": "0 2 * * *", "upcoming": (NOW + 3_600,),
    "args": (1,), "kwargs": {"kind": "full"}, "queue": "reports", "expires_in": 600.0,
    "last_run_at": NOW - 82_800, "total_runs": 12,
}  # fmt: skip


def scheduled(*entries: ScheduleEntry, **fields: Any) -> ClusterState:
    state = cluster(3)
    feed(state, task_events(900, "mail.digest", at=NOW - 42))
    feed(state, task_events(901, "mail.digest", at=NOW - 12, end="failed", exception="Boom()"))
    state.observe(ScheduleRead("app", NOW - 50, entries, **fields))
    state.tick(NOW)
    return state


async def test_entries_are_listed_with_their_next_and_last_runs() -> None:
    digest = entry("digest", task="mail.digest", every=30.0, schedule="every 30 seconds")
    async with run_app(state=scheduled(entry("nightly", **NIGHTLY), digest)) as on:
        await on.press("9")
        await on.until(lambda: on.session.topics >= {"schedule", "queues"})
        await on.until(lambda: "every 30 seconds" in on.text)
        first, second = [line for line in on.text.splitlines() if "● scheduled" in line][:2]
        assert "digest" in first and "in 18 s" in first and "✔✖" in first
        assert "nightly" in second and "in 1 h" in second and "23 h ago" in second
        await on.press("enter")
        await on.until(lambda: "tasks of digest" in on.text and "FAILURE" in on.text)


async def test_run_now_is_a_form_with_the_entrys_own_arguments() -> None:
    async with run_app(state=scheduled(entry("nightly", **NIGHTLY))) as on:
        on.app.go(Location("schedule"))
        await on.until(lambda: "nightly" in on.text)
        await on.press("t")
        await on.dialog(TriggerForm)
        await on.until(lambda: "Sends reports.nightly(1, kind='full') to reports" in on.text)


async def test_an_empty_schedule_has_what_was_read() -> None:
    fault = Fault("app", "cannot read the schedule: no such table", "")
    async with run_app(state=scheduled(fault=fault)) as on:
        on.app.go(Location("schedule"))
        await on.until(lambda: "No periodic tasks found" in on.text)
        await on.until(lambda: "not read: cannot read the schedule: no such table" in on.text)


async def test_before_the_first_connection_it_is_unknown_how_many_entries_there_are() -> None:
    async with run_app(refused(), Location("schedule")) as on:
        await on.until(lambda: "Schedule  ?" in on.text)
