"""Reads what a collector writes, in place of the events that it receives.

A thread waits for news of the history, and puts the tasks that have ended or started since into the
inbox, and what the collector has observed of workers, queues and the schedule. The broker gets no
load from it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from ...history.open import open_store
from ...history.reading.beginnings import beginnings
from ...history.reading.recorded_cluster import recorded_outcomes
from ...history.reading.stored_observations import WORKERS, observations_of
from ...history.rows import Cursor, StoredTask
from ...history.store import HistoryStore, StoreError
from ...history.task_body import task_of
from ...model.entities.fault import Fault
from ...model.observations import (
    ConnectionChanged,
    ConnectionProved,
    HistoryRead,
    InspectReply,
    Observation,
    OutcomesKnown,
    QuestionsAnswered,
    QuestionsFailed,
    QueueMeasured,
    VersionsKnown,
)
from ...model.query.language import EVERY_TASK, Query, parse_query
from ...model.text import units
from ...model.wire.events import EventBatch
from ..connection.backoff import backoff
from ..events.roster import Roster
from ..inbox import Inbox
from ..stoppable_thread import StoppableThread

WAIT: Final = 0.5
"""Seconds to wait for news before checking whether to stop."""
PAGE: Final = 1_000
"""Tasks read at once, and applied at once: keys are looked at in between."""
MAX_NEW: Final = 100_000
"""Tasks that are read after a pause; earlier ones are found in lists that are scrolled."""
OVERLAP: Final = 2.0
"""Seconds before the newest row that are read again: rows are written in about their order."""
LATE: Final = 30.0
"""Seconds before the newest row in which new ones may be, as long as few have to be read again. The
clocks of workers differ, and running tasks are stored as of when they started, but later."""
MAX_REREAD: Final = 3_000
"""Rows before `OVERLAP` that are read again."""
MAX_SILENCE: Final = 10.0
"""Seconds without news after which no collector is running: it writes every two seconds."""
MAX_AGE: Final = 60.0
"""The same when the history is first read, by the collector's clock, which may be another one."""
PRESENT_SECONDS: Final = 60.0
"""Seconds since the last sign of life for which a worker is expected to reply."""
FIRST_RETRY_DELAY: Final = 0.5
MAX_RETRY_DELAY: Final = 5.0
_LATE: Final = parse_query("!state:success")


