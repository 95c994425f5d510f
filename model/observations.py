"""The frozen values that I/O threads put into the inbox, and that one writer applies."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from .entities.broker import BrokerMemory, BrokerPhase
from .entities.cluster.other_cluster import OtherCluster
from .entities.fault import Fault
from .entities.messages.delayed import Delayed
from .entities.queue import Pause
from .entities.result import ResultMeta
from .entities.schedule import ScheduleEntry, ScheduleSource
from .entities.task import Task
from .entities.worker import Outcomes
from .entities.worker_version import WorkerVersion
from .operations.outcome import Outcome
from .wire.events import EventBatch
from .wire.signatures import PendingSignature


class ConnectionChanged(msgspec.Struct, frozen=True, gc=False):
    """The event connection was established, blocked, lost, or is being retried."""

    phase: BrokerPhase
    at: float
    fault: Fault | None = None
    retry_in: float | None = None
    """Seconds until the next connection attempt."""
    url: str | None = None
    """The URL of the broker without its password; None if unchanged."""
    transport: str | None = None
    unverified: Fault | None = None
    """The part of the encrypted connection that is not verified; None if nothing is missing."""


class ConnectionProved(msgspec.Struct, frozen=True, gc=False):
    """The event connection was proved to work, by something other than an event."""

    at: float


class LatencyMeasured(msgspec.Struct, frozen=True, gc=False):
    """The round trip time to the broker."""

    seconds: float
    commands_sent: int
    """Commands that this session has sent to the broker so far."""


class MemoryMeasured(msgspec.Struct, frozen=True, gc=False):
    """The memory of Redis, as it reported it."""

    memory: BrokerMemory


class InspectReply(msgspec.Struct, frozen=True, gc=False):
    """One worker's reply to one inspect command."""

    worker: str
    command: str
    """`stats`, `active`, `reserved`, `scheduled`, `registered`, `active_queues`, `conf`, ..."""
    reply: Any
    at: float
    error: str | None = None
    requested_ids: tuple[str, ...] = ()
    """For `query_task`, the requested ids; the worker does not have those missing in the reply."""
    repeated: bool = False
    """Whether another worker of this name has replied to the same command."""


Topic: TypeAlias = Literal["worker", "queue", "cluster"]
"""The subjects of questions: workers or queues by name, or the cluster as a whole."""


class QuestionsAsked(msgspec.Struct, frozen=True, gc=False):
    """Questions were sent; `InspectReply`, `QueueMeasured` and `QuestionsAnswered` answer them."""

    topic: Topic
    questions: tuple[str, ...]
    """Inspect commands for workers; `depth` for queues; `workers`, `queues`, `results`, ... for the
    cluster."""
    at: float
    names: tuple[str, ...] = ()
    """The workers or queues; empty for the cluster."""


class QuestionsAnswered(msgspec.Struct, frozen=True, gc=False):
    """Questions about the cluster were answered completely."""

    questions: tuple[str, ...]
    at: float


class QuestionsFailed(msgspec.Struct, frozen=True, gc=False):
    """Questions could not be asked, were refused, or got no reply in time."""

    topic: Topic
    questions: tuple[str, ...]
    at: float
    fault: Fault
    names: tuple[str, ...] = ()
    """The workers or queues; empty for the cluster."""


class QueueHead(msgspec.Struct, frozen=True, gc=False):
    """The next message to be consumed from a queue, or from one priority step of it."""

    id: str | None = None
    """Its task id; None if the message could not be read."""
    sent_at: float | None = None
    """The `timestamp` property of the message, which Celery itself does not set."""
    name: str | None = None
    """The name of its task; None if it is unknown."""
    eta_at: float | None = None
    """When its task is due; None without an ETA."""
    next_since: float | None = None
    """Since when it has been seen there, by a collector; None in a measurement."""


class QueueMeasured(msgspec.Struct, frozen=True, gc=False):
    """A queue's depth; an unknown number is None, with the reason in `notes`."""

    name: str
    at: float
    waiting: int | None = None
    unacked: int | None = None
    by_priority: tuple[tuple[str, int], ...] = ()
    consumer_count: int | None = None
    notes: tuple[str, ...] = ()
    heads: tuple[QueueHead, ...] = ()
    """The next message of each priority step with messages; empty if it cannot be read."""
    unacked_at_least: int | None = None
    """The minimum if `unacked` is unknown; None if it may be 0."""
    queue_kind: str = ""
    message_bytes: int | None = None
    max_priority: int | None = None
    statistics_at: float | None = None
    """When the management API reported what has no better source; see `Queue.statistics_at`."""
    in_per_s: float | None = None
    out_per_s: float | None = None
    """The broker's own rates, used if events do not provide them."""
    rates_are_final: bool = False
    """Whether the rates, and the notes on them, are a collector's: it has received the events."""
    runnable: tuple[QueueHead, ...] | None = None
    """The first message of each priority step that may run now; one without an id was not found
    among those that were read. None if messages cannot be read."""
    due_at: float | None = None
    """The earliest ETA of the messages that may not run yet, in steps where none may run."""
    is_missing: bool = False
    """Whether the broker has no queue of this name."""


class UnackedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message that a worker has received and not acknowledged yet, from its headers."""

    taken_at: float
    """When a worker received it, by that worker's clock."""
    queue: str | None = None
    """The queue that it came from; None if its bindings are ambiguous."""
    id: str = ""
    """Empty if the message could not be read, and so is `name`."""
    name: str = ""
    eta_at: float | None = None
    redelivered: bool = False
    """Whether the broker has returned it to its queue before."""


class UnackedRead(msgspec.Struct, frozen=True, gc=False):
    """The unacknowledged messages of all queues, or the oldest of them, the oldest first."""

    messages: tuple[UnackedMessage, ...]
    total: int
    at: float


class QueueGone(msgspec.Struct, frozen=True, gc=False):
    """A queue that was measured before no longer exists."""

    name: str
    at: float


class DelayedMeasured(msgspec.Struct, frozen=True, gc=False):
    """The messages of delayed delivery on RabbitMQ; without levels, there is none."""

    delayed: Delayed
    at: float


class QueuesPaused(msgspec.Struct, frozen=True, gc=False):
    """The queues that are recorded as paused, by name; all others are not."""

    pauses: dict[str, Pause]
    at: float


class OtherClustersFound(msgspec.Struct, frozen=True, gc=False):
    """Other clusters on the broker, which were looked for because this one has no workers."""

    clusters: tuple[OtherCluster, ...]
    at: float


class EventsDropped(msgspec.Struct, frozen=True, gc=False):
    """Events that were dropped because the inbox was full."""

    heartbeats: int
    others: int
    at: float


class LogMessage(msgspec.Struct, frozen=True, gc=False):
    """An entry for the log."""

    level: Literal["info", "warning", "error"]
    source: str
    text: str
    at: float


class OperationChanged(msgspec.Struct, frozen=True, gc=False):
    """An operation of this session began, progressed or ended."""

    outcome: Outcome
    at: float


class WaitingMessage(msgspec.Struct, frozen=True, gc=False):
    """A message waiting in a queue, from its headers."""

    id: str
    name: str
    queue: str
    args: str | None = None
    """The arguments' repr by the sender (`argsrepr`), cut."""
    kwargs: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    eta_at: float | None = None
    expires_at: float | None = None
    retries: int = 0
    priority: int | None = None
    retry_of: str | None = None
    """The id of the task that it is a retry of, if celtop sent it."""
    pending_signatures: tuple[PendingSignature, ...] = ()
    """The tasks that will follow it, from its body."""
    replaced: bool = False
    """Whether its task replaced itself with it (`Task.replace`)."""
    redelivered: bool = False
    """Whether the broker has returned it to its queue."""
    taken_at: float | None = None
    """When a worker received it, by that worker's clock, if it is unacknowledged."""
    before: int | None = None
    """Messages that will be consumed before it; None if they were not counted."""
    sent_at: float | None = None
    """When it was sent, if its sender set a time."""
    sender: str = ""
    """The process that sent it (`origin`), such as `gen4711@web-1`."""
    content_type: str = ""
    """The serializer of its body, such as `application/json`."""


class QueuePeeked(msgspec.Struct, frozen=True, gc=False):
    """Messages waiting in a queue, the next one first, or held by workers."""

    queue: str
    messages: tuple[WaitingMessage, ...]
    at: float
    complete: bool
    """Whether all waiting messages are included."""
    notes: tuple[str, ...] = ()
    """The parts that could not be read, and why."""
    read: int = 0
    """The messages that were read, beginning with the next one, if all of them are included."""
    held: bool = False
    """Whether workers have received the messages without acknowledging them yet, from any queue."""
    skipped: int = 0
    """Messages before the first one, which were not read."""
    is_listing: bool = False
    """Whether all messages from there on are included, up to the last one."""


class ResultsRead(msgspec.Struct, frozen=True, gc=False):
    """Entries read from the result backend, and ids without an entry."""

    metas: tuple[ResultMeta, ...]
    at: float
    """When they were read or pushed."""
    source: Literal["push", "poll", "history", "search", "lookup"]
    """How they were obtained: pushed by the backend, polled for a running task, loaded as history,
    found by a filter, or looked up by id."""
    absent: tuple[str, ...] = ()
    """Requested ids without an entry."""


