"""The stores of a cluster's state: what is known, without how observations change it."""

from __future__ import annotations

from collections.abc import Mapping

from ..entities.broker import Broker
from ..entities.cluster.log import EventLog
from ..entities.cluster.other_cluster import OtherCluster
from ..entities.cluster.recorded import RecordedCluster
from ..entities.cluster.totals import Rates, Totals
from ..entities.fact import Fact
from ..entities.limits.thresholds import Thresholds
from ..entities.messages.unacked import Unacked
from ..entities.queue import Queue
from ..entities.task import Task
from ..entities.task_type import TaskType
from ..entities.worker import Worker
from ..observations import HistorySearched
from ..operations.outcome import Outcome
from .operation_log import OperationLog
from .questions import Questions
from .queues.delayed_messages import DelayedMessages
from .queues.queue_ages import QueueAges
from .queues.queue_store import QueueStore
from .queues.sent_messages import SentTasks
from .queues.stale_consumers import StaleConsumers
from .queues.unacked_messages import UnackedMessages
from .redaction import Redaction
from .results.history_searches import HistorySearches
from .schedule_store import ScheduleStore
from .series_recorder import SeriesRecorder
from .tasks.failure_groups import FailureGroups
from .tasks.store.task_store import TaskStore
from .workers.deploys import Deploys
from .workers.worker_store import WorkerStore


class Stores:
    """What is known of one cluster.

    `redaction` masks arguments, results and errors before they are stored; `keep` is how many
    tasks of each kind are kept at least; `thresholds` are the limits of the findings.
    """

    other_clusters: tuple[OtherCluster, ...] = ()
    """Other clusters on the broker, looked for while this one has no workers."""
    recorded: RecordedCluster | None = None
    """The record of the history, if this is the state of that time."""

    def __init__(
        self,
        max_tasks: int,
        max_text_bytes: int,
        redaction: Redaction | None,
        keep: Mapping[str, int],
        thresholds: Thresholds | None,
    ) -> None:
        self.redaction = redaction or Redaction()
        self.thresholds = thresholds or Thresholds()
        self.totals = Totals()
        self.rates = Rates()
        self.log = EventLog()
        self.broker = Broker()
        self._tasks = TaskStore(self.totals, max_tasks, max_text_bytes, keep)
        self._workers = WorkerStore(self.log)
        self._stale_consumers = StaleConsumers(self._workers.workers)
        self._ages = self._queue_ages()
        self._queues = QueueStore(self._workers.workers, self._ages, self._stale_consumers)
        self._questions = Questions(self._workers.workers, self._queues.queues)
        self._unacked = UnackedMessages(
            self._tasks, self._workers, self._queues, self.broker, self._questions.cluster
        )
        self._operation_log = OperationLog(
            self.log, self._tasks, self._queues, self._workers.workers, self.redaction
        )
        self._searches = HistorySearches()
        self.tasks: dict[str, Task] = self._tasks.tasks
        """Held tasks by id, in order of arrival."""
        self.interrupted: dict[str, None] = self._tasks.interrupted
        """The latest tasks that ran again although a run of theirs had no end; some are evicted."""
        self.types: dict[str, TaskType] = self._tasks.types
        self.failures = FailureGroups()
        """Failed tasks in groups; updated by `take_changes`."""
        self.earlier_findings: Mapping[str, Mapping[str, float]] = {}
        """When findings of an earlier run began that had not ended, by code and subject."""
        self.lost: dict[str, Task] = {}
        """Lost tasks by id; updated by `take_changes`."""
        self.workers: dict[str, Worker] = self._workers.workers
        self.deploys = Deploys(self._workers.marks, self.log)
        self.queues: dict[str, Queue] = self._queues.queues
        self.queues_left_out: Mapping[str, int | None] = self._queues.left_out
        """Waiting messages of queues that are too many to be kept, by name; None if unknown."""
        self.delayed = DelayedMessages(self._workers.workers)
        """The messages of Celery's delayed delivery on RabbitMQ."""
        self.unacked: Mapping[str, Unacked] = self._unacked.by_id
        """The oldest unacknowledged messages by task id; only on Redis."""
        self.series = SeriesRecorder(self.totals, self.queues, self._workers, self.types)
        """The last hour; recorded by `tick`."""
        self.schedule = ScheduleStore(self._tasks.tasks, self.redaction, self._workers.skew)
        """The periodic tasks, once they were read."""
        self.facts: dict[str, Fact] = self._questions.cluster
        """The questions about the cluster: `workers` and `queues` (which there are), ..."""
        self.history: dict[str, HistorySearched] = self._searches.latest
        """The latest searches of the result backend by filter, the newest last."""
        self.operations: dict[int, Outcome] = self._operation_log.outcomes
        """This session's operations by number, the newest last."""

    def _queue_ages(self) -> QueueAges:
        tasks, skew = self._tasks.tasks, self._workers.skew
        sent = SentTasks(tasks, self._workers.workers, self.broker, skew)
        return QueueAges(tasks, skew, sent.waiting_in)
