"""What a caller sent, found out from whoever still knows it exactly.

The sources are asked in the order of their truth: the message itself (waiting in its queue, or held
by a worker), the worker, what was kept while it had the task, the result backend, the text of the
event. A task that has ended has neither message nor worker any more. What none of them knows is
never guessed: the answer then says why, and what is known for a person to go by.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
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
from ..connection.remote_control import RemoteControl, Reply, Unreadable
from ..messages.reader import MessageReader
from ..messages.sent_cache import UNTOLD_BY_WORKERS, SentCache
from ..results.backends.base import ResultReader, ResultsError

if TYPE_CHECKING:
    from kombu.connection import Connection

ASKED_AT_ONCE: Final = 500
"""Ids in one broadcast; ten thousand are twenty."""
PATIENCE: Final = 1.5
"""Seconds after the last answer in which another worker may still answer."""
LONGEST_REPR: Final = 1_100
"""Characters of a text that Celery itself made of arguments, at most."""
JSON: Final = "json"
"""What Celery sends tasks in unless it is told otherwise, and what celtop sends them in."""
_LISTS: Final = str.maketrans("()", "[]")


class KnownTask(msgspec.Struct, frozen=True, gc=False):
    """What is known of a task that is to be recovered, as values that no thread changes."""

    id: str
    state: str | None = None
    """None if nothing was ever heard of it."""
    name: str | None = None
    args: str | None = None
    """The arguments as its event tells them, perhaps with something hidden."""
    kwargs: str | None = None
    queue: str | None = None
    priority: int | None = None
    serializer: str = JSON
    """What the app sends its tasks in, as far as its worker tells."""


def known_task(id_: str, state: ClusterState) -> KnownTask:
    """Return what the model knows of a task; called by whoever may touch the model."""
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
        str(conf.get("task_serializer") or JSON),
    )


def recover(
    wanted: Sequence[KnownTask],
    broker: BrokerConnection,
    originals: SentCache,
    results: ResultReader,
    workers: Sequence[str],
    queues: Iterable[str],
    clock: Callable[[], float] = time.time,
) -> tuple[Recovered, ...]:
    """Return what was sent, or why nobody knows, for each task in its place.

    Args:
        wanted: The tasks.
        broker: Where their messages may be.
        originals: What was kept; what is found out is added to it.
        results: The result backend's reader.
        workers: Who is there and expected to answer.
        queues: Where to look for the message of a task whose queue is not known.
        clock: Our clock, in epoch seconds.
    """
    return _Recovery(wanted, broker, originals, results, clock).recover(workers, tuple(queues))


class _Recovery:
    """One go at finding out what was sent, for some tasks at once."""

    def __init__(
        self,
        wanted: Sequence[KnownTask],
        broker: BrokerConnection,
        originals: SentCache,
        results: ResultReader,
        clock: Callable[[], float],
    ) -> None:
        self._wanted = {one.id: one for one in wanted}
        self._order = [one.id for one in wanted]
        self._broker = broker
        self._originals = originals
        self._results = results
        self._clock = clock
        self._found: dict[str, SentTask] = {}
        self._metas: dict[str, ResultMeta] = {}
        self._broker_reason: str | None = None
        self._backend_reason: str | None = None

    def recover(self, workers: Sequence[str], queues: Sequence[str]) -> tuple[Recovered, ...]:
        alive = [one for one in self._wanted.values() if one.state not in FINISHED]
        if alive:
            self._ask_broker(alive, workers, queues)
        for id_ in self._missing():
            if (original := self._originals.get(id_)) is not None:
                self._found[id_] = original
        if missing := self._missing():
            self._ask_backend(missing)
        return tuple(self._answer(self._wanted[id_]) for id_ in self._order)

    def _missing(self) -> list[str]:
        return [id_ for id_ in self._wanted if id_ not in self._found]

    def _ask_broker(
        self, alive: Sequence[KnownTask], workers: Sequence[str], queues: Sequence[str]
    ) -> None:
        """Look at messages, then ask workers; a broker that fails leaves the other sources."""
        try:
            connection = self._broker.connect()
            try:
                self._look_at_messages(connection, alive, queues)
                self._ask_workers(connection, alive, workers)
            finally:
                connection.collect()
        except Exception as error:
            self._broker_reason = str(explain(error, self._broker))

    def _look_at_messages(
        self, connection: Connection, alive: Sequence[KnownTask], queues: Sequence[str]
    ) -> None:
        messages = MessageReader(connection, self._broker, self._clock)
        self._broker_reason = messages.why_not
        # Of what a worker has, the message is no longer in a queue.
        queued = [one for one in alive if one.state in (None, PENDING, RETRY)]
        places = dict.fromkeys(one.queue for one in queued if one.queue)
        if any(one.queue is None for one in queued):
            places |= dict.fromkeys(queues)
        try:
            found = messages.find([one.id for one in alive], places)
        except tuple(connection.channel_errors) as error:
            # Such as a name that is another thing's: the workers may know all the same.
            self._broker_reason = self._broker.hide(str(error))
            return
        for id_, original in found.items():
            self._found[id_] = original
            self._originals.keep(original)

    def _ask_workers(
        self, connection: Connection, alive: Sequence[KnownTask], workers: Sequence[str]
    ) -> None:
        """Ask all workers about what no message told, in blocks; who is silent is awaited once."""
        ids = (one.id for one in alive if one.id not in self._found)
        remaining = iter([id_ for id_ in ids if not self._originals.knows(id_, "worker")])
        block = list(islice(remaining, ASKED_AT_ONCE))
        if not block:
            return
        settings = self._broker.settings
        pidbox = RemoteControl(connection, settings.control_exchange, settings.accept_content)
        expected = frozenset(workers)
        while block:
            answered = self._ask(pidbox, block, expected)
            if not answered:
                break
            expected = answered
            block = list(islice(remaining, ASKED_AT_ONCE))
        pidbox.close()

    def _ask(
        self, pidbox: RemoteControl, ids: Sequence[str], expected: frozenset[str]
    ) -> frozenset[str]:
        """Ask about some tasks; return the workers that answered."""
        answered: set[str] = set()

        def took(reply: Reply | Unreadable) -> None:
            if isinstance(reply, Reply):
                answered.add(reply.worker)
                self._originals.hear("query_task", reply.value, self._clock())

        def done(quiet: float) -> bool:
            return quiet > PATIENCE or (bool(expected) and answered.issuperset(expected))

        pidbox.ask(["query_task"], took, done, arguments={"query_task": {"ids": list(ids)}})
        return frozenset(answered)

    def _ask_backend(self, ids: Sequence[str]) -> None:
        self._backend_reason = self._results.why_not
        if self._backend_reason is not None:
            return
        try:
            self._metas = self._results.read(ids)
        except ResultsError as error:
            self._backend_reason = str(error)

    def _answer(self, one: KnownTask) -> Recovered:
        found = self._told(one)
        if one.serializer == JSON or not isinstance(found, SentTask) or found.message is not None:
            return found
        # What is told in JSON has lists for tuples, and whoever takes pickle may take nothing else.
        reason = f"its app sends in {one.serializer}, of which JSON does not carry all types"
        return Unrecoverable(one.id, reason, found.call, one.args, one.kwargs)

    def _told(self, one: KnownTask) -> Recovered:
        original = self._found.get(one.id)
        if original is not None:
            return _completed(original, one)
        meta = self._metas.get(one.id)
        from_event = _from_event(one, self._clock())
        from_backend = self._from_backend(one, meta)
        if isinstance(from_backend, SentTask):
            if isinstance(from_event, SentTask) and not _equal(from_event, from_backend):
                # A task that changes what it was given changes what the backend keeps as well.
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
            return self._backend_reason or "the result backend has nothing of it"
        if not meta.exact_arguments or not isinstance(meta.kwargs, dict):
            return (
                "the result backend keeps only a text of the arguments"
                if isinstance(meta.args, str)
                else "the result backend keeps no arguments, since result_extended is off"
            )
        name = meta.name or one.name
        if not name:
            return "the result backend does not tell the task's name"
        call = Call(
            name,
            tuple(meta.args),
            meta.kwargs,
            # What the backend calls a queue is the routing key.
            queue=one.queue or meta.queue,
            priority=one.priority,
            headers={"stamps": meta.stamps, "stamped_headers": [*meta.stamps]}
            if meta.stamps
            else {},
        )
        missing = _missing_beside(one)
        if not _alike(call, one) and MASK not in f"{one.args}{one.kwargs}":
            missing += ("whether the task changed its arguments: its event tells others",)
        return _completed(SentTask(one.id, call, "backend", self._clock(), missing=missing), one)


def _from_event(one: KnownTask, at: float) -> SentTask | str:
    """Return what the text of a task's event says, if it certainly says all."""
    if not one.name:
        return "its event was not heard, so its name and arguments are not known"
    found = parse_arguments(one.args, one.kwargs)
    if isinstance(found, str):
        return found
    call = Call(one.name, *found, queue=one.queue, priority=one.priority)
    return SentTask(one.id, call, "event", at, missing=_missing_beside(one))