class HistorySearched(msgspec.Struct, frozen=True, gc=False):
    """How a search for finished tasks in the result backend ended."""

    filter: str
    """What was searched for; empty for the newest tasks, which are loaded at startup."""
    loaded: int
    """Entries that were found and handed on."""
    total: int | None
    """Entries that match; None if unknown."""
    more: bool
    """Whether there may be more than `total`."""
    note: str
    """The parts that were not searched, and why."""
    at: float

    @property
    def incomplete(self) -> bool:
        """Whether tasks in the backend may match that are not loaded."""
        return self.more or bool(self.note) or self.total is None or self.total > self.loaded

    @property
    def text(self) -> str:
        """How much was loaded: `500 of 20,015 loaded`, and why not more."""
        text = f"{self.loaded:,} loaded"
        if self.total is not None and self.total > self.loaded:
            text = f"{self.loaded:,} of {'more than ' if self.more else ''}{self.total:,} loaded"
        elif self.more and not self.note:
            text = f"{self.loaded:,} loaded, more match"
        return f"{text}; {self.note}" if self.note else text


class HistoryRead(msgspec.Struct, frozen=True, gc=False):
    """Tasks that were read from the history; the model takes them over."""

    tasks: tuple[Task, ...]
    """The newest first; their arrivals and versions have no meaning."""
    at: float
    wanted: bool = False
    """Whether they were searched for: then they may evict others."""
    unfinished: bool = False
    """Whether tasks that had not ended are wanted, too. They may have ended unobserved."""
    live: bool = False
    """Whether a collector has just written them: they take the place of events, and are counted."""
    samples: tuple[float, ...] = ()
    """The share of the tasks like each that was written; all of them if empty."""


class FailuresKnown(msgspec.Struct, frozen=True, gc=False):
    """When groups of failures began, according to the history."""

    first_at: dict[str, float]
    """When the first task of each group failed, by `FailureGroup.id`, in epoch seconds."""
    at: float
    since: float | None = None
    """Since when all failures were read, epoch seconds; None if that is unknown."""


class OutcomesKnown(msgspec.Struct, frozen=True, gc=False):
    """What ended on workers in the hour before celtop started, according to the history."""

    workers: dict[str, Outcomes]
    """By worker."""
    at: float


class FindingsKnown(msgspec.Struct, frozen=True, gc=False):
    """When findings began that had not ended, according to the history."""

    began_at: dict[str, dict[str, float]]
    """Epoch seconds, by `Finding.code` and `Finding.subject`."""
    at: float


class QueueHeadsKnown(msgspec.Struct, frozen=True, gc=False):
    """Since when messages have been the next ones of their queues, according to the history."""

    next_since: dict[str, dict[str, float]]
    """Epoch seconds, by queue and task id."""
    at: float


class VersionsKnown(msgspec.Struct, frozen=True, gc=False):
    """The versions of workers in an earlier run, according to the history."""

    versions: dict[str, WorkerVersion]
    """By worker, the latest to report it last."""
    at: float
    unobserved_since: float | None = None
    """Since when nothing was recorded until `at`; None if another celtop was recording."""


class ScheduleRead(msgspec.Struct, frozen=True, gc=False):
    """The entries of beat's schedule that one source has, or why it could not be read."""

    source: ScheduleSource
    at: float
    entries: tuple[ScheduleEntry, ...] = ()
    fault: Fault | None = None
    """Why it could not be read; the entries before are still shown."""
    left_out: int = 0
    """Entries that are too many to be read."""
    lock_s: float | None = None
    """Seconds for which the running beat holds the lock, with RedBeat; None if there is no lock."""


Observation: TypeAlias = (
    EventBatch
    | ConnectionChanged
    | ConnectionProved
    | LatencyMeasured
    | MemoryMeasured
    | InspectReply
    | QuestionsAsked
    | QuestionsAnswered
    | QuestionsFailed
    | QueueMeasured
    | UnackedRead
    | QueueGone
    | DelayedMeasured
    | QueuesPaused
    | OtherClustersFound
    | EventsDropped
    | LogMessage
    | OperationChanged
    | QueuePeeked
    | ResultsRead
    | HistorySearched
    | HistoryRead
    | FailuresKnown
    | OutcomesKnown
    | FindingsKnown
    | QueueHeadsKnown
    | VersionsKnown
    | ScheduleRead
)
