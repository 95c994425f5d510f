"""No password and nothing that the patterns match is written."""

from __future__ import annotations

import pytest
from celtop.model.entities.fault import Fault
from celtop.model.entities.result import ResultMeta
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import (
    InspectReply,
    LogMessage,
    Observation,
    QuestionsFailed,
    QueuePeeked,
    ResultsRead,
    WaitingMessage,
)
from celtop.model.records.record import encode_record
from celtop.model.wire.events import Event, EventBatch

SECRET = "hunter2"
URL = f"redis://user:{SECRET}@host/0"
KWARGS = f"{{'password': '{SECRET}', 'id': 5}}"
TABLE = {"password": SECRET, "id": 5}


def batch(**texts: str) -> EventBatch:
    return EventBatch((Event("task-received", "w", 1.0, uuid="a", **texts),), 1.0)  # type: ignore[arg-type]


OBSERVATIONS: tuple[Observation, ...] = (
    batch(kwargs=KWARGS),
    batch(exception=f"ValueError('password={SECRET}')"),
    batch(traceback=f"cannot connect to {URL}"),
    EventBatch((Event("task-x", "w", 1.0, uuid="a", fields={"password": SECRET, "u": URL}),), 1.0),
    InspectReply("w", "active", [{"id": "a", "kwargs": TABLE}], 1.0),
    InspectReply("w", "scheduled", [{"request": {"kwargs": KWARGS}}], 1.0),
    InspectReply("w", "conf", {"a": {"password": SECRET}, "u": URL}, 1.0),
    ResultsRead((ResultMeta("a", "SUCCESS", {"deep": [TABLE]}),), 1.0, "poll"),
    QueuePeeked("q", (WaitingMessage("a", "t", "q", kwargs=KWARGS),), 1.0, True),
    LogMessage("info", "broker", f"password={SECRET} {URL}", 1.0),
)


@pytest.mark.parametrize("seen", OBSERVATIONS, ids=lambda one: type(one).__name__)
def test_secrets_are_masked(seen: Observation) -> None:
    line = encode_record(1.0, seen, Redaction(("password",)))
    assert SECRET.encode() not in line
    assert b"***" in line


def test_passwords_in_urls_are_masked_without_any_pattern() -> None:
    line = encode_record(1.0, batch(result=URL), Redaction())
    assert b"redis://user:***@host/0" in line


def test_passwords_in_reasons_of_failed_questions_are_masked() -> None:
    fault = Fault("error", f"cannot connect to {URL}", "")
    line = encode_record(1.0, QuestionsFailed("cluster", ("queues",), 1.0, fault), Redaction())
    assert b"redis://user:***@host/0" in line


def test_names_of_fields_are_kept_even_if_a_pattern_matches() -> None:
    seen = InspectReply("w", "active", [{"id": "a", "kwargs": {"id": "secret"}}], 1.0)
    line = encode_record(1.0, seen, Redaction(("id", "worker")))
    assert b'"worker":"w"' in line and b'"id":"a"' in line
    assert b"secret" not in line
