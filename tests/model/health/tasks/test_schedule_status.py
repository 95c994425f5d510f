from __future__ import annotations

from typing import Any

import pytest
from celtop.model.entities.fault import Fault
from celtop.model.entities.schedule import ScheduleEntry
from celtop.model.health.tasks.schedule_status import EntryStatus, entry_status, entry_statuses
from celtop.model.observations import ConnectionChanged, ConnectionProved, InspectReply
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.schedules import WORKER, entry, measure, pass_time, read, run, watched
from celtop.tests.model.streams import NOW


def status(state: ClusterState, now: float, name: str = "tick") -> EntryStatus:
    return entry_status(state, name, now)


def test_an_entry_that_runs_is_scheduled() -> None:
    state = watched(entry())
    run(state, NOW + 10)
    pass_time(state, NOW + 16)
    found = status(state, NOW + 16)
    assert (found.word, found.last_run_at, found.next_run_at) == ("scheduled", NOW + 10, NOW + 20)
    assert found.upcoming == tuple(NOW + 20 + 10 * number for number in range(5))
    assert found.by_name


def test_the_next_run_of_an_interval_is_unknown_until_a_run_is_known() -> None:
    state = watched(entry())
    pass_time(state, NOW + 4)
    found = status(state, NOW + 4)
    assert (found.word, found.next_run_at, found.upcoming) == ("scheduled", None, ())
    assert found.next_run_by == NOW + 14
    run(state, NOW + 5)
    pass_time(state, NOW + 6)
    assert status(state, NOW + 6).next_run_at == status(state, NOW + 6).next_run_by == NOW + 15
    crontab = ScheduleEntry(**{**_fields(entry(every=None)), "upcoming": (NOW + 60,)})
    assert status(watched(crontab), NOW).next_run_at == NOW + 60


def test_an_entry_that_was_not_received_is_overdue() -> None:
    state = watched(entry())
    pass_time(state, NOW + 14)
    assert status(state, NOW + 14).word == "scheduled"
    pass_time(state, NOW + 16)
    found = status(state, NOW + 16)
    assert (found.word, found.next_run_at, found.overdue_s) == ("overdue", NOW + 10, 6.0)
    assert found.upcoming[0] == NOW + 16


def _waiting(state: ClusterState) -> None:
    pass_time(state, NOW + 20, waiting=3)


def _measured_before(state: ClusterState) -> None:
    pass_time(state, NOW + 9)
    state.observe(ConnectionChanged("live", NOW - 100))


def _reconnected(state: ClusterState) -> None:
    state.observe(ConnectionChanged("lost", NOW + 5))
    state.observe(ConnectionChanged("live", NOW + 12))
    pass_time(state, NOW + 20)


def _unregistered(state: ClusterState) -> None:
    state.observe(InspectReply(WORKER, "registered", ["app.other"], NOW))
    pass_time(state, NOW + 20)


@pytest.mark.parametrize("happens", [_waiting, _measured_before, _reconnected, _unregistered])
def test_nothing_follows_from_silence_that_was_not_observed(happens: Any) -> None:
    state = watched(entry())
    happens(state)
    assert status(state, NOW + 20).word == "scheduled"


@pytest.mark.parametrize(("unsent", "word"), [(None, "overdue"), (10, "scheduled")])
def test_an_entry_whose_runs_are_seen_when_sent_is_overdue_although_its_queue_waits(
    unsent: int | None, word: str
) -> None:
    state = watched(entry())
    for seconds in (0, 10, 20):
        at = NOW + seconds
        if seconds != unsent:
            given: dict[str, Any] = {"name": "app.tick", "args": "()", "kwargs": "{}"}
            sent = Event("task-sent", "gen7@host", at, uuid=f"run-{at}", queue="celery", **given)
            state.observe(EventBatch((sent,), at))
        else:
            run(state, at)
    pass_time(state, NOW + 36, waiting=300)
    assert status(state, NOW + 36).word == word


def test_a_queue_of_its_own_counts() -> None:
    state = watched(entry(queue="reports"))
    pass_time(state, NOW + 16)
    assert status(state, NOW + 16).word == "scheduled"


def by_source(source: Any, last_run_at: float, **fields: Any) -> ScheduleEntry:
    return entry(source=source, last_run_at=last_run_at, due_at=last_run_at + 10, **fields)


def test_redbeat_has_each_run_at_once() -> None:
    state = ClusterState()
    read(state, by_source("redbeat", NOW - 12), at=NOW)
    assert status(state, NOW).word == "scheduled"
    read(state, by_source("redbeat", NOW - 12), at=NOW + 9)
    assert status(state, NOW + 9).overdue_s == 11.0


def test_an_entry_that_was_due_without_a_broker_is_not_overdue() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 60))
    state.observe(ConnectionProved(NOW - 5))
    state.observe(ConnectionChanged("lost", NOW, Fault("refused", "Connection refused", "")))
    read(state, by_source("redbeat", NOW - 12), at=NOW + 9)
    assert status(state, NOW + 9).overdue_s is None


def test_other_sources_have_it_when_beat_sends_after_three_minutes() -> None:
    state = ClusterState()
    read(state, by_source("file", NOW), at=NOW + 190)
    assert status(state, NOW + 190).word == "scheduled"
    # It may have run unobserved since.
    assert (status(state, NOW + 190).next_run_at, status(state, NOW + 190).upcoming) == (None, ())
    assert status(state, NOW + 190).next_run_by == NOW + 200
    read(state, by_source("file", NOW), at=NOW + 210)
    assert status(state, NOW + 210).word == "overdue"


def test_a_run_that_others_were_written_after_is_missed() -> None:
    state = ClusterState()
    hourly = by_source("file", NOW - 3_000, name="hourly")
    read(state, by_source("file", NOW), hourly, at=NOW + 1)
    assert status(state, NOW + 1, "hourly").word == "overdue"
    assert status(state, NOW + 1).word == "scheduled"


def test_a_crontab_that_may_not_have_been_written_is_not_overdue() -> None:
    # It ran a second after another entry had caused beat to write.
    late = by_source("file", NOW - 86_400, name="late", spacing=86_400.0, every=None)
    late = ScheduleEntry(**{**_fields(late), "due_at": NOW + 1, "upcoming": (NOW + 86_401,)})
    state = ClusterState()
    read(state, by_source("file", NOW, every=3_600.0, spacing=3_600.0), late, at=NOW + 600)
    assert status(state, NOW + 600, "late").word == "scheduled"
    assert status(state, NOW + 600, "late").next_run_at == NOW + 86_401


def _fields(one: ScheduleEntry) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"enabled": False}, "disabled"),
        ({"expires_at": NOW - 1}, "expired"),
        ({"one_off": True, "total_runs": 1, "enabled": False}, "finished"),
        ({"starts_at": NOW + 60}, "not started"),
        ({"every": None, "kind": "other"}, "unknown"),
    ],
)
def test_what_does_not_run_is_never_overdue(fields: dict[str, Any], word: str) -> None:
    state = watched(entry(**fields))
    pass_time(state, NOW + 30)
    found = status(state, NOW + 30)
    assert (found.word, found.overdue_s) == (word, None)


def test_the_overdue_come_first_then_the_next() -> None:
    daily = entry("daily", every=86_400.0)
    state = watched(daily, entry("soon", every=60.0), entry(), registered=("app.tick", "app.soon"))
    pass_time(state, NOW + 20)
    measure(state, NOW + 20)
    assert [one.entry.name for one in entry_statuses(state, NOW + 20)] == ["tick", "soon", "daily"]
