"""Keeps the history of one cluster: its changes become rows, which a thread writes."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Final

from msgspec import structs

from ...model.entities.changes import Changes
from ...model.health.finding import Finding
from ...model.health.findings import findings
from ...model.ingest.redaction import Redaction
from ...model.observations import Observation
from ...model.state import ClusterState
from .latest_observations import LatestObservations
from .leadership import Report
from .recorder import MAX_SUCCESSES_PER_S, Recorder
from .writer import HistoryWriter, Retention

FINDINGS_INTERVAL: Final = 5.0
FINDINGS_SHARE: Final = 0.01
"""Findings are looked for after so many seconds, and in at most this part of the time."""
SAMPLING_PAUSE: Final = 60.0
"""Seconds after which it is reported that all successes are stored again."""


class HistorySink:
    """Writes the changes of a model to a store.

    Args:
        location: As for `open_store`.
        cluster: The key of the cluster in the store.
        user: Who starts its operations.
        retention: What is deleted from the store.
        report: Takes what the user should see, from any thread.
        restore: Takes what the run before knew, for the model, from any thread.
        redaction: Masks the observations that are written.
        max_successes: Successes that are stored per second; of more, a part is stored.
    """

    def __init__(
        self,
        location: str,
        cluster: str,
        user: str,
        retention: Retention,
        report: Report,
        restore: Callable[[Observation], object] = lambda known: None,
        redaction: Redaction | None = None,
        max_successes: int = MAX_SUCCESSES_PER_S,
    ) -> None:
        self._writer = HistoryWriter(location, retention, report, restore)
        self._report = report
        self._cluster = cluster
        self._max_successes = max_successes
        self._user = user
        self._latest = LatestObservations(redaction or Redaction(()))
        self._recorder: Recorder | None = None
        self._state: ClusterState | None = None
        self._stopped = False
        self._findings_due = 0.0
        self._sampled_at: float | None = None
        """When not all successes were stored; None if that is over."""

    @property
    def fault(self) -> str | None:
        """Why the history is not being written; None if it is."""
        return self._writer.fault

    @property
    def thread(self) -> HistoryWriter:
        """The thread that writes."""
        return self._writer

    def start(self) -> None:
        """Start the thread."""
        self._writer.start()

    def update(self, state: ClusterState, changes: Changes, now: float) -> None:
        """Take the changes since the last call, at least once a second."""
        if self._stopped:
            return
        if self._recorder is None:
            run = f"{socket.gethostname()}:{os.getpid()}:{now:.3f}"
            self._recorder = Recorder(self._cluster, run, self._user, now, self._max_successes)
        self._state = state
        self._recorder.collect(changes)
        if self._recorder.due(now):
            batch = self._recorder.batch(state, now, self._findings(state, now))
            latest = self._latest.rows(self._cluster, state, now)
            self._writer.put(structs.replace(batch, observations=latest))
            self._report_sampling(self._recorder.share, now)

    def observe(self, observation: Observation) -> None:
        """Take note of an observation that is not of events, for `--from-history`."""
        self._latest.observe(observation)

    def stop(self, now: float) -> None:
        """Write what is left, and end the thread; returns at once.

        The model must not change meanwhile.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._recorder is not None and self._state is not None:
            self._recorder.collect(self._state.take_changes())
            self._writer.put(self._recorder.last_batch(self._state, now))
        self._writer.stop()

    def _findings(self, state: ClusterState, now: float) -> tuple[Finding, ...] | None:
        """Return the findings if it is time to look for them."""
        if 0 <= self._findings_due - now <= max(FINDINGS_INTERVAL, 1.0 / FINDINGS_SHARE):
            return None
        started = time.perf_counter()
        found = findings(state, now)
        cost = time.perf_counter() - started
        self._findings_due = now + max(FINDINGS_INTERVAL, cost / FINDINGS_SHARE)
        return found

    def _report_sampling(self, share: float, now: float) -> None:
        """Report when not all successes are stored, and when they have been again for a while."""
        if share < 1.0:
            if self._sampled_at is None:
                rate, one_of = f"{self._max_successes:,}", round(1 / share)
                text = f"More than {rate} tasks succeed per second: 1 of {one_of} is stored"
                self._report("info", text, None)
            self._sampled_at = now
        elif self._sampled_at is not None and now - self._sampled_at >= SAMPLING_PAUSE:
            self._sampled_at = None
            self._report("info", "All successful tasks are stored again", None)
