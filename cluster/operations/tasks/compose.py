"""Composes the message of a new task, or of an earlier one to be sent again.

New messages are made by Celery's own `as_task_v2` (protocol 2), in an app that neither connects
nor reads the environment or a configuration file. An earlier message keeps its body byte for byte,
and its headers except those that belong to its time or to other tasks.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ....model.operations.call import (
    MAX_PRIORITY,
    MAX_QUEUE_NAME_BYTES,
    RETRY_OF,
    Call,
    RawMessage,
    SentTask,
)
from ....model.operations.outcome import PublishedTask
from ..running import Refused
from .links import relinked

if TYPE_CHECKING:
    from celery import Celery

REPRS: Final = ("argsrepr", "kwargsrepr")
"""The texts that events and logs show for the arguments; an app may have hidden secrets in them."""
STAMPS: Final = ("stamped_headers", "stamps")
RESET_HEADERS: Final[dict[str, Any]] = {
    "parent_id": None,
    "retries": 0,
    "eta": None,
    "expires": None,
    "group": None,
    "group_index": None,
}
"""Headers that belong to a message's time or to other tasks, and their new values. An expired
message would be discarded at once; a member of a chord would be counted twice."""


class OutgoingMessage(NamedTuple):
    """A message that is ready to be sent."""

    sent: PublishedTask
    """The task that is reported once it has been sent."""
    message: RawMessage


def new(call: Call, now: float) -> OutgoingMessage:
    """Return the message of a new task; its countdown and expiry are counted from `now`.

    Raises:
        Refused: Its queue is unknown, or JSON cannot represent its arguments.
    """
    headers = {key: value for key, value in call.headers.items() if key not in REPRS}
    return _composed(msgspec.structs.replace(call, headers=headers), now)


def again(original: SentTask, now: float, *, with_links: bool) -> OutgoingMessage:
    """Return the message of a task under a new id, without delay or expiry.

    Raises:
        Refused: It cannot be sent again exactly; the text gives the reason.
    """
    call = original.call
    if original.message is None:
        if not original.readable:
            raise Refused("its arguments are unknown")
        free = msgspec.structs.replace(
            call, countdown=None, eta_at=None, expires_in=None, retry_of=original.id
        )
        return _composed(free, now)
    queue = _checked(call)
    id_ = str(uuid.uuid4())
    message = relinked(original.message, original.id, id_, keep=with_links)
    headers = {**message.headers, **RESET_HEADERS, "id": id_, "root_id": id_, RETRY_OF: original.id}
    message = msgspec.structs.replace(message, headers=headers)
    args, kwargs = (headers.get(key) for key in REPRS)
    sent = PublishedTask(
        id_,
        call.name,
        queue,
        now,
        retry_of=original.id,
        args=args if isinstance(args, str) else None,
        kwargs=kwargs if isinstance(kwargs, str) else None,
    )
    return OutgoingMessage(sent, message)


def _composed(call: Call, now: float) -> OutgoingMessage:
    """Let Celery make the message of a call; `REPRS` in its headers override Celery's."""
    from kombu.serialization import dumps

    queue = _checked(call)
    id_ = str(uuid.uuid4())
    eta_at = now + call.countdown if call.countdown else call.eta_at
    expires_at = None if call.expires_in is None else now + call.expires_in
    try:
        made = _app().amqp.as_task_v2(
            id_,
            call.name,
            args=call.args,
            kwargs=call.kwargs,
            eta=_moment(eta_at),
            expires=_moment(expires_at),
            time_limit=call.time_limit,
            soft_time_limit=call.soft_time_limit,
        )
        content_type, content_encoding, body = dumps(made.body, serializer="json")
    except Exception as error:  # a value's own code runs during encoding, and may raise anything
        why = " ".join(str(error).split()) or type(error).__name__
        raise Refused(f"cannot encode its arguments as JSON: {why}") from error
    headers = {**call.headers, **made.headers}
    headers |= {key: call.headers[key] for key in (*STAMPS, *REPRS) if key in call.headers}
    if call.retry_of is not None:
        headers[RETRY_OF] = call.retry_of
    raw = body.encode() if isinstance(body, str) else body
    sent = PublishedTask(
        id_,
        call.name,
        queue,
        now,
        retry_of=call.retry_of,
        args=headers["argsrepr"],
        kwargs=headers["kwargsrepr"],
        eta_at=eta_at,
        expires_at=expires_at,
    )
    message = RawMessage(raw, content_type, content_encoding, headers, call.priority)
    return OutgoingMessage(sent, message)


def _checked(call: Call) -> str:
    """Return the queue of a call, if the call can be sent.

    Raises:
        Refused: A value is missing, or no broker accepts it.
    """
    if not call.name:
        raise Refused("a task needs a name")
    if not call.queue:
        raise Refused("its queue is unknown; name one")
    if len(call.queue.encode(errors="replace")) > MAX_QUEUE_NAME_BYTES:
        raise Refused(f"the queue's name is longer than {MAX_QUEUE_NAME_BYTES} bytes")
    if call.priority is not None and not 0 <= call.priority <= MAX_PRIORITY:
        raise Refused(f"the priority must be from 0 to {MAX_PRIORITY}, not {call.priority}")
    if not all(isinstance(name, str) for name in call.headers):
        raise Refused("header names must be strings")
    return call.queue


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


@cache
def _app() -> Celery:
    """Return an app with Celery's default configuration, regardless of the environment."""
    from celery import Celery

    return Celery(
        "celtop",
        loader="celery.loaders.app:AppLoader",
        # Not empty, or the loader would import the module in CELERY_CONFIG_MODULE.
        config_source={"task_protocol": 2},
        fixups=set(),
        set_as_current=False,
    )
