"""Recovers the call that a task was sent with, from the sources that still have it exactly.

The sources are tried in the order of their reliability: the message (waiting in its queue, or held
by a worker), the worker, what was cached while the worker had the task, the result backend, the
text of the event. A finished task has neither message nor worker any longer. Nothing is guessed: if
no source has the call, the result states the reason and what is known.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...model.entities.result import ResultMeta
from ...model.entities.states import FINISHED, PENDING, RETRY
from ...model.operations.call import Call, Recovered, SentTask, Unrecoverable
from ...model.state import ClusterState
from ...model.text.literals import parse_arguments
from ...model.text.masking import MASK
from ..connection.broker import BrokerConnection
from ..connection.errors import explain
from ..connection.remote_control import RemoteControl, Reply
from ..messages.reader import MessageReader
from ..messages.sent_cache import NOT_IN_REPLIES, SentCache
from ..results.backends.base import ResultReader, ResultsError

if TYPE_CHECKING:
    from kombu.connection import Connection

MAX_IDS_PER_REQUEST: Final = 500
"""Task ids in one broadcast."""
MAX_REPR_LENGTH: Final = 1_100
"""Characters of the longest repr of arguments that Celery makes."""
DEFAULT_SERIALIZER: Final = "json"
"""Celery's default for tasks, and what celtop sends them in."""
_TUPLES_TO_LISTS: Final = str.maketrans("()", "[]")


class KnownTask(msgspec.Struct, frozen=True, gc=False):
    """What the model knows about a task, as values that no thread changes."""

    id: str
    state: str | None = None
    """None if the task is unknown."""
    name: str | None = None
    args: str | None = None
    """The repr of the arguments from its event, possibly redacted."""
    kwargs: str | None = None
    queue: str | None = None
    priority: int | None = None
    serializer: str = DEFAULT_SERIALIZER
    """The app's task serializer, from the worker's configuration."""


def known_task(id_: str, state: ClusterState) -> KnownTask:
    """Return what the model knows about a task; call it in the model's thread."""
    task = state.tasks.get(id_)
    if task is None:
        return KnownTask(id_)
    workers = (state.workers.get(task.worker or ""), *state.workers.values())
    conf = next((one.conf for one in workers if one is not None and one.conf), {})
    return KnownTask(
        task.id,
        task.state,
        task.name,
        task.args,
        task.kwargs,
        task.queue,
        task.extra.priority if task.extra is not None else None,
        str(conf.get("task_serializer") or DEFAULT_SERIALIZER),
    )


