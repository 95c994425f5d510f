"""The records of a recording: one line of JSON for each observation, in the order of application.

`{"at": 1700000000.5, "kind": "queue", "observation": {...}}`: `at` is when it was applied to the
model, `kind` names its type (`KINDS`), `observation` has the fields of that type in
`model/observations.py`. Events are written as workers send them. Records of the kind `tick` are the
seconds of the clock (`ClusterState.tick`), that of the kind `end` is the last one.
"""

from __future__ import annotations

import functools
import json
from typing import Any, Final, NamedTuple

import msgspec

from ..ingest.redaction import Redaction
from ..observations import (
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
    QueueHeadsKnown,
    QueueMeasured,
    QueuePeeked,
    QueuesPaused,
    ResultsRead,
    ScheduleRead,
    UnackedRead,
    VersionsKnown,
)
from ..operations import commands, schedule_commands
from ..operations.operation import Operation, operation_name
from ..text.coerce import MAX_TIMESTAMP, without_surrogates
from ..wire.events import Event, EventBatch, decode
from .masks import mask_events, mask_fields
from .values import KEPT_TYPES, from_json, to_json

TICK: Final = "tick"
END: Final = "end"
KINDS: Final[dict[str, type[Observation]]] = {
    "events": EventBatch,
    "connection": ConnectionChanged,
    "proved": ConnectionProved,
    "latency": LatencyMeasured,
    "memory": MemoryMeasured,
    "reply": InspectReply,
    "asked": QuestionsAsked,
    "answered": QuestionsAnswered,
    "failed": QuestionsFailed,
    "queue": QueueMeasured,
    "unacked": UnackedRead,
    "queue-gone": QueueGone,
    "delayed": DelayedMeasured,
    "paused": QueuesPaused,
    "other-clusters": OtherClustersFound,
    "dropped": EventsDropped,
    "log": LogMessage,
    "operation": OperationChanged,
    "messages": QueuePeeked,
    "results": ResultsRead,
    "search": HistorySearched,
    "history": HistoryRead,
    "failures": FailuresKnown,
    "outcomes": OutcomesKnown,
    "findings": FindingsKnown,
    "queue-heads": QueueHeadsKnown,
    "versions": VersionsKnown,
    "schedule": ScheduleRead,
}
"""The kinds of records that hold an observation. They are part of the file format."""
_NAMES: Final = {type_: kind for kind, type_ in KINDS.items()}
_QUESTIONS: Final = frozenset({QuestionsAsked, QuestionsAnswered, QuestionsFailed})
"""Types with only texts and times, of which there are thousands in a large cluster."""


class InvalidRecord(ValueError):
    """A line is not a record; the text states why."""


class Record(NamedTuple):
    """One record of a recording."""

    at: float
    """When it was applied, epoch seconds."""
    kind: str
    observation: Observation | None
    """None for a tick, for the end, and for a kind that this version does not know."""


class _Line(msgspec.Struct, frozen=True):
    at: float
    kind: str
    observation: msgspec.Raw = msgspec.Raw()


class _Batch(msgspec.Struct, frozen=True):
    """An `EventBatch` as it is written."""

    at: float
    events: msgspec.Raw
    malformed: tuple[str, ...] = ()


_lines: Final = msgspec.json.Decoder(_Line)
_batches: Final = msgspec.json.Decoder(_Batch)
_encoder: Final = msgspec.json.Encoder()

del commands, schedule_commands  # imported for the subclasses of `Operation` in them


def encode_record(at: float, observation: Observation, redaction: Redaction) -> bytes:
    """Return the line of an observation, masked."""
    if type(observation) in _QUESTIONS and not redaction.active:
        name = _NAMES[type(observation)]
        line = _encode({"at": at, "kind": name, "observation": observation})
        if b"://" not in line:  # otherwise there may be a password to mask
            return line
    if isinstance(observation, EventBatch):
        batch = mask_events(observation, redaction)
        fields: Any = {
            "at": batch.at,
            "events": [_wire_event(event) for event in batch.events],
            "malformed": batch.malformed,
        }
    else:
        fields = msgspec.to_builtins(observation, builtin_types=KEPT_TYPES, enc_hook=repr)
        if isinstance(observation, OperationChanged):
            outcome = observation.outcome
            fields["outcome"]["operation"] = _operation(outcome.operation)
            fields["outcome"]["inverse"] = [_operation(each) for each in outcome.inverse]
        fields = to_json(mask_fields(observation, fields, redaction))
    return _encode({"at": at, "kind": _NAMES[type(observation)], "observation": fields})


def encode_mark(at: float, kind: str) -> bytes:
    """Return the line of a tick or of the end."""
    return _encode({"at": at, "kind": kind})


def decode_record(line: bytes) -> Record:
    """Return the record of a line.

    Raises:
        InvalidRecord: It is not one.
    """
    try:
        read = _lines.decode(line)
        if not 0 <= read.at <= MAX_TIMESTAMP:
            raise InvalidRecord("its time is out of range")
        type_ = KINDS.get(read.kind)
        if type_ is None:
            return Record(read.at, read.kind, None)
        return Record(read.at, read.kind, _observation(type_, read.observation))
    except InvalidRecord:
        raise
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, TypeError) as error:
        deep = isinstance(error, RecursionError)
        raise InvalidRecord("nested too deeply" if deep else str(error)[:200]) from None


def _observation(type_: type[Observation], raw: msgspec.Raw) -> Observation:
    if type_ is EventBatch:
        read = _batches.decode(raw)
        batch = decode(bytes(read.events), read.at)
        return msgspec.structs.replace(batch, malformed=(*batch.malformed, *read.malformed))
    fields = from_json(msgspec.json.decode(raw))
    seen = msgspec.convert(fields, type_)
    if isinstance(seen, OperationChanged):
        read = fields["outcome"]
        outcome = msgspec.structs.replace(
            seen.outcome,
            operation=_read_operation(read["operation"]),
            inverse=tuple(map(_read_operation, read.get("inverse", ()))),
        )
        seen = msgspec.structs.replace(seen, outcome=outcome)
    return seen


def _encode(fields: dict[str, Any]) -> bytes:
    try:
        return _encoder.encode(fields) + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, which Python's JSON accepts
        text = json.dumps(msgspec.to_builtins(fields), ensure_ascii=False)
        return without_surrogates(text).encode() + b"\n"


def _wire_event(event: Event) -> Event | dict[str, Any]:
    """Return an event in the form in which workers send it."""
    if event.fields is None:
        return event
    own = msgspec.structs.replace(event, fields=None)
    return {**event.fields, **msgspec.to_builtins(own)}


def _operation(operation: Operation) -> dict[str, Any]:
    """Return an operation with its name, without the raw messages: they cannot be masked."""
    fields = msgspec.to_builtins(operation, builtin_types=KEPT_TYPES, enc_hook=repr)
    for original in fields.get("originals", ()):
        original["message"] = None
    return {"name": operation.name, **fields}


def _read_operation(fields: dict[str, Any]) -> Operation:
    type_ = _operations().get(str(fields.get("name")))
    if type_ is None:
        raise InvalidRecord("its operation is unknown")
    return msgspec.convert(fields, type_)


@functools.cache
def _operations() -> dict[str, type[Operation]]:
    """Return the types of operations by name."""
    found: dict[str, type[Operation]] = {}
    types: list[type[Operation]] = [Operation]
    while types:
        type_ = types.pop()
        types += type_.__subclasses__()
        found[operation_name(type_)] = type_
    return found
