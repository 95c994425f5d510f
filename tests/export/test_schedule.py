from __future__ import annotations

import json
from typing import Any

from celtop.export.encoding.document import Document
from celtop.export.formats import FORMATS
from celtop.export.lists.document import list_document
from celtop.export.schedule import EntryRecord
from celtop.lists.listing import LISTINGS
from celtop.model.state import ClusterState
from celtop.tests.model.schedules import entry, pass_time, read, run, watched
from celtop.tests.model.streams import NOW

from .conftest import context


def document(state: ClusterState, now: float) -> Document:
    listed = LISTINGS["schedule"]
    shown = context(state, now)
    return list_document("schedule", shown, listed.rows(shown, "", listed.order_by(shown)))


def as_json(state: ClusterState, now: float) -> Any:
    return json.loads(FORMATS["json"].encode(document(state, now), 80))


def as_text(state: ClusterState, now: float) -> str:
    return FORMATS["text"].encode(document(state, now), 120).decode()


FIELDS = {
    "name", "task", "status", "schedule", "kind", "definition", "every_s", "timezone", "args",
    "kwargs", "arguments_exact", "queue", "priority", "task_expires_s", "options", "enabled",
    "one_off", "starts_at", "expires_at", "last_run_at", "next_run_at", "next_times", "overdue_s",
    "total_runs", "runs", "runs_by_name", "sources", "note", "next_run_within_s",
}  # fmt: skip


def test_the_fields_of_an_entry_are_a_contract() -> None:
    assert set(EntryRecord.__struct_fields__) == FIELDS


def test_entries_and_what_is_wrong_with_beat_are_json() -> None:
    state = watched(entry(args=(1,), kwargs={"k": "\ud800"}))
    run(state, NOW + 10, args="[1]", kwargs="{'k': '\\ud800'}")
    pass_time(state, NOW + 26)
    found = as_json(state, NOW + 26)
    assert found["schema"] == "celtop.schedule/1"
    [one] = found["entries"]
    assert found["matching"] == 1
    assert (one["status"], one["overdue_s"], one["args"]) == ("overdue", 6.0, [1])
    assert [finding["code"] for finding in found["findings"]] == ["beat-dead"]


def test_unknown_values_have_a_note() -> None:
    state = ClusterState()
    read(state, entry())
    found = as_json(state, NOW + 3)
    [one] = found["entries"]
    assert (one["last_run_at"], one["next_run_at"], one["next_run_within_s"]) == (None, None, 10.0)
    assert [note["text"].split(" unknown")[0] for note in found["notes"]] == [
        "last_run_at",
        "next_run_at",
    ]
    assert "within 10 s" in as_text(state, NOW + 3)


def test_the_table_names_entries_schedules_and_findings() -> None:
    state = watched(entry())
    pass_time(state, NOW + 16)
    lines = as_text(state, NOW + 16).splitlines()
    assert lines[1].split()[:5] == ["tick", "overdue", "6.0", "s", "late"]
    assert "every 10 seconds" in lines[1]
    assert lines[2].startswith("beat: not running: tick was due 6 s ago")
    assert as_text(ClusterState(), NOW) == "No periodic tasks found\n"
