"""Decides what a task was sent with: the best source that has its call exactly, or why none has.

This one rule answers for the task page, for `celtop retry`, and for the retry keys. The sources are
taken in the order of their reliability: the message (waiting in its queue, or held by a worker),
the worker, the result backend, the text of the arguments that events and django-celery-results
have. Such a text counts only if it can stand for nothing but the arguments. Nothing is guessed.
"""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec

from ...model.entities.result import ResultMeta
from ...model.entities.states import (
    FINISHED,
    FROM_BACKEND,
    FROM_EVENT,
    FROM_INSPECT,
    FROM_QUEUE,
)
from ...model.entities.task import Task
from ...model.operations.call import (
    SOURCE_NAMES,
    Call,
    Recovered,
    SentTask,
    Source,
    Unrecoverable,
)
from ...model.routing import Routing
from ...model.state import ClusterState
from ...model.text.literals import parse_arguments
from ...model.text.masking import MASK
from ..messages.sent_cache import NOT_IN_REPLIES

MAX_REPR_LENGTH: Final = 1_100
"""Characters of the longest repr of arguments that Celery makes."""
DEFAULT_SERIALIZER: Final = "json"
"""Celery's default for tasks, and what celtop sends them in."""
_ORIGINS: Final[dict[Source, str]] = {**SOURCE_NAMES, "event": "the event"}
_TUPLES_TO_LISTS: Final = str.maketrans("()", "[]")


class KnownTask(msgspec.Struct, frozen=True, gc=False):
    """A task as the model has it, as values that no thread changes."""

    id: str
    state: str | None = None
    """None if the task is unknown."""
    name: str | None = None
    args: str | None = None
    """The text of the arguments, possibly redacted."""
    kwargs: str | None = None
    queue: str | None = None
    priority: int | None = None
    serializer: str = DEFAULT_SERIALIZER
    """The app's task serializer, from the worker's configuration."""
    text_source: Source = "event"
    """Where the text of the arguments comes from."""


def known_task(id_: str, state: ClusterState) -> KnownTask:
    """Return what the model has about a task; call it in the model's thread."""
    task = state.tasks.get(id_)
    of_task = None if task is None else state.workers.get(task.worker or "")
    workers = (of_task, *state.workers.values())
    conf = next((one.conf for one in workers if one is not None and one.conf), {})
    serializer = str(conf.get("task_serializer") or DEFAULT_SERIALIZER)
    if task is None:
        return KnownTask(id_, serializer=serializer)
    return KnownTask(
        task.id,
        task.state,
        task.name,
        task.args,
        task.kwargs,
        task.queue,
        task.extra.priority if task.extra is not None else None,
        serializer,
        _text_source(task),
    )


def _text_source(task: Task) -> Source:
    """Return the source of a task's arguments; its last events do not contain them."""
    named = task.received_at is not None or task.sent_at is not None
    if task.sources & FROM_EVENT and named:
        return "event"
    if task.sources & FROM_INSPECT:
        return "worker"
    if task.sources & FROM_BACKEND:
        return "backend"
    return "queue" if task.sources & FROM_QUEUE else "sent"


def best_source(
    known: KnownTask,
    routing: Routing,
    original: SentTask | None = None,
    meta: ResultMeta | None = None,
    *,
    backend_reason: str | None = None,
    broker_reason: str | None = None,
) -> Recovered:
    """Return what a task was sent with, or why that is unknown.

    Args:
        known: What the model has.
        routing: Determines its queue if neither its message nor its events have one.
        original: Its call from its message or its worker, if found.
        meta: Its entry in the result backend, if found.
        backend_reason: Why the result backend could not be read.
        broker_reason: Why the messages or the workers could not be searched.
    """
    found = _found(known, original, meta, backend_reason, broker_reason)
    if isinstance(found, SentTask):
        found = _routed(found, routing)
    if (
        known.serializer == DEFAULT_SERIALIZER
        or isinstance(found, Unrecoverable)
        or found.message is not None
    ):
        return found
    # JSON turns tuples into lists, and an app that accepts pickle may accept nothing else.
    reason = f"the app sends {known.serializer}, and JSON cannot represent all of its types"
    return Unrecoverable(known.id, reason, found.call, known.args, known.kwargs)


def _routed(found: SentTask, routing: Routing) -> SentTask:
    """Return a task with the queue that tasks of its name belong to, if it has none of its own."""
    if found.call.queue is not None or (queue := routing.queue(found.call.name)) is None:
        return found
    call = msgspec.structs.replace(found.call, queue=queue.name)
    return msgspec.structs.replace(found, call=call, queue_reason=queue.reason)


