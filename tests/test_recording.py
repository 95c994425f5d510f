"""Compares the snapshot of a recorded cluster with the one written before.

`recordings/demo.jsonl.gz` is the input of a session during a minute of the demo: JSON records, one
a line, in the order of arrival. `kind` names the type of a record, `at` its time of arrival:

* `events`: the `body` of an event message as the broker delivered it;
* `results`: entries of the result backend, as pairs of task id and payload;
* all others: the fields of an observation (`KINDS`).

`recordings/demo.snapshot.json` is its snapshot. `recordings/record.py` writes both.
"""

from __future__ import annotations

import difflib
import gzip
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from celtop.cluster.results.backends.decode import from_payload
from celtop.export.json import encode
from celtop.export.snapshot import take_snapshot
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import (
    ConnectionChanged,
    InspectReply,
    LatencyMeasured,
    LogMessage,
    Observation,
    QuestionsAnswered,
    QuestionsAsked,
    QuestionsFailed,
    QueueGone,
    QueueMeasured,
    QueuePeeked,
    ResultsRead,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import decode

RECORDINGS: Final = Path(__file__).parent / "recordings"
RECORDING: Final = RECORDINGS / "demo.jsonl.gz"
SNAPSHOT: Final = RECORDINGS / "demo.snapshot.json"

REDACT: Final = ("cus_[0-9]+", "recipients")
PROGRESS_PATH: Final = {"sessions.*": {"percent": "progress", "text": "message"}}

KINDS: Final[dict[str, type[Observation]]] = {
    "broker": ConnectionChanged,
    "latency": LatencyMeasured,
    "answer": InspectReply,
    "asked": QuestionsAsked,
    "answered": QuestionsAnswered,
    "failed": QuestionsFailed,
    "depth": QueueMeasured,
    "gone": QueueGone,
    "messages": QueuePeeked,
    "note": LogMessage,
}
"""Observations that are recorded field by field."""


def observation(record: dict[str, Any]) -> Observation:
    """Build the observation of a record."""
    kind, at = record["kind"], record["at"]
    if kind == "events":
        return decode(record["body"].encode(), at)
    if kind == "results":
        metas = tuple(from_payload(id_, payload) for id_, payload in record["payloads"])
        return ResultsRead(metas, at, record["source"], tuple(record["absent"]))
    return msgspec.convert(record, KINDS[kind])


def replay() -> tuple[ClusterState, float]:
    """Return the model after the whole recording, and the time of its end."""
    state = ClusterState(redaction=Redaction(REDACT), progress_paths=PROGRESS_PATH)
    now = 0.0
    with gzip.open(RECORDING) as lines:
        for record in map(msgspec.json.decode, lines):
            at = max(now, record["at"])
            for second in range(int(now or at) + 1, int(at) + 1):
                state.tick(second)
            now = at
            state.observe(observation(record))
    state.tick(now)
    return state, now


def snapshot() -> bytes:
    """Return the snapshot of the recording, as `celtop snapshot --format json` writes it."""
    return encode(take_snapshot(*replay()))


def test_the_snapshot_of_the_recording_is_unchanged() -> None:
    before, after = SNAPSHOT.read_bytes(), snapshot()
    if after != before:
        old, new = before.decode().splitlines(), after.decode().splitlines()
        changes = difflib.unified_diff(old, new, "before", "after", lineterm="")
        pytest.fail("\n".join(list(changes)[:80]), pytrace=False)


def test_the_recording_covers_every_state_and_many_fields() -> None:
    shown = msgspec.json.decode(SNAPSHOT.read_bytes())
    states = Counter(task["state"] for task in shown["tasks"])
    assert states.keys() >= {
        "PENDING", "RECEIVED", "STARTED", "PROGRESS", "RETRY", "SUCCESS", "FAILURE", "REVOKED",
    }  # fmt: skip
    assert {worker["status"] for worker in shown["workers"]} >= {"online", "offline"}
    assert any(worker["scheduled"] for worker in shown["workers"])
    assert any(queue["waiting"] for queue in shown["queues"])
    for field in ("progress", "attempts", "loss", "eta_at", "group_id", "parent_id", "estimate"):
        assert any(task[field] for task in shown["tasks"]), field
