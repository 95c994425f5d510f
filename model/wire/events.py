"""Decodes event messages to typed events, tolerating malformed ones.

A message contains one event or a list of them as JSON. Well-formed events of Celery's own types
take the fast path: msgspec decodes the message straight into `Event`. All others are decoded field
by field: wrong types are converted or dropped, custom `task-foo` events keep their own fields in
`Event.fields`, and malformed events are counted with a reason.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec

from ..text.coerce import (
    MAX_FIELD_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_TIMESTAMP,
    to_float,
    to_int,
    to_text,
    truncate,
)

MAX_FIELDS: Final = 64
"""Fields of a custom event that are kept."""

WORKER_EVENTS: Final = frozenset({"worker-online", "worker-heartbeat", "worker-offline"})
TASK_EVENTS: Final = frozenset(
    {
        "task-sent",
        "task-received",
        "task-started",
        "task-succeeded",
        "task-failed",
        "task-retried",
        "task-revoked",
        "task-rejected",
    }
)
if TYPE_CHECKING:
    _Type: TypeAlias = str
else:
    # Events of other types are then not decoded but read field by field, and those of Celery's own
    # types share one text for each, whose hash is known.
    _Type = Literal[(*WORKER_EVENTS, *TASK_EVENTS)]

FieldValue: TypeAlias = str | int | float | bool | None
_Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Time: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=MAX_TIMESTAMP)]


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One event as sent; None means that the field is not in the event."""

    type: _Type
    """`task-` or `worker-` and the subject; an application may send others than Celery's own."""
    hostname: Annotated[str, msgspec.Meta(min_length=1)]
    timestamp: _Time
    """Epoch seconds by the sender's clock. Celery's own receiver shifts it by `utcoffset`, which is
    wrong if worker and monitor are in different time zones."""
    pid: _Whole | None = None
    uuid: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_LENGTH)] | None = None
    name: str | None = None
    args: str | None = None
    kwargs: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    retries: _Whole | None = None
    eta: str | None = None
    expires: str | None = None
    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    runtime: float | None = None
    signum: _Whole | str | None = None
    terminated: bool | None = None
    expired: bool | None = None
    requeue: bool | None = None
    freq: float | None = None
    active: _Whole | None = None
    processed: _Whole | None = None
    loadavg: tuple[float, ...] | None = None
    sw_ident: str | None = None
    sw_ver: str | None = None
    sw_sys: str | None = None
    fields: dict[str, FieldValue] | None = None
    """A custom event's own fields; nested values as JSON text."""


class EventBatch(msgspec.Struct, frozen=True, gc=False):
    """The decoded events of one message."""

    events: tuple[Event, ...]
    at: float
    """When it was received, by the local clock."""
    malformed: tuple[str, ...] = ()
    """The reason for each event that could not be decoded."""


class MalformedEvent(ValueError):
    """The message is not an event; the text states why."""


_COMMON: Final = ("type", "hostname", "timestamp", "uuid", "utcoffset", "pid", "clock")
_ENVELOPE: Final = frozenset((*_COMMON, "local_received"))

_decoder = msgspec.json.Decoder(Event | tuple[Event, ...])


def decode(body: bytes | str, at: float) -> EventBatch:
    """Decode a message received at `at` (epoch seconds, local clock). Never raises."""
    try:
        decoded = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _decode_slowly(body, at)
    events = decoded if isinstance(decoded, tuple) else (decoded,)
    for event in events:
        if event.uuid is None and event.type not in WORKER_EVENTS:
            return _decode_slowly(body, at)
    if len(body) > MAX_NAME_LENGTH * len(events):
        events = tuple([_cut_texts(event) for event in events])
    return EventBatch(events, at)


def _decode_slowly(body: bytes | str, at: float) -> EventBatch:
    try:
        decoded = _parse(body)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "not JSON"
        return EventBatch((), at, (reason,))
    events: list[Event] = []
    malformed: list[str] = []
    for fields in decoded if isinstance(decoded, list) else (decoded,):
        try:
            events.append(_event_from(fields, at))
        except MalformedEvent as problem:
            malformed.append(str(problem))
    return EventBatch(tuple(events), at, tuple(malformed))


