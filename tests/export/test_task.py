from __future__ import annotations

import json

from celtop.export.encoding.json import encode
from celtop.export.task import event_source, render, report
from celtop.model.entities.result import ResultMeta
from celtop.model.ingest.redaction import Redaction
from celtop.model.lookup import HELD_BY_WORKER, PlaceChecked, Sighting, TaskLookup
from celtop.model.observations import InspectReply, QueuePeeked, ResultsRead
from celtop.model.observations import WaitingMessage as Message
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch

NOW = 1_800_000_000.0
SECRET = "{'password': 'geheim'}"


def found_everywhere() -> tuple[TaskLookup, ClusterState]:
    """Return a task found in a message, at a worker and in the backend, with different facts."""
    state = ClusterState(redaction=Redaction(["password"]))
    item = {"id": "1", "name": "a.b", "args": [1], "kwargs": {"password": "geheim"},
            "time_start": NOW - 5}  # fmt: skip
    meta = ResultMeta("1", "PROGRESS", {"progress": 40, "status": "\x1b[2Jband"})
    sources = (
        Sighting(
            HELD_BY_WORKER,
            QueuePeeked("q", (Message("1", "a.b", "q", "(1,)", SECRET),), NOW, False),
        ),
        Sighting("worker w\x1b", InspectReply("w\x1b", "query_task", {"1": ["active", item]}, NOW)),
        Sighting("result backend", ResultsRead((meta,), NOW, "lookup")),
    )
    looked = (PlaceChecked("queues", True, "\x1b[31mred"), PlaceChecked("backend", None, "why not"))
    for one in sources[1:]:
        state.observe(one.observation)
    return TaskLookup("1", NOW, sources, looked), state


def test_each_source_has_only_the_fields_it_reports() -> None:
    search, state = found_everywhere()
    found = json.loads(encode(report(search, None, state, None, NOW)))
    fields = {one["source"]: one["fields"] for one in found["told_by"]}
    assert fields["result backend"] == {
        "state": "PROGRESS",
        "progress": fields["result backend"]["progress"],
    }
    assert fields["worker w\x1b"]["state"] == "STARTED"
    assert "state" not in fields[HELD_BY_WORKER]
    assert fields[HELD_BY_WORKER]["queue"] == "q"
    assert found["task"]["state"] == "PROGRESS"
    assert found["task"]["progress"]["fraction"] == 0.4


def test_redacted_text_is_masked_in_every_source() -> None:
    search, state = found_everywhere()
    found = report(search, None, state, None, NOW)
    assert b"geheim" not in encode(found)
    assert "geheim" not in render(found)
    assert "***" in render(found)


def test_the_text_groups_sources_that_agree_and_escapes_control_characters() -> None:
    search, state = found_everywhere()
    text = render(report(search, None, state, None, NOW))
    assert "\x1b" not in text
    lines = [line.split() for line in text.splitlines()]
    states = [line for line in lines if line[:1] == ["state"]]
    assert [line[1] for line in states] == ["STARTED", "PROGRESS"]
    (name,) = [line for line in text.splitlines() if line.strip().startswith("name")]
    assert name.endswith(f"a.b  [{HELD_BY_WORKER}; worker w\\x1b]")
    assert ["backend", "unknown", "why", "not"] in lines


def test_earlier_events_are_a_source_and_an_unknown_task_has_none() -> None:
    state = ClusterState()
    event = Event("task-received", "w1", NOW, uuid="1", name="a.b")
    state.observe(EventBatch((event,), NOW))
    before = event_source(state.tasks["1"], NOW)
    assert before is not None
    assert (before.source, before.fields["state"]) == ("event", "RECEIVED")
    assert event_source(None, NOW) is None
    nothing = TaskLookup("x", NOW, (), (PlaceChecked("workers", False, "unknown to w1"),))
    found = report(nothing, None, ClusterState(), None, NOW)
    assert found.task is None
    note = "only the history is searched for the start of an id, all other places for a whole one"
    assert render(found).splitlines()[0] == f"x  not found; {note}"
    whole = TaskLookup("e6c7df22-cf04-4781-b3ae-7e0c86bac96f", NOW, (), ())
    found = report(whole, None, ClusterState(), None, NOW)
    assert render(found).splitlines()[0] == f"{whole.id}  not found"
