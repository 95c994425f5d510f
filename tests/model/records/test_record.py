"""Each kind of observation survives being written and read."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from celtop.model.entities.broker import BrokerMemory
from celtop.model.entities.cluster.other_cluster import OtherCluster
from celtop.model.entities.fault import Fault
from celtop.model.entities.messages.delayed import Delayed
from celtop.model.entities.queue import Pause
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.task import Task, TaskExtra
from celtop.model.entities.worker import Outcomes
from celtop.model.entities.worker_version import WorkerVersion
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import (
    ConnectionChanged,
    ConnectionProved,
    DelayedMeasured,
    EventsDropped,
    FailuresKnown,
    FindingsKnown,
    HistoryRead,
    HistorySearched,
    InspectReply,
    LatencyMeasured,
    LogMessage,
    MemoryMeasured,
    Observation,
    OperationChanged,
    OtherClustersFound,
    OutcomesKnown,
    QuestionsAnswered,
    QuestionsAsked,
    QuestionsFailed,
    QueueGone,
    QueueHead,
    QueueHeadsKnown,
    QueueMeasured,
    QueuePeeked,
    QueuesPaused,
    ResultsRead,
    ScheduleRead,
    UnackedMessage,
    UnackedRead,
    VersionsKnown,
    WaitingMessage,
)
from celtop.model.operations.commands import RateLimit, Revoke
from celtop.model.operations.outcome import Answer, Outcome
from celtop.model.records.record import (
    END,
    KINDS,
    InvalidRecord,
    decode_record,
    encode_mark,
    encode_record,
)
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.schedules import entry

FAULT = Fault("refused", "connection refused", "Is it running?")
EVENTS = (
    Event("task-received", "w@h", 1.5, uuid="a", name="t", args="(1,)", retries=0, pid=7),
    Event("task-progress", "w@h", 2.0, uuid="a", fields={"current": 3, "text": "x"}),
    Event("worker-heartbeat", "w@h", 2.5, freq=2.0, active=1, loadavg=(0.1, 0.2, 0.3)),
    Event("task-revoked", "w@h", 3.0, uuid="a", signum="15", terminated=True, expired=False),
)
OBSERVATIONS: tuple[Observation, ...] = (
    EventBatch(EVENTS, 4.0, ("no type",)),
    ConnectionChanged("lost", 1.0, FAULT, 2.0, "redis://h", "redis"),
    ConnectionProved(1.0),
    LatencyMeasured(0.1, 5),
    MemoryMeasured(BrokerMemory(10, 20, 5, "noeviction")),
    InspectReply("w@h", "active", [{"id": "a", "args": [Decimal("1.1")]}], 1.0, None, ("a",), True),
    QuestionsAsked("worker", ("stats",), 1.0, ("w@h",)),
    QuestionsAnswered(("workers",), 1.0),
    QuestionsFailed("queue", ("depth",), 1.0, FAULT, ("q",)),
    QueueMeasured("q", 1.0, 5, None, (("0", 5),), 1, ("n",), (QueueHead("a", 1.0),), runnable=()),
    UnackedRead((UnackedMessage(1.0, "q", "a"),), 1, 2.0),
    QueueGone("q", 1.0),
    DelayedMeasured(Delayed(), 1.0),
    QueuesPaused({"q": Pause(("w@h",), 1.0)}, 1.0),
    OtherClustersFound((OtherCluster("redis", "q"),), 1.0),
    EventsDropped(1, 2, 1.0),
    LogMessage("info", "broker", "text", 1.0),
    OperationChanged(Outcome(1, Revoke(("a",), ("w@h",)), 1.0, targets={"a": Answer("silent")}), 2),
    QueuePeeked("q", (WaitingMessage("a", "t", "q", "(1,)"),), 1.0, True),
    ResultsRead((ResultMeta("a", "SUCCESS", {"sum": Decimal("1.1")}),), 1.0, "poll", ("b",)),
    HistorySearched("f", 1, 2, True, "", 1.0),
    HistoryRead((Task("a", name="t", extra=TaskExtra(client="c"), sources=4),), 1.0, True),
    FailuresKnown({"=ValueError": 0.5}, 1.0),
    OutcomesKnown({"w@h": Outcomes(3, 2, 1)}, 1.0),
    FindingsKnown({"worker-lost": {"worker w@h": 0.5}}, 1.0),
    QueueHeadsKnown({"q": {"a": 0.5}}, 1.0),
    VersionsKnown({"w@h": WorkerVersion("py-celery 5.4.0", ("shop.bill",))}, 1.0, 0.5),
    ScheduleRead("app", 1.0, (entry(),), None, 1, 2.0),
)


def test_the_cases_are_complete() -> None:
    assert [type(one) for one in OBSERVATIONS] == list(KINDS.values())
    assert set(KINDS.values()) == set(Observation.__args__)


@pytest.mark.parametrize("seen", OBSERVATIONS, ids=lambda one: type(one).__name__)
def test_an_observation_is_the_same_afterwards(seen: Observation) -> None:
    line = encode_record(9.5, seen, Redaction())
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    record = decode_record(line)
    # Tasks are equal only to themselves.
    assert (record.at, msgspec.to_builtins(record.observation)) == (9.5, msgspec.to_builtins(seen))
    assert isinstance(seen, HistoryRead) or record.observation == seen


def test_what_undoes_an_operation_is_the_same_afterwards() -> None:
    limit, undo = (RateLimit(workers=("w@h",), task="t", rate=rate) for rate in ("1/m", "0"))
    seen = OperationChanged(Outcome(1, limit, 1.0, inverse=(undo,)), 2.0)
    line = encode_record(9.5, seen, Redaction())
    assert decode_record(line).observation == seen
    older = line.replace(b'"inverse"', b'"other"')
    assert decode_record(older).observation == OperationChanged(Outcome(1, limit, 1.0), 2.0)


@pytest.mark.parametrize(
    "seen",
    [
        EventBatch(
            (Event("task-sent", "w@h", 1.0, uuid="a", name="t\ud800", fields={"x": 1}),), 4.0
        ),
        InspectReply("w\udfff", "active", [{"id": "a"}], 1.0, None, ("a",), True),
    ],
    ids=["event", "reply"],
)
def test_lone_surrogates_are_replaced(seen: Observation) -> None:
    read = decode_record(encode_record(9.5, seen, Redaction())).observation
    assert "\ufffd" in str(read)
    assert type(read) is type(seen)


def test_the_end_and_unknown_kinds_have_no_observation() -> None:
    assert decode_record(encode_mark(3.0, END)) == (3.0, END, None)
    assert decode_record(b'{"at":3.0,"kind":"new","observation":{"x":1}}') == (3.0, "new", None)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'{"at":1e300,"kind":"tick"}',
        b'{"at":-1,"kind":"tick"}',
        b'{"at":1,"kind":"queue"}',
        b'{"at":1,"kind":"queue","observation":{"name":5,"at":1}}',
        b'{"at":1,"kind":"operation","observation":{"at":1,"outcome":'
        b'{"number":1,"began_at":1,"operation":{"name":"rm"}}}}',
        b'{"at":1,"kind":"reply","observation":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"at":1,"kind":"log","observation":"\xff"}',
    ],
)
def test_what_is_not_a_record_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidRecord):
        decode_record(line)


def test_hostile_events_are_decoded_within_their_bounds() -> None:
    nested = b"[" * 900 + b"]" * 900
    line = b'{"at":1,"kind":"events","observation":{"at":1,"events":[%s, 5, {}]}}' % nested
    batch = decode_record(line).observation
    assert isinstance(batch, EventBatch)
    assert not batch.events and batch.malformed
