"""What I/O threads hand to the model: frozen values, put into one inbox, applied by one writer."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from .entities.broker import BrokerPhase
from .entities.fault import Fault as Fault
from .entities.result import ResultMeta
from .operations.outcome import Outcome
from .wire.events import EventBatch as EventBatch
from .wire.signatures import PendingSignature


class ConnectionChanged(msgspec.Struct, frozen=True, gc=False):
    """The event connection came up or went down."""

    phase: BrokerPhase
    at: float
    fault: Fault | None = None
    retry_in: float | None = None
    """Seconds until the next try."""
    url: str | None = None
    """Which of several brokers it is about, without its password; None leaves what is known."""
    transport: str | None = None


class LatencyMeasured(msgspec.Struct, frozen=True, gc=False):
    """How long the broker took to answer."""

    seconds: float
    commands_sent: int
    """All that this session has sent to the broker so far."""


class InspectReply(msgspec.Struct, frozen=True, gc=False):
    """One worker's answer to one inspect command."""

    worker: str
    command: str
    """`stats`, `active`, `reserved`, `scheduled`, `registered`, `active_queues`, `conf`, ..."""
    reply: Any
    at: float
    error: str | None = None
    asked: tuple[str, ...] = ()
    """Of `query_task` the ids that were asked for: those not in the reply, it does not hold."""


class InspectTimeout(msgspec.Struct, frozen=True, gc=False):
    """Workers that were asked and stayed silent."""

    command: str
    workers: tuple[str, ...]
    at: float


class QueueMeasured(msgspec.Struct, frozen=True, gc=False):
    """A queue's depth; None is unknown, with the reason in `notes`."""

    name: str
    at: float
    waiting: int | None = None
    unacked: int | None = None
    by_priority: tuple[tuple[str, int], ...] = ()
    consumer_count: int | None = None
    notes: tuple[str, ...] = ()


class QueueGone(msgspec.Struct, frozen=True, gc=False):
    """A queue that was measured before does not exist any more."""

    name: str
    at: float


class EventsDropped(msgspec.Struct, frozen=True, gc=False):
    """Events that had to be dropped because the model did not keep up."""

    heartbeats: int
    others: int
    at: float


class LogMessage(msgspec.Struct, frozen=True, gc=False):
    """A line for the log."""

    level: Literal["info", "warning", "error"]
    source: str
    text: str
    at: float


class OperationChanged(msgspec.Struct, frozen=True, gc=False):
    """An act of ours began, came further, or ended."""

    outcome: Outcome
    at: float


class WaitingMessage(msgspec.Struct, frozen=True, gc=False):
    """A message that waits in a queue, as its headers tell."""

    id: str
    name: str
    queue: str
    args: str | None = None
    """The arguments' repr as the sender made it (`argsrepr`), cut."""
    kwargs: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    eta_at: float | None = None
    expires_at: float | None = None
    retries: int = 0
    priority: int | None = None
    retry_of: str | None = None
    """The task that it repeats, if a celtop sent it again."""
    pending_signatures: tuple[PendingSignature, ...] = ()
    """What is to follow it, as its body tells."""


class QueuePeeked(msgspec.Struct, frozen=True, gc=False):
    """Messages that wait in a queue, the next one first."""

    queue: str
    messages: tuple[WaitingMessage, ...]
    at: float
    complete: bool
    """Whether these are all."""
    notes: tuple[str, ...] = ()
    """What could not be told of the queue, in words."""


class ResultsRead(msgspec.Struct, frozen=True, gc=False):
    """What a result backend holds of some tasks; those it knows nothing of are not among them."""

    metas: tuple[ResultMeta, ...]
    at: float
    """When they were read, or came by push."""
    source: Literal["push", "poll", "history", "lookup"]
    """How they were read: pushed by the backend, asked for a task that runs, found among the old
    ones, or asked for by id."""
    absent: tuple[str, ...] = ()
    """Ids that were asked for and of which it holds nothing."""


Observation: TypeAlias = (
    EventBatch
    | ConnectionChanged
    | LatencyMeasured
    | InspectReply
    | InspectTimeout
    | QueueMeasured
    | QueueGone
    | EventsDropped
    | LogMessage
    | OperationChanged
    | QueuePeeked
    | ResultsRead
)