def _missing_beside(one: KnownTask) -> tuple[str, ...]:
    return UNTOLD_BY_WORKERS if one.priority is not None else (*UNTOLD_BY_WORKERS, "its priority")


def _completed(original: SentTask, one: KnownTask) -> SentTask:
    """Add what the model knows besides: the queue, and how the sender had arguments shown."""
    call = original.call
    if call.queue is None and one.queue is not None:
        call = msgspec.structs.replace(call, queue=one.queue)
    texts = {"argsrepr": one.args, "kwargsrepr": one.kwargs}
    if original.message is None and not _alike(call, one):
        # Who has a text of his own shown for the arguments may be hiding something.
        shown = {key: text for key, text in texts.items() if text and len(text) < LONGEST_REPR}
        call = msgspec.structs.replace(call, headers={**call.headers, **shown})
    return msgspec.structs.replace(original, call=call)


def _alike(call: Call, one: KnownTask) -> bool:
    """Tell whether arguments are those of an event, as far as its text goes; True without one."""
    return _shown_alike(call.args, one.args) and _shown_alike(call.kwargs, one.kwargs)


def _shown_alike(value: Any, text: str | None) -> bool:
    if text is None:
        return True
    from celery.utils.saferepr import saferepr

    ours, theirs = _plain(saferepr(value, 1024)), _plain(text)
    cuts = [one.index("...") for one in (ours, theirs) if "..." in one]
    if not cuts:
        return ours == theirs
    # Where exactly it is cut depends on brackets that JSON does not keep.
    length = max(0, min(cuts) - 20)
    return ours[:length] == theirs[:length]


def _plain(text: str) -> str:
    """Return a text of arguments with tuples as lists, which is what JSON makes of them."""
    return text.translate(_LISTS).replace(",]", "]")


def _equal(one: SentTask, other: SentTask) -> bool:
    """Tell whether two originals' arguments are the same in JSON."""
    from kombu.utils.json import dumps

    try:
        texts = [dumps((each.call.args, each.call.kwargs), sort_keys=True) for each in (one, other)]
    except (TypeError, ValueError, RecursionError):
        return True
    return bool(texts[0] == texts[1])
