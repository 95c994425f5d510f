from __future__ import annotations

import msgspec
import pytest
from celtop.model.entities.fault import Fault
from celtop.model.entities.result import ResultMeta
from celtop.model.ingest import schedule_store
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import ResultsRead, ScheduleRead
from celtop.model.state import ClusterState
from celtop.tests.model.schedules import entry, pass_time, read, run, watched
from celtop.tests.model.streams import NOW


def test_of_several_sources_the_closest_to_beat_is_used() -> None:
    state = watched(entry(), entry("only"))
    read(state, entry(source="django-celery-beat", schedule="every minute", enabled=False))
    assert state.schedule.entries["tick"].schedule == "every minute"
    assert state.schedule.sources == {"tick": ("django-celery-beat", "app"), "only": ("app",)}


def test_the_setting_is_completed_by_what_beats_file_has() -> None:
    state = watched(entry(source="app"))
    read(state, entry(source="file", last_run_at=NOW - 3, total_runs=7, due_at=NOW + 7))
    assert state.schedule.entries["tick"].source == "file"
    assert state.schedule.last_run_at("tick") == NOW - 3


def test_a_failed_read_keeps_the_entries() -> None:
    state = watched(entry())
    fault = Fault("app", "cannot read the schedule: no", "")
    state.observe(ScheduleRead("app", NOW + 60, fault=fault))
    assert list(state.schedule.entries) == ["tick"]
    assert state.schedule.reads["app"].fault is fault
    assert state.schedule.reads["app"].at == NOW


def test_tasks_are_found_by_name_and_arguments() -> None:
    state = watched(entry(args=(1, "a"), kwargs={"kind": "b"}))
    run(state, NOW + 1, "same", args="[1, 'a']", kwargs="{'kind': 'b'}")
    run(state, NOW + 2, "other arguments", args="[2]", kwargs="{}")
    run(state, NOW + 3, "a child", args="[1, 'a']", kwargs="{'kind': 'b'}", parent_id="x")
    run(state, NOW + 4, "other name", name="app.tock", args="[1, 'a']", kwargs="{'kind': 'b'}")
    state.tick(NOW + 5)
    assert [task.id for task in state.schedule.runs("tick")] == ["same"]
    assert state.schedule.last_run_at("tick") == NOW + 1


def test_a_task_that_names_its_entry_belongs_to_no_other() -> None:
    state = watched(entry(), entry("twin", task="app.tick"))
    metas = [
        ResultMeta("named", "SUCCESS", name="app.tick", periodic_task_name="twin", done_at=NOW - 5),
    ]
    state.observe(ResultsRead(tuple(metas), NOW, "history"))
    state.tick(NOW + 5)
    assert [task.id for task in state.schedule.runs("twin")] == ["named"]
    assert not state.schedule.runs("tick")


def test_a_time_that_has_passed_is_expected_although_the_next_read_begins_after_it() -> None:
    crontab = entry(kind="crontab", schedule="every minute", every=None, spacing=60.0)
    state = watched(msgspec.structs.replace(crontab, upcoming=(NOW + 10, NOW + 70)))
    assert state.schedule.expected("tick") == NOW + 10
    read(state, msgspec.structs.replace(crontab, upcoming=(NOW + 70, NOW + 130)), at=NOW + 11)
    assert state.schedule.expected("tick") == NOW + 10
    run(state, NOW + 12)
    state.tick(NOW + 13)
    assert state.schedule.expected("tick") == NOW + 70


def test_what_was_not_observed_is_not_expected() -> None:
    state = watched(entry())
    state.schedule.observed_since = NOW + 25
    assert state.schedule.expected("tick") == NOW + 35


def test_an_entry_that_changes_counts_from_then() -> None:
    state = watched(entry(enabled=False))
    read(state, entry(), at=NOW + 100)
    assert state.schedule.since["tick"] == NOW + 100
    assert state.schedule.expected("tick") == NOW + 110


def test_arguments_are_redacted_and_then_not_sent() -> None:
    state = ClusterState(redaction=Redaction(["password"]))
    read(state, entry(kwargs={"password": "hunter2"}), entry("plain", kwargs={"a": 1}))
    masked = state.schedule.entries["tick"]
    assert masked.kwargs == {"password": "***"} and not masked.exact
    assert state.schedule.entries["plain"].exact


def test_entries_and_their_tasks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule_store, "MAX_ENTRIES", 3)
    monkeypatch.setattr(schedule_store, "MAX_RUNS", 4)
    state = watched(*(entry(f"entry-{number}") for number in range(10)))
    assert len(state.schedule.entries) == 3 and state.schedule.left_out == 7
    for number in range(10):
        run(state, NOW + number, name="app.entry-0")
    state.tick(NOW + 11)
    kept = [state.schedule.run_at(task) for task in state.schedule.runs("entry-0")]
    assert kept == [NOW + 6, NOW + 7, NOW + 8, NOW + 9]


def test_tasks_are_looked_at_once_unless_they_are_the_newest() -> None:
    state = watched(entry())
    for number in range(500):
        run(state, NOW + 1, f"other-{number}", name="app.other")
    pass_time(state, NOW + 3)
    looked = list(state.schedule._new_tasks())
    assert len(looked) == schedule_store.SCANNED_AGAIN
