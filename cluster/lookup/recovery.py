"""Searches all sources for the calls that tasks were sent with.

The messages and the workers are searched first, then what was cached while a worker had the task,
then the result backend. A finished task has neither message nor worker any longer. `best_source`
decides between what was found.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from ...model.entities.result import ResultMeta
from ...model.entities.states import FINISHED, PENDING, RETRY
from ...model.operations.call import Recovered, SentTask, Unrecoverable
from ...model.routing import Routing
from ..connection.broker import BrokerConnection
from ..connection.faults.errors import explain
from ..connection.remote_control import RemoteControl
from ..connection.replies import Reply
from ..messages.reader import MessageReader
from ..messages.sent_cache import SentCache
from ..results.backends.base import ResultReader, ResultsError
from .best_source import KnownTask, best_source
from .revoked import read_revoked

if TYPE_CHECKING:
    from kombu.connection import Connection

MAX_IDS_PER_REQUEST: Final = 500
"""Task ids in one broadcast."""


class Recovery:
    """Recovers the calls of several tasks at once; those that are found are added to `cache`.

    Args:
        wanted: The tasks.
        broker: The broker, whose messages and workers are searched.
        cache: What was found earlier.
        results: The result backend.
        routing: Determines the queues that no source has.
        configured: Whether the configuration of the workers is known, which names the result
            backend if the settings do not.
    """

    def __init__(
        self,
        wanted: Sequence[KnownTask],
        broker: BrokerConnection,
        cache: SentCache,
        results: ResultReader,
        routing: Routing,
        *,
        configured: bool = True,
    ) -> None:
        self._wanted = {one.id: one for one in wanted}
        self._order = [one.id for one in wanted]
        self._broker = broker
        self._cache = cache
        self._results = results
        self._routing = routing
        self._found: dict[str, SentTask] = {}
        self._metas: dict[str, ResultMeta] = {}
        self._broker_reason: str | None = None
        self._backend_reason: str | None = None
        self._configured = configured
        self._passing = False
        """Whether a source could not be searched for a reason that may pass."""

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

    def _answer(self, known: KnownTask) -> Recovered:
        found = best_source(
            known,
            self._routing,
            self._found.get(known.id),
            self._metas.get(known.id),
            backend_reason=self._backend_reason,
            broker_reason=self._broker_reason,
        )
        if self._passing and isinstance(found, Unrecoverable):
            found = msgspec.structs.replace(found, passing=True)
        return found

    def with_revoked(
        self, found: tuple[Recovered, ...], workers: Sequence[str]
    ) -> tuple[Recovered, ...]:
        """Add which workers have the ids in their lists of revoked tasks, where they reply."""
        if not workers or not any(isinstance(one, SentTask) for one in found):
            return found
        holders: dict[str, list[str]] = {}
        # Without it only a warning is missing.
        with contextlib.suppress(Exception):
            for seen in sorted(read_revoked(self._broker, workers), key=lambda one: one.worker):
                revoked = seen.reply if isinstance(seen.reply, list | tuple) else ()
                for id_ in {one for one in revoked if isinstance(one, str)} & self._wanted.keys():
                    holders.setdefault(id_, []).append(seen.worker)
        return tuple(
            msgspec.structs.replace(one, revoked_by=tuple(holders[one.id]))
            if isinstance(one, SentTask) and one.id in holders
            else one
            for one in found
        )

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
            self._passing = True

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
        control = RemoteControl(connection, self._broker)

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
            self._passing |= not self._configured
            return
        try:
            self._metas = self._results.read(ids)
        except ResultsError as error:
            self._backend_reason = str(error)
            self._passing = True
