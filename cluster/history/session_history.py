"""The history of a session's cluster: its reader and its writer.

Both are imported when they are first used, since many sessions have none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from ...model.entities.cluster.cluster_status import ClusterStatus
from ...model.entities.cluster.log import Level
from ...model.entities.fault import Fault
from ...model.ingest.redaction import Redaction
from ...model.observations import QuestionsAnswered, QuestionsFailed
from ...settings import Settings
from ..events.roster import Roster
from ..inbox import Inbox

if TYPE_CHECKING:
    from ...history.reading.reader import HistoryReader
    from ...history.writing.sink import HistorySink
    from .prometheus_history import ChartHistory
    from .stored_events import StoredEvents
    from .stored_history import StoredHistory


class SessionHistory:
    """The reader and the writer of the history of a session; at first neither exists.

    Args:
        settings: Where the history is, and how long it is kept.
        cluster: The cluster's name in the history.
        user: The user whose operations are written.
        inbox: Takes what is read, and the faults.
        roster: The workers that a collector has seen lately.
        redaction: Masks what is written.
    """

    def __init__(
        self,
        settings: Settings,
        cluster: str,
        user: str,
        inbox: Inbox,
        roster: Roster,
        redaction: Redaction,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._user = user
        self._inbox = inbox
        self._roster = roster
        self._redaction = redaction
        self.stored: StoredHistory | None = None
        """Reads what the history has of this cluster; None unless `read` was called."""
        self.sink: HistorySink | None = None
        """Writes the history; None unless `keep` was called."""
        self._reader: HistoryReader | None = None
        self.collected: StoredEvents | None = None
        """Takes the place of task events if the tasks come from a collector's history."""

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads that read and write."""
        writer = None if self.sink is None else self.sink.thread
        return tuple(one for one in (writer, self._reader, self.collected) if one is not None)

    @property
    def charts(self) -> ChartHistory | None:
        """The source of charts of more than the last hour; None without one."""
        url = self._settings.prometheus_url
        if not url:
            return self.stored
        from ...metrics.query import PrometheusSeries
        from .prometheus_history import PrometheusHistory

        source = PrometheusSeries(url, self._settings.prometheus_labels)
        report = partial(self._inbox.log, "warning", "history")
        return PrometheusHistory(source, self._cluster, self.stored, report)

    def clusters(self, now: float) -> Future[Sequence[ClusterStatus]]:
        """Look up the status of each cluster in the history."""
        from ...history.reading.cluster_statuses import cluster_statuses

        if self.stored is None:
            none: Future[Sequence[ClusterStatus]] = Future()
            none.set_result(())
            return none
        return self.stored.reader.ask(lambda store: cluster_statuses(store, now))

    def read(self) -> StoredHistory | None:
        """Read the history from now on; return None if the settings turn it off."""
        from ...history.open import OFF, open_store
        from ...history.reading.reader import HistoryReader
        from .stored_history import StoredHistory

        location = self._settings.read_history
        if location != OFF and self.stored is None:
            self._reader = HistoryReader(lambda: open_store(location, read_only=True))
            self._reader.start()
            self.stored = StoredHistory(self._reader, self._cluster, self._inbox)
        return self.stored

    def keep(self, max_successes: int | None = None) -> None:
        """Write the history from now on, unless the settings turn it off or a collector does.

        Call `Session.take_changes` at least once a second then.

        Args:
            max_successes: Successes that are stored per second, a sample of more; None is the
                number for a screen.
        """
        from ...history.open import OFF
        from ...history.writing.recorder import MAX_SUCCESSES_PER_S
        from ...history.writing.sink import HistorySink
        from ...history.writing.writer import Retention

        settings = self._settings
        if settings.history == OFF or settings.from_history or self.sink is not None:
            return
        self.sink = HistorySink(
            settings.history,
            self._cluster,
            self._user,
            Retention(settings.history_max_age, settings.history_max_bytes),
            self._report,
            self._inbox.put,
            self._redaction,
            max_successes or MAX_SUCCESSES_PER_S,
        )
        self.sink.start()

    def follow(self, location: str) -> None:
        """Read what a collector writes, from now on; `Session.start` does if the settings want it.

        Without `Session.start`, nothing is read but that, and the broker is not used.
        """
        from .stored_events import StoredEvents

        self.collected = StoredEvents(location, self._cluster, self._inbox, self._roster)
        self.collected.start()

    def end(self, now: float) -> None:
        """Write what is left, in the thread that pumps; `Session.stop` waits for it."""
        if self.sink is not None:
            self.sink.stop(now)

    def stop(self) -> None:
        """Have all threads end soon."""
        self.end(time.time())
        for reading in (self._reader, self.collected):
            if reading is not None:
                reading.stop()

    def _report(self, level: Level, text: str, problem: str | None) -> None:
        """Take what the writer reports, in its thread."""
        self._inbox.log(level, "history", text)
        now = time.time()
        if problem is None:
            self._inbox.put(QuestionsAnswered(("history",), now))
        else:
            fault = Fault("history", problem, "Monitoring continues without it")
            self._inbox.put(QuestionsFailed("cluster", ("history",), now, fault))
