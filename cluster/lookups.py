"""Lookups on request: of tasks, messages and results.

Every look-up has a thread of its own and returns a future; what it finds also updates the model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..model.ingest.redaction import Redaction
from ..model.lookup import TaskLookup
from ..model.observations import HistorySearched, QueuePeeked, ResultsRead
from ..model.operations.call import Recovered
from ..model.operations.commands import PurgeResults
from ..model.routing import Routing, routing
from ..model.state import ClusterState
from ..settings import Settings
from .connection.broker import BrokerConnection
from .events.roster import Roster
from .inbox import Inbox
from .messages.sent_cache import SentCache
from .results.lookups import ResultLookup, run_in_thread

if TYPE_CHECKING:
    from ..model.entities.result import ResultMeta
    from ..model.query.language import Query


class Lookups:
    """Looks things up for one session; all methods return at once.

    Args:
        settings: The settings.
        state: The model, which is only read, by the thread that calls.
        broker: The broker to connect to.
        roster: The workers and queues that are known.
        sent_cache: What tasks were sent with, if their messages were seen.
        results: Reads the result backend.
        inbox: Where everything that is found is put.
        redaction: Masks messages.
        worker_conf: Returns a worker's configuration, if one has reported it.
    """

    def __init__(
        self,
        settings: Settings,
        state: ClusterState,
        broker: BrokerConnection,
        roster: Roster,
        sent_cache: SentCache,
        results: ResultLookup,
        inbox: Inbox,
        redaction: Redaction,
        worker_conf: Callable[[], Mapping[str, Any] | None],
    ) -> None:
        self._settings = settings
        self._state = state
        self._broker = broker
        self._roster = roster
        self._sent_cache = sent_cache
        self._results = results
        self._inbox = inbox
        self._redaction = redaction
        self._worker_conf = worker_conf

    def sent_task(self, id_: str) -> Recovered | None:
        """Return what a task was sent with if its message or worker was seen; nothing is asked.

        None means that `recover_calls` has to search for it.
        """
        from .lookup.best_source import best_source, known_task

        original = self._sent_cache.get(id_)
        if original is None:
            return None
        return best_source(known_task(id_, self._state), self._routing(), original)

    def recover_calls(
        self, ids: Sequence[str], *, for_retry: bool = False
    ) -> Future[tuple[Recovered, ...]]:
        """Find out what tasks were sent with, from any source; in the order of `ids`.

        Args:
            ids: The tasks.
            for_retry: Whether to ask the workers also which of them are revoked.
        """
        from .lookup.best_source import known_task
        from .lookup.recovery import Recovery

        # The model belongs to the caller's thread: everything needed from it is read here.
        wanted = [known_task(id_, self._state) for id_ in ids]
        queues = sorted({*self._state.queues, *self._roster.queues, *self._settings.queues})
        workers, conf = self._roster.present(), self._worker_conf()
        routes = self._routing()

        def find() -> tuple[Recovered, ...]:
            cache, reader = self._sent_cache, self._results.reader(conf)
            recovery = Recovery(
                wanted, self._broker, cache, reader, routes, configured=conf is not None
            )
            found = recovery.run(workers, queues)
            return recovery.with_revoked(found, workers) if for_retry else found

        return run_in_thread(find)

    def peek(
        self,
        queue: str | None,
        limit: int,
        task: str | None = None,
        skip: int = 0,
        progress: Callable[[int], object] | None = None,
    ) -> Future[QueuePeeked]:
        """Read messages waiting in a queue without changing it; the model is updated.

        Args:
            queue: The queue's name; None reads the unacknowledged messages that workers have.
            limit: Maximum number of messages, beginning with the next one to be consumed.
            task: Only messages of this task name.
            skip: Messages to leave out at the beginning.
            progress: Called in another thread with the number of messages read so far.
        """
        from .messages.reader import MessageReader

        def peek() -> QueuePeeked:
            with self._broker.connection() as connection:
                reader = MessageReader(connection, self._broker)
                if queue is None:
                    seen = reader.held(limit)
                else:
                    seen = reader.waiting(queue, limit, task, skip, progress)
            seen = self._redaction.peeked(seen)
            self._inbox.put(seen)
            return seen

        return run_in_thread(peek)

    def read_revoked(self) -> Future[None]:
        """Ask the workers which tasks they will discard as revoked; the model is updated."""
        from .lookup.revoked import read_revoked

        workers = self._roster.present()

        def read() -> None:
            for seen in read_revoked(self._broker, workers) if workers else ():
                self._inbox.put(seen)

        return run_in_thread(read)

    def result(self, id_: str) -> Future[ResultMeta | None]:
        """Read a task from the result backend; None if the backend has no entry. Updates the model.

        Raises:
            ResultsError: From the future, if the result backend cannot be read.
        """
        found = self._results.result(id_, self._worker_conf())
        found.add_done_callback(self._on_result)
        return found

    def search_history(
        self,
        query: Query,
        text: str | None = None,
        limit: int | None = None,
        timeout: float = 10.0,
    ) -> Future[HistorySearched]:
        """Load the finished tasks that match a filter from the result backend.

        Args:
            query: The filter.
            text: The key in `ClusterState.history`; None for the query's text.
            limit: Tasks to load at most; None for the setting `history`.
            timeout: Seconds after which the search ends with what it has found.

        Raises:
            ResultsError: From the future, if the result backend cannot be read.
        """
        name = query.text if text is None else text
        most = self._settings.load_results if limit is None else limit
        return self._results.search(query, name, most, timeout, self._worker_conf(), self._inbox)

    def plan_results_purge(self, filter_text: str, *, utc: bool = False) -> Future[PurgeResults]:
        """Count the results that match a filter, and return the operation that deletes them.

        Args:
            filter_text: The filter, which must be valid.
            utc: Whether times in it are in UTC instead of local time.

        Raises:
            ResultsError: From the future, if the result backend cannot be read.
        """
        return self._results.plan_purge(filter_text, self._worker_conf(), utc=utc)

    def find_task(self, id_: str) -> Future[TaskLookup]:
        """Look for a task in queues, workers and result backend; the model is updated."""
        from .lookup.find_task import TaskSearch

        task = self._state.tasks.get(id_)
        first = [task.queue] if task is not None and task.queue else []
        known = sorted({*self._state.queues, *self._roster.queues, *self._settings.queues})
        queues = list(dict.fromkeys((*first, *known)))
        workers, conf = self._roster.serializers(), self._worker_conf()

        def find() -> TaskLookup:
            reader = self._results.reader(conf)
            seen = TaskSearch(id_, self._broker, reader).run(workers, queues)
            for one in seen.found:
                self._inbox.put(one.observation)
            return seen

        return run_in_thread(find)

    def _on_result(self, found: Future[ResultMeta | None]) -> None:
        if not found.cancelled() and found.exception() is None and (meta := found.result()):
            self._inbox.put(ResultsRead((meta,), time.time(), "lookup"))

    def _routing(self) -> Routing:
        return routing(self._state, self._settings.routes, self._settings.default_queue)