class Recovery:
    """Recovers the calls of several tasks at once; those that are found are added to `cache`."""

    def __init__(
        self,
        wanted: Sequence[KnownTask],
        broker: BrokerConnection,
        cache: SentCache,
        results: ResultReader,
    ) -> None:
        self._wanted = {one.id: one for one in wanted}
        self._order = [one.id for one in wanted]
        self._broker = broker
        self._cache = cache
        self._results = results
        self._found: dict[str, SentTask] = {}
        self._metas: dict[str, ResultMeta] = {}
        self._broker_reason: str | None = None
        self._backend_reason: str | None = None

    def run(self, workers: Sequence[str], queues: Iterable[str]) -> tuple[Recovered, ...]:
        """Return what each task was sent with, or why that is unknown, in the order of `wanted`.

        All `queues` are searched only for the message of a task whose own queue is unknown.
        """
        unfinished = [one for one in self._wanted.values() if one.state not in FINISHED]
        if unfinished:
            self._search_broker(unfinished, workers, queues)
        for id_ in self._missing():
            if (original := self._cache.get(id_)) is not None:
                self._found[id_] = original
        if missing := self._missing():
            self._read_backend(missing)
        return tuple(self._answer(self._wanted[id_]) for id_ in self._order)

    def _missing(self) -> list[str]:
        return [id_ for id_ in self._wanted if id_ not in self._found]

    def _search_broker(
        self, unfinished: Sequence[KnownTask], workers: Sequence[str], queues: Iterable[str]
    ) -> None:
        """Read messages, then ask workers; if the broker fails, the other sources remain."""
        try:
            with self._broker.connection() as connection:
                self._read_messages(connection, unfinished, queues)
                self._ask_workers(connection, unfinished, workers)
        except Exception as error:
            self._broker_reason = str(explain(error, self._broker))

    def _read_messages(
        self, connection: Connection, unfinished: Sequence[KnownTask], queues: Iterable[str]
    ) -> None:
        messages = MessageReader(connection, self._broker)
        self._broker_reason = messages.unavailable
        # The message of a task that a worker has is no longer in a queue.
        queued = [one for one in unfinished if one.state in (None, PENDING, RETRY)]
        places = dict.fromkeys(one.queue for one in queued if one.queue)
        if any(one.queue is None for one in queued):
            places |= dict.fromkeys(queues)
        try:
            found = messages.find([one.id for one in unfinished], places)
        except tuple(connection.channel_errors) as error:
            # For example a key that is not a queue: the workers may still have the task.
            self._broker_reason = self._broker.hide(str(error))
            return
        for id_, original in found.items():
            self._found[id_] = original
            self._cache.add(original)

    def _ask_workers(
        self, connection: Connection, unfinished: Sequence[KnownTask], workers: Sequence[str]
    ) -> None:
        """Ask all workers about the tasks without a message, in blocks.

        A worker that does not reply is waited for only once.
        """
        ids = (one.id for one in unfinished if one.id not in self._found)
        remaining = iter([id_ for id_ in ids if not self._cache.has(id_, "worker")])
        block = list(islice(remaining, MAX_IDS_PER_REQUEST))
        if not block:
            return
        control = RemoteControl(connection, self._broker.settings)

        def on_reply(reply: Reply) -> None:
            self._cache.add_reply("query_task", reply.value, time.time())

        expected: Collection[str] = workers
        while block:
            replies = control.gather(
                ["query_task"],
                expected or None,
                arguments={"query_task": {"ids": block}},
                on_reply=on_reply,
            )
            expected = replies.to("query_task").keys()
            if not expected:
                break
            block = list(islice(remaining, MAX_IDS_PER_REQUEST))
        control.close()

    def _read_backend(self, ids: Sequence[str]) -> None:
        self._backend_reason = self._results.unavailable
        if self._backend_reason is not None:
            return
        try:
            self._metas = self._results.read(ids)
        except ResultsError as error:
            self._backend_reason = str(error)

    def _answer(self, one: KnownTask) -> Recovered:
        found = self._best_source(one)
        if (
            one.serializer == DEFAULT_SERIALIZER
            or not isinstance(found, SentTask)
            or found.message is not None
        ):
            return found
        # JSON turns tuples into lists, and an app that accepts pickle may accept nothing else.
        reason = f"the app sends {one.serializer}, and JSON cannot carry all of its types"
        return Unrecoverable(one.id, reason, found.call, one.args, one.kwargs)

    def _best_source(self, one: KnownTask) -> Recovered:
        original = self._found.get(one.id)
        if original is not None:
            return _complete(original, one)
        meta = self._metas.get(one.id)
        from_event = _from_event(one, time.time())
        from_backend = self._from_backend(one, meta)
        if isinstance(from_backend, SentTask):
            if isinstance(from_event, SentTask) and not _equal(from_event, from_backend):
                # A task that modifies its arguments modifies those in the backend as well.
                return from_event
            return from_backend
        if isinstance(from_event, SentTask):
            return from_event
        reasons = [from_event, from_backend]
        if one.state not in FINISHED and self._broker_reason:
            reasons.append(self._broker_reason)
        name = one.name or (meta.name if meta is not None else None) or ""
        queue = one.queue or (meta.queue if meta is not None else None)
        call = Call(name, queue=queue, priority=one.priority)
        return Unrecoverable(one.id, "; ".join(reasons), call, one.args, one.kwargs)

    def _from_backend(self, one: KnownTask, meta: ResultMeta | None) -> SentTask | str:
        if meta is None:
            return self._backend_reason or "the result backend has no result for it"
        if not meta.exact_arguments or not isinstance(meta.kwargs, dict):
            return (
                "the result backend stores only the repr of the arguments"
                if isinstance(meta.args, str)
                else "the result backend stores no arguments because result_extended is off"
            )
        name = meta.name or one.name
        if not name:
            return "the result backend does not store the task's name"
        call = Call(
            name,
            tuple(meta.args),
            meta.kwargs,
            # The backend's `queue` is the routing key.
            queue=one.queue or meta.queue,
            priority=one.priority,
            headers={"stamps": meta.stamps, "stamped_headers": [*meta.stamps]}
            if meta.stamps
            else {},
        )
        missing = _missing_beside(one)
        if not _matches_event(call, one) and MASK not in f"{one.args}{one.kwargs}":
            missing += ("whether the task modified its arguments, which differ from its event",)
        return _complete(SentTask(one.id, call, "backend", time.time(), missing=missing), one)


def _from_event(one: KnownTask, at: float) -> SentTask | str:
    """Return the call from the text of a task's event, if the text is certainly complete."""
    if not one.name:
        return "no event with its name and arguments was received"
    found = parse_arguments(one.args, one.kwargs)
    if isinstance(found, str):
        return found
    call = Call(one.name, *found, queue=one.queue, priority=one.priority)
    return SentTask(one.id, call, "event", at, missing=_missing_beside(one))


def _missing_beside(one: KnownTask) -> tuple[str, ...]:
    return NOT_IN_REPLIES if one.priority is not None else (*NOT_IN_REPLIES, "priority")


def _complete(original: SentTask, one: KnownTask) -> SentTask:
    """Add what only the model knows: the queue, and the sender's own repr of the arguments."""
    call = original.call
    if call.queue is None and one.queue is not None:
        call = msgspec.structs.replace(call, queue=one.queue)
    texts = {"argsrepr": one.args, "kwargsrepr": one.kwargs}
    if original.message is None and not _matches_event(call, one):
        # A repr set by the sender may hide something on purpose: it must be sent again.
        shown = {key: text for key, text in texts.items() if text and len(text) < MAX_REPR_LENGTH}
        call = msgspec.structs.replace(call, headers={**call.headers, **shown})
    return msgspec.structs.replace(original, call=call)


def _matches_event(call: Call, one: KnownTask) -> bool:
    """Return whether the arguments match the text of an event; True without one."""
    return _matches_text(call.args, one.args) and _matches_text(call.kwargs, one.kwargs)


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
