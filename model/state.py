"""The state of a cluster: one writer applies what I/O threads observed, views read it.

Nothing here reads a clock: `now` is the local time in epoch seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .entities.clock_skew import ClockSkews
from .entities.fact import NEVER_ASKED, Fact
from .entities.limits.keep import FAILED_KINDS, Kind
from .entities.messages.unacked import Unacked
from .entities.queue import Position
from .entities.task import Progress, Task
from .entities.worker import BEAT_PREFIX
from .ingest.queues.queue_peeks import Listing
from .ingest.state_writer import StateWriter
from .ingest.tasks.lost_tasks import redelivery_at
from .ingest.tasks.progress_rate import estimate
from .wire.signatures import PendingSignature


class ClusterState(StateWriter):
    """Tasks, workers, queues and types of one cluster, and what follows from them.

    What `StateWriter` holds is also read by views, but changed only there.
    """

    undated: int = 0
    """Tasks that the state of an earlier time lacks, because no time of them is known: their
    messages were read in the queue."""

    @property
    def kept_since(self) -> Mapping[Kind, float]:
        """Since when all tasks of a kind are held; kinds of which none was evicted are missing."""
        return self._tasks.kept_since

    @property
    def failures_since(self) -> float | None:
        """Since when all failures are held, epoch seconds; None if nothing was received or read."""
        since = self.totals.failures_since or self.totals.first_event_at
        evicted = (self.kept_since.get(kind, 0.0) for kind in FAILED_KINDS)
        return None if since is None else max(since, *evicted)

    def redelivery_at(self, task: Task) -> float | None:
        """Return when the broker redelivers the message of a task whose worker was lost.

        By the local clock; None if it does not, or if it is unknown.
        """
        worker = self.workers.get(task.worker or "")
        is_offline = worker is not None and self._workers.status(worker.name) == "offline"
        kind = self.types.get(task.name or "")
        at = redelivery_at(task, kind, worker, self.broker, is_offline=is_offline)
        return None if at is None or self._unacked.is_settled(task, at) else at

    def is_abandoned(self, unacked: Unacked, now: float) -> bool | None:
        """Return whether the worker that holds a message is gone; None if that is unknown."""
        return self._unacked.is_abandoned(unacked, now)

    def related(self, task: Task, limit: int | None = None) -> list[Task]:
        """Return the other held tasks of a task's workflow, at most about `limit`."""
        return self._tasks.relations.related(task, limit)

    @property
    def pending_signatures(self) -> Mapping[str, tuple[PendingSignature, ...]]:
        """The tasks that will follow a waiting message's task, by that task's id."""
        return self._queue_peeks.pending_signatures

    def listing(self, queue: str) -> Listing | None:
        """Return the messages of a queue that were listed last; None if they were not."""
        return self._queue_peeks.listings.get(queue)

    def messages_in(self, queue: str) -> Collection[str]:
        """Return the tasks whose messages waited in a queue when that was last read."""
        return self._queue_peeks.seen_in(queue)

    def position(self, task: Task) -> Position | None:
        """Return a waiting task's place in its queue when that was last read; None if unknown."""
        return self._queue_peeks.position(task)

    def family(self, root_id: str) -> Mapping[str, Task]:
        """Return the held tasks of a workflow except its root, by id."""
        return self._tasks.relations.family(root_id)

    def group(self, group_id: str) -> Mapping[str, Task]:
        """Return the held members of a group, by id."""
        return self._tasks.relations.group(group_id)

    def skew(self, host: str | None) -> float:
        """Return the seconds that a host's clock is ahead of the local one; 0 if unknown.

        Subtract it from a time reported by the host (`Task.state_at` by `Task.state_host`, other
        times by `Task.worker`) to get local time.
        """
        return self._workers.skew(host)

    @property
    def skews(self) -> ClockSkews:
        """Clock skews of workers that are large enough to matter, in seconds.

        The mapping is replaced whenever one of them changes.
        """
        return self._workers.skews

    def rate(self, task: Task) -> float | None:
        """Return the progress per second of a running task, as a fraction; None if unknown."""
        history = self._progress_rates.of(task)
        return None if history is None else history.rate()

    def time_left(self, task: Task, now: float) -> float | None:
        """Return a running task's time left in seconds, by its own progress; None if unknown."""
        history = self._progress_rates.of(task)
        return None if history is None else history.time_left(self.broker.observed_until(now))

    def running_at(self, worker: str | None, now: float) -> float:
        """Return the time by a worker's clock up to which its running tasks are known to run."""
        return self.broker.observed_until(now) + self.skew(worker)

    def estimate(self, task: Task, now: float) -> Progress | None:
        """Return the estimated progress of a task that reports none, by its type's run times.

        Its `source` is `estimate`. None until enough tasks of the type have ended.
        """
        now = self.broker.observed_until(now)
        return estimate(task, self.types.get(task.name or ""), now, self.skew(task.worker))

    def tasks_to_check(self, now: float) -> tuple[str, ...]:
        """Return up to a hundred ids of tasks whose state needs checking.

        The result backend and the workers should be asked about them (`ResultsRead`, and
        `InspectReply` to `query_task`); each id is returned until a reply is observed.
        """
        return self._reconciler.due(now)

    def fact(self, question: str) -> Fact:
        """Return what is known about a question about the cluster."""
        return self.facts.get(question, NEVER_ASKED)

    def consumers(self, queue: str) -> tuple[str, ...] | None:
        """Return the workers that consume a queue, known or not; None if not all are known."""
        known = self.queues.get(queue)
        if known is not None:
            return known.consumers
        return () if self._queues.consumers_fact.is_answered else None

    def online_workers(self, now: float) -> int:
        """Return how many workers are online, as counted at most a second ago."""
        return self._workers.online(self.broker.listening(now))

    def present_workers(self, now: float) -> tuple[str, ...]:
        """Return the sorted names of the workers that a command would reach."""
        listening = self.broker.listening(now)
        return tuple(
            sorted(
                name
                for name, worker in self.workers.items()
                if not name.startswith(BEAT_PREFIX) and worker.status(listening) != "offline"
            )
        )

    @property
    def observed(self) -> bool:
        """Whether all tasks of the known workers are reported by events.

        If not, what follows from counting events, such as rates, is unknown.
        """
        return self.recorded is None and self._workers.observed
