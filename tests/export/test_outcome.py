"""What came of an act as JSON: a contract, field for field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from celtop.export.outcome import ResultRecord, encode, encode_plan, encode_value
from celtop.model.confirm.dispatch import Confirmation
from celtop.model.operations.call import Call
from celtop.model.operations.commands import (
    PoolGrow,
    Purge,
    RateLimit,
    Revoke,
    RevokeStamped,
    Trigger,
)
from celtop.model.operations.outcome import Answer, Outcome, PublishedTask

FIELDS = {
    "schema", "command", "parameters", "dry_run", "good", "text", "began_at", "ended_at", "workers",
    "targets", "sent", "count", "refusal", "fault", "unlogged", "result",
}  # fmt: skip


def test_every_field() -> None:
    command = Revoke(ids=("a", "b"), workers=("w@h",), terminate=True, signal="SIGKILL")
    came = Outcome(
        3, command, 0.0, 1.5,
        workers={"w@h": Answer("confirmed", "ok")},
        targets={"a": Answer("confirmed"), "b": Answer("silent")},
    )  # fmt: skip
    document = json.loads(encode(came))
    assert set(document) == FIELDS
    assert document["schema"] == "celtop.outcome/1"
    assert document["command"] == "revoke"
    assert document["parameters"] == {"terminate": True, "signal": "SIGKILL"}
    assert document["good"] is False
    assert document["dry_run"] is False
    assert document["ended_at"] == "1970-01-01T00:00:01.500Z"
    assert document["workers"] == [{"name": "w@h", "verdict": "confirmed", "text": "ok"}]
    assert [one["verdict"] for one in document["targets"]] == ["confirmed", "silent"]


def test_arguments_are_not_in_it() -> None:
    call = Call("a.b", ("hunter2",), {"password": "hunter2"}, "q")
    sent = PublishedTask("1", "a.b", "q", 0.0, args="('hunter2',)")
    text = encode(Outcome(1, Trigger(calls=(call,)), 0.0, 1.0, sent=(sent,))).decode()
    assert "hunter2" not in text
    assert json.loads(text)["parameters"] == {
        "name": "a.b", "queue": "q", "priority": None, "countdown": None, "expires_in": None,
        "eta_at": None,
    }  # fmt: skip
    assert json.loads(text)["sent"] == [
        {"id": "1", "name": "a.b", "queue": "q", "sent_at": "1970-01-01T00:00:00.000Z",
         "retry_of": None}
    ]  # fmt: skip


def test_a_plan() -> None:
    command = PoolGrow(workers=("w@h",), by=2)
    asked = Confirmation("Grow", "Grow w@h", (), expected_workers=("w@h",))
    document = json.loads(encode_plan(command, asked))
    assert set(document) == FIELDS
    assert document["dry_run"] is True
    assert document["good"] is None
    assert document["parameters"] == {"by": 2}
    assert [one["verdict"] for one in document["workers"]] == ["unsent"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (Purge(queue="q"), "purge"),
        (RateLimit(workers=(), task="a", rate="1/s"), "rate-limit"),
        (RevokeStamped(header="h", values=("v",), workers=()), "revoke-stamped"),
    ],
)
def test_operations_are_named_as_on_the_command_line(command: Purge, name: str) -> None:
    assert command.name == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, "é"]}, '{"a":[1,null,"é"]}'),
        (Decimal("1.10"), '"1.10"'),
        (datetime(2030, 1, 1, tzinfo=UTC), '"2030-01-01T00:00:00Z"'),
        ("\ud800", json.dumps("'\\ud800'")),
        (3 + 4j, '"(3+4j)"'),
    ],
)
def test_any_result_is_json(value: object, text: str) -> None:
    assert encode_value(value).decode() == text


def test_a_result_that_was_waited_for() -> None:
    result = ResultRecord("1", "SUCCESS", msgspec.Raw(b"[1]"), None, None, "backend", None)
    came = Outcome(1, Trigger(calls=(Call("a"),)), 0.0, 1.0)
    assert json.loads(encode(came, result))["result"]["value"] == [1]
