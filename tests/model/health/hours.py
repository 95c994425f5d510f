"""Clusters with a past."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from celtop.model.health.finding import Finding
from celtop.model.health.queues.backlogs import backlog_findings
from celtop.model.observations import (
    ConnectionChanged,
    InspectReply,
    QuestionsAnswered,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.tui.fake_session import NOW, feed, task_events

WORKERS: Final = ("celery@one", "celery@two")


def with_runs(seconds: Sequence[float], failed: Collection[int] = ()) -> ClusterState:
    """Return a cluster in which a task of these run times ended every five seconds until now.

    `failed` are the numbers of those that failed.
    """
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - len(seconds) * 5 - 20))
    online = Event("worker-online", "celery@web-1", NOW - len(seconds) * 5 - 10, freq=2.0)
    feed(state, [online])
    for number, runtime in enumerate(seconds):
        at = NOW - (len(seconds) - number) * 5
        end = "failed" if number in failed else "succeeded"
        feed(state, task_events(number, "images.resize", at=at - runtime, runtime=runtime, end=end))
        state.series.record(at + 4, connected=True)
    feed(state, [Event("worker-heartbeat", "celery@web-1", NOW, freq=2.0)])
    return state


class Backlog:
    """A cluster with one queue and two workers of two processes, measured every five seconds.

    `busy` is how many tasks each worker runs.
    """

    def __init__(self, busy: int = 0) -> None:
        self.now = NOW
        self.busy = busy
        self.state = ClusterState()
        self.state.observe(ConnectionChanged("live", NOW))
        for name in WORKERS:
            self._reply(name, "stats", {"pool": {"max-concurrency": 2}, "prefetch_count": 8})
            self._reply(name, "active_queues", [{"name": "celery"}])
            self._reply(name, "reserved", [])
            self._reply(name, "enable_events", {"ok": "task events enabled"})

        self.state.observe(QuestionsAnswered(("workers",), NOW))

    def _reply(self, worker: str, command: str, reply: object) -> None:
        self.state.observe(InspectReply(worker, command, reply, self.now))

    def run(self, depths: Iterable[int], *, taken: int = 0) -> list[Finding]:
        """Measure these depths, one in five seconds, with tasks taken in each of them."""
        for depth in depths:
            self.now += 5
            for worker in WORKERS:
                running = [{"id": f"{worker}-{n}", "name": "a"} for n in range(self.busy)]
                self._reply(worker, "active", running)
                feed(self.state, [Event("worker-heartbeat", worker, self.now, freq=2.0)])
            for _ in range(taken):
                self.state.queues["celery"].received.add(self.now - 1)
            self.state.observe(QueueMeasured("celery", self.now, depth))
            self.state.tick(self.now)
        return list(backlog_findings(self.state, self.now))