def _found(
    known: KnownTask,
    original: SentTask | None,
    meta: ResultMeta | None,
    backend_reason: str | None,
    broker_reason: str | None,
) -> Recovered:
    if original is not None:
        return _complete(original, known)
    from_text = _from_text(known)
    from_backend = _from_backend(known, meta) if meta is not None else None
    if isinstance(from_backend, SentTask):
        if isinstance(from_text, SentTask) and not _equal(from_text, from_backend):
            # A task that modifies its arguments modifies those in the backend as well.
            return from_text
        return from_backend
    if isinstance(from_text, SentTask):
        return from_text
    reasons = [
        from_text,
        from_backend or backend_reason or "the result backend has no result for it",
    ]
    if known.state not in FINISHED and broker_reason:
        reasons.append(broker_reason)
    name = known.name or (meta.name if meta is not None else None) or ""
    queue = known.queue or (meta.queue if meta is not None else None)
    call = Call(name, queue=queue, priority=known.priority)
    texts = _texts(known, meta)
    return Unrecoverable(known.id, "; ".join(dict.fromkeys(reasons)), call, *texts)


def _texts(known: KnownTask, meta: ResultMeta | None) -> tuple[str | None, str | None]:
    """Return the texts of the arguments; the backend's if the model has none."""
    if meta is None or known.args is not None or known.kwargs is not None:
        return known.args, known.kwargs
    args, kwargs = (one if isinstance(one, str) else None for one in (meta.args, meta.kwargs))
    return args, kwargs


def _from_text(known: KnownTask) -> SentTask | str:
    """Return the call from the text of a task's arguments, if the text is certainly complete."""
    if not known.name:
        return "no event with its name and arguments was received"
    found = parse_arguments(known.args, known.kwargs, _ORIGINS[known.text_source])
    if isinstance(found, str):
        return found
    call = Call(known.name, *found, queue=known.queue, priority=known.priority)
    missing = _missing_beside(known)
    return SentTask(known.id, call, known.text_source, time.time(), missing=missing)


def _from_backend(known: KnownTask, meta: ResultMeta) -> SentTask | str:
    missing = _missing_beside(known)
    if meta.exact_arguments:
        args, kwargs = tuple(meta.args), meta.kwargs
    elif isinstance(meta.args, str) and isinstance(meta.kwargs, str):
        found = parse_arguments(meta.args, meta.kwargs, _ORIGINS["backend"])
        if isinstance(found, str):
            return found
        args, kwargs = found
    else:
        return "the result backend stores no arguments because result_extended is off"
    name = meta.name or known.name
    if not name:
        return "the result backend does not store the task's name"
    call = Call(
        name,
        args,
        kwargs,
        # The backend's `queue` is the routing key.
        queue=known.queue or meta.queue,
        priority=known.priority,
        headers={"stamps": meta.stamps, "stamped_headers": [*meta.stamps]} if meta.stamps else {},
    )
    if not _matches_text_of(call, known) and MASK not in f"{known.args}{known.kwargs}":
        missing += ("whether the task modified its arguments, which differ from its event",)
    return _complete(SentTask(known.id, call, "backend", time.time(), missing=missing), known)


def _missing_beside(known: KnownTask) -> tuple[str, ...]:
    return NOT_IN_REPLIES if known.priority is not None else (*NOT_IN_REPLIES, "priority")


def _complete(original: SentTask, known: KnownTask) -> SentTask:
    """Add what only the model has: the queue, and the sender's own repr of the arguments."""
    call = original.call
    if call.queue is None and known.queue is not None:
        call = msgspec.structs.replace(call, queue=known.queue)
    texts = {"argsrepr": known.args, "kwargsrepr": known.kwargs}
    if original.message is None and not _matches_text_of(call, known):
        # A repr set by the sender may hide something on purpose: it must be sent again.
        shown = {key: text for key, text in texts.items() if text and len(text) < MAX_REPR_LENGTH}
        call = msgspec.structs.replace(call, headers={**call.headers, **shown})
    return msgspec.structs.replace(original, call=call)


def _matches_text_of(call: Call, known: KnownTask) -> bool:
    """Return whether the arguments match their text in the model; True without one."""
    return _matches_text(call.args, known.args) and _matches_text(call.kwargs, known.kwargs)


def _matches_text(value: Any, text: str | None) -> bool:
    if text is None:
        return True
    from celery.utils.saferepr import saferepr

    ours, theirs = _plain(saferepr(value, 1024)), _plain(text)
    cuts = [one.index("...") for one in (ours, theirs) if "..." in one]
    if not cuts:
        return ours == theirs
    # Where exactly it is cut depends on brackets that DEFAULT_SERIALIZER does not keep.
    length = max(0, min(cuts) - 20)
    return ours[:length] == theirs[:length]


def _plain(text: str) -> str:
    """Return a repr of arguments with tuples as lists, which is what JSON makes of them."""
    return text.translate(_TUPLES_TO_LISTS).replace(",]", "]")


def _equal(one: SentTask, other: SentTask) -> bool:
    """Return whether two calls have the same arguments in JSON."""
    from kombu.utils.json import dumps

    try:
        texts = [dumps((each.call.args, each.call.kwargs), sort_keys=True) for each in (one, other)]
    except (TypeError, ValueError, RecursionError):
        return True
    return bool(texts[0] == texts[1])