def _parse(body: bytes | str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        # The standard library also accepts NaN and Infinity, which Celery's encoder writes.
        text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | float:
    # Python refuses numbers with thousands of digits, and with them the whole message.
    return int(digits) if len(digits) <= 20 else float(digits)


def _event_from(fields: Any, at: float) -> Event:
    if not isinstance(fields, dict):
        raise MalformedEvent("not an object")
    type_ = fields.get("type")
    if not isinstance(type_, str) or not type_:
        raise MalformedEvent("no type")
    if not isinstance(fields.get("hostname"), str) or not fields["hostname"]:
        raise MalformedEvent("no hostname")
    uuid = fields.get("uuid")
    is_task = type_.startswith("task-")
    if type_ == "task-":
        raise MalformedEvent("task event without a subject")
    if is_task:
        if not isinstance(uuid, str) or not uuid:
            raise MalformedEvent("task event without uuid")
        if len(uuid) > MAX_NAME_LENGTH:
            raise MalformedEvent("task event with an overlong uuid")
    known = type_ in TASK_EVENTS or type_ in WORKER_EVENTS
    values = {name: read(fields.get(name)) for name, read in _READERS.items()} if known else {}
    if is_task and not known:
        values["fields"] = _custom_fields(fields)
    timestamp = to_float(fields.get("timestamp"))
    if timestamp is None or not 0 <= timestamp <= MAX_TIMESTAMP:
        timestamp = at
    return Event(
        type=_name(type_) or "",
        hostname=_name(fields["hostname"]) or "",
        timestamp=timestamp,
        uuid=_name(uuid),
        pid=to_int(fields.get("pid")),
        **values,
    )


def _custom_fields(fields: Mapping[str, object]) -> dict[str, FieldValue]:
    own = ((name, value) for name, value in fields.items() if name not in _ENVELOPE)
    return {
        to_text(name, MAX_NAME_LENGTH) or "": _field_value(value)
        for name, value in itertools.islice(own, MAX_FIELDS)
    }


def _field_value(value: object) -> FieldValue:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 2**63:
        return value
    return to_text(value, MAX_FIELD_LENGTH)


def _name(value: object) -> str | None:
    return to_text(value, MAX_NAME_LENGTH)


def _flag(value: object) -> bool | None:
    return None if value is None else bool(value)


def _load(value: object) -> tuple[float, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(to_float(item) or 0.0 for item in value[:3])


_READERS: Final[dict[str, Callable[[object], Any]]] = {
    **dict.fromkeys(("name", "root_id", "parent_id", "eta", "expires", "queue"), _name),
    **dict.fromkeys(("exchange", "routing_key", "sw_ident", "sw_ver", "sw_sys", "signum"), _name),
    **dict.fromkeys(("args", "kwargs", "result", "exception", "traceback"), to_text),
    **dict.fromkeys(("retries", "active", "processed"), to_int),
    **dict.fromkeys(("runtime", "freq"), to_float),
    **dict.fromkeys(("terminated", "expired", "requeue"), _flag),
    "loadavg": _load,
}


def _cut_texts(event: Event) -> Event:
    changed: dict[str, str] = {}
    for name in _TEXTS:
        value = getattr(event, name)
        if type(value) is str and len(value) > MAX_TEXT_LENGTH:
            changed[name] = truncate(value)
    for name in _NAMES:
        value = getattr(event, name)
        if type(value) is str and len(value) > MAX_NAME_LENGTH:
            changed[name] = _name(value) or ""
    return msgspec.structs.replace(event, **changed) if changed else event


_TEXTS: Final = ("args", "kwargs", "result", "exception", "traceback")
_NAMES: Final = ("hostname", *(name for name, read in _READERS.items() if read is _name))
