"""Decodes a task message as stored on a broker: its headers, and on request its arguments.

Names and times are in the headers (Celery's protocol 2, since 4.0). The body is decoded only where
the arguments are needed, and only from JSON: other serializers may run the sender's code.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import msgspec

from ...model.observations import QueueHead, WaitingMessage
from ...model.operations.call import RETRY_OF, Call, RawMessage, SentTask, Source
from ...model.text.coerce import MAX_NAME_LENGTH, parse_timestamp
from ...model.wire.signatures import PendingSignature, has_signatures, read_signatures

MAX_MESSAGE_BYTES: Final = 32 << 20
"""Larger messages are not decoded."""
MAX_REPR_LENGTH: Final = 4096
"""Characters kept of the sender's repr of the arguments; Celery truncates it at 1,024."""
BASE64_TAIL_LENGTH: Final = 160
"""Characters, a multiple of four, that contain the last hundred bytes of a body."""
CELERY_HEADERS: Final = frozenset(
    {
        "lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries",
        "timelimit", "root_id", "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result",
        "replaced_task_nesting", "redelivered", "compression", "clock", RETRY_OF,
    }
)  # fmt: skip
"""Headers set by Celery and celtop; all others belong to the application."""
STAMP_HEADERS: Final = ("stamps", "stamped_headers")
"""Headers that are present even without a stamp."""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A message as kombu's virtual transports store it."""

    headers: dict[str, Any]
    body: str = ""
    properties: dict[str, Any] = {}
    content_type: str = msgspec.field(name="content-type", default="")
    content_encoding: str = msgspec.field(name="content-encoding", default="")

    @property
    def id(self) -> str | None:
        """The task's id; None if it has no valid one."""
        return _name(self.headers.get("id"))

    @property
    def task(self) -> str | None:
        """The task's name; None in protocol 1, which has it in the body."""
        return _name(self.headers.get("task"))


_message = msgspec.json.Decoder(Envelope)


def decode(raw: bytes) -> Envelope | None:
    """Return the decoded message; None if it is not a task message. Never raises."""
    if len(raw) > MAX_MESSAGE_BYTES:
        return None
    try:
        return _message.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    try:
        # Python's encoder writes NaN and lone surrogates, which are not valid JSON.
        return msgspec.convert(json.loads(raw), Envelope)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def waiting_message(message: Envelope, queue: str, *, before: int | None = None) -> WaitingMessage:
    """Return the headers of a message waiting in a queue, with the number of those before it."""
    headers = message.headers
    return WaitingMessage(
        message.id or "",
        message.task or "",
        queue,
        args=_text(headers.get("argsrepr")),
        kwargs=_text(headers.get("kwargsrepr")),
        root_id=_name(headers.get("root_id")),
        parent_id=_name(headers.get("parent_id")),
        group_id=_name(headers.get("group")),
        eta_at=_time(headers.get("eta")),
        expires_at=_time(headers.get("expires")),
        retries=_whole(headers.get("retries")) or 0,
        priority=_whole(message.properties.get("priority")),
        retry_of=_name(headers.get(RETRY_OF)),
        pending_signatures=_pending_signatures(message),
        replaced=bool(_whole(headers.get("replaced_task_nesting"))),
        redelivered=headers.get("redelivered") is True,
        before=before,
        sent_at=_number(message.properties.get("timestamp")),
        sender=_name(headers.get("origin")) or "",
        content_type=message.content_type[:MAX_NAME_LENGTH],
    )


def head_of(message: Envelope) -> QueueHead:
    """Return a message as the next one of its queue, with the time if its sender set one."""
    sent_at = _number(message.properties.get("timestamp"))
    return QueueHead(message.id, sent_at, message.task, _time(message.headers.get("eta")))


def _pending_signatures(message: Envelope) -> tuple[PendingSignature, ...]:
    """Return the callbacks and the rest of the chain; the end of most bodies rules them out."""
    if message.content_type != "application/json" or "compression" in message.headers:
        return ()
    tail = message.body[-BASE64_TAIL_LENGTH:]
    if message.properties.get("body_encoding") == "base64":
        try:
            end = base64.b64decode(tail)
        except ValueError:
            return ()
    else:
        end = tail.encode(errors="replace")
    body = _body(message) if has_signatures(end) else None
    if body is None:
        return ()
    return read_signatures(message.id or "", body, _name(message.headers.get("group")))


def sent_task(message: Envelope, queue: str | None, source: Source, at: float) -> SentTask | None:
    """Return what a message with an id and a task sends; None if its body cannot be decoded."""
    body = _body(message)
    if body is None:
        return None
    headers = message.headers
    priority = _whole(message.properties.get("priority"))
    limits = headers.get("timelimit")
    hard, soft = limits if isinstance(limits, list) and len(limits) == 2 else (None, None)
    arguments = _arguments(message, body)
    args, kwargs = arguments or ((), {})
    call = Call(
        message.task or "",
        args,
        kwargs,
        queue=queue,
        priority=priority,
        eta_at=_time(headers.get("eta")),
        time_limit=_number(hard),
        soft_time_limit=_number(soft),
        headers={
            key: value
            for key, value in headers.items()
            if key not in CELERY_HEADERS and (value or key not in STAMP_HEADERS)
        },
    )
    raw = RawMessage(body, message.content_type, message.content_encoding, headers, priority)
    return SentTask(message.id or "", call, source, at, message=raw, readable=arguments is not None)


def _body(message: Envelope) -> bytes | None:
    try:
        if message.properties.get("body_encoding") == "base64":
            return base64.b64decode(message.body, validate=True)
        return message.body.encode()
    except ValueError:
        return None


def _arguments(message: Envelope, body: bytes) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Return the arguments if they are JSON; other serializers may run the sender's code."""
    from kombu.utils.json import loads

    if message.content_type != "application/json" or "compression" in message.headers:
        return None
    try:
        args, kwargs, _ = loads(body.decode(message.content_encoding or "utf-8"))
    except Exception:  # the decoder of an extended type may raise anything
        return None
    if not isinstance(args, list | tuple) or not isinstance(kwargs, dict):
        return None
    return tuple(args), kwargs


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_NAME_LENGTH else None


def _text(value: Any) -> str | None:
    return value[:MAX_REPR_LENGTH] if isinstance(value, str) else None


def _time(value: Any) -> float | None:
    return parse_timestamp(value) if isinstance(value, str) else _number(value)


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) < 1e12 else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None