class StoredEvents(StoppableThread):
    """Follows the history of one cluster.

    Args:
        location: As for `open_store`.
        cluster: The key of the cluster in the store.
        inbox: Where the tasks and observations go.
        roster: The workers and queues that are found.
    """

    def __init__(self, location: str, cluster: str, inbox: Inbox, roster: Roster) -> None:
        super().__init__("stored-events")
        self._location = location
        self._cluster = cluster
        self._inbox = inbox
        self._since = time.time() - LATE
        """The time of the newest row."""
        self._known: dict[str, tuple[float, str]] = {}
        """Times and states of the rows since `_since` and about `LATE` before, by id."""
        self._roster = roster
        self._observed_at = 0.0
        """When the newest observation was written, by the collector's clock."""
        self._observed: dict[str, float] = {}
        """When those were written that were read last, by subject."""
        self._workers: frozenset[str] = frozenset()
        """Those of which the collector has had a sign of life in the last hour."""
        self._disconnected: Fault | None = None
        """Why the collector receives nothing."""
        self._news_at = time.monotonic()
        self._restored = False
        self._followed = False
        self._failing = False

    def run(self) -> None:
        """Read until stopped; after an error the store is opened again."""
        failures = 0
        while not self._stopping.is_set():
            try:
                store = open_store(self._location, read_only=True)
                try:
                    self._restore(store)
                    while not self._stopping.is_set():
                        if store.wait_for_news(self._cluster, WAIT):
                            self._news_at = time.monotonic()
                            age = self._age(store)
                            self._read_observations(store)
                            self._read(store)
                            if self._disconnected is not None:
                                self._fail(self._disconnected)
                            elif age > MAX_AGE:
                                self._fail(_silent(self._cluster, age))
                            else:
                                self._succeeded()
                        elif time.monotonic() - self._news_at > MAX_SILENCE:
                            self._fail(_silent(self._cluster, MAX_SILENCE))
                        failures = 0
                finally:
                    store.close()
            except StoreError as error:
                problem, _, advice = str(error).rstrip(".").partition(". ")
                self._fail(Fault("history", problem, advice))
                self._woken.wait(backoff(failures, FIRST_RETRY_DELAY, MAX_RETRY_DELAY))
                failures += 1

    def _restore(self, store: HistoryStore) -> None:
        """Put into the inbox since when the collector's findings last, the first time."""
        if not self._restored:
            for one in beginnings(store, self._cluster, time.time()):
                self._inbox.put(one)
            self._restored = True

    def _age(self, store: HistoryStore) -> float:
        """Return the seconds since a collector last wrote, if nothing has been read before."""
        written_at = None if self._followed else store.written_at(self._cluster)
        return 0.0 if written_at is None else time.time() - written_at

    def _read(self, store: HistoryStore) -> None:
        """Put the new rows into the inbox, the oldest first."""
        since, now = self._since, time.time()
        new: dict[str, StoredTask] = {}
        again = 0
        for row in self._rows(store, EVERY_TASK, since - LATE, now):
            new.setdefault(row.id, row)
            again += row.at < since - OVERLAP
            if again > MAX_REREAD:
                break
        for row in self._rows(store, _LATE, since - LATE, now):
            new.setdefault(row.id, row)
        rows = [row for row in new.values() if self._known.get(row.id) != (row.at, row.state)]
        rows.sort(key=lambda row: row.at)
        if not rows and self._followed:
            return
        if rows:
            self._since = max(since, min(rows[-1].at, now))
        self._known |= {row.id: (row.at, row.state) for row in rows}
        if len(self._known) > 2 * MAX_NEW:
            oldest = self._since - LATE
            self._known = {id_: seen for id_, seen in self._known.items() if seen[0] >= oldest}
        # Those that ended before this session began are not counted by it.
        live, self._followed = self._followed, True
        for start in range(0, len(rows), PAGE):
            self._put(rows[start : start + PAGE], now, live=live)
        if not live:
            self._put([], now, live=True)
            if outcomes := recorded_outcomes(store, self._cluster, now):
                self._inbox.put(OutcomesKnown(outcomes, now))

    def _read_observations(self, store: HistoryStore) -> None:
        """Put what the collector has observed since the last time into the inbox."""
        read = store.observations(self._cluster, self._observed_at - OVERLAP)
        rows = [row for row in read if self._observed.get(row.subject) != row.at]
        self._observed = {row.subject: row.at for row in read}
        if rows:
            self._observed_at = max(self._observed_at, rows[-1].at)
        rows.sort(key=lambda row: row.subject != WORKERS)
        for row in rows:
            for observation in observations_of(row):
                if row.subject == WORKERS and isinstance(observation, EventBatch):
                    self._workers |= {event.hostname for event in observation.events}
                self._observe(observation)
        if self._disconnected is None:
            # Up to then, the collector would have received events.
            for row in rows:
                if row.subject == WORKERS:
                    self._inbox.put(ConnectionProved(row.at))

    def _observe(self, observation: Observation) -> None:
        """Put an observation of the collector into the inbox, unless it is only its own."""
        if isinstance(observation, VersionsKnown):
            return
        if isinstance(observation, ConnectionChanged):
            self._disconnected = _disconnected(observation)
            return
        if isinstance(observation, InspectReply):
            if observation.worker not in self._workers:
                return
            for name in _consumed(observation):
                self._roster.add_queue(name)
        elif isinstance(observation, QueueMeasured):
            self._roster.add_queue(observation.name)
        elif isinstance(observation, EventBatch) and _is_recent(observation):
            self._roster.apply(observation.events[0])
        self._inbox.put(observation)

    def _put(self, rows: Sequence[StoredTask], now: float, *, live: bool) -> None:
        read = [(task, row.sample) for row in rows if (task := task_of(row)) is not None]
        tasks, samples = tuple(task for task, _ in read), tuple(sample for _, sample in read)
        if live:
            self._inbox.put(HistoryRead(tasks, now, live=True, samples=samples))
        else:
            self._inbox.put(HistoryRead(tasks, now, unfinished=True))

    def _rows(
        self, store: HistoryStore, query: Query, since: float, now: float
    ) -> Iterator[StoredTask]:
        """Yield the rows since a time that match a filter, the newest first."""
        cursor: Cursor | None = None
        read = 0
        while read < MAX_NEW:
            page = store.tasks(self._cluster, query, now, PAGE, cursor)
            for row in page.tasks:
                if row.at < since:
                    return
                yield row
            read += len(page.tasks)
            cursor = page.cursor
            if cursor is None or cursor.at < since:
                return

    def _succeeded(self) -> None:
        if self._failing:
            self._failing = False
            self._inbox.log("info", "history", "The history is being read again.")
            self._inbox.put(QuestionsAnswered(("history",), time.time()))

    def _fail(self, fault: Fault) -> None:
        """Report once that nothing is read."""
        if not self._failing:
            self._failing = True
            self._inbox.log("error", "history", fault.problem)
            self._inbox.put(QuestionsFailed("cluster", ("history",), time.time(), fault))


def _is_recent(batch: EventBatch) -> bool:
    return time.time() - batch.at < PRESENT_SECONDS


def _consumed(reply: InspectReply) -> list[str]:
    """Return the names of the queues in a reply to `active_queues`."""
    if reply.command != "active_queues" or not isinstance(reply.reply, list):
        return []
    queues = [one for one in reply.reply if isinstance(one, dict)]
    return [one["name"] for one in queues if isinstance(one.get("name"), str)]


def _disconnected(changed: ConnectionChanged) -> Fault | None:
    """Return why a collector receives nothing; None if it is connected."""
    if changed.phase in ("live", "connecting"):
        return None
    problem = f"The collector's connection to the broker is {changed.phase}"
    if changed.fault is not None:
        problem += f": {changed.fault.problem}"
    return Fault("history", problem, "" if changed.fault is None else changed.fault.advice)


def _silent(cluster: str, age: float) -> Fault:
    return Fault(
        "history",
        f"No collector has written the history of {cluster} for {units.duration(age)}",
        "Check that celtop collect is running for this cluster, and its log",
    )
