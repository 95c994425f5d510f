"""The latest observations of workers and queues, as rows for screens that poll nothing themselves.

A screen on a collector's history applies them like its own. What is not here, each screen observes
itself (results), reads elsewhere in the history (tasks, log), or has no use for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from msgspec import structs

from ...model.entities.queue import Queue
from ...model.entities.worker import Worker
from ...model.ingest.redaction import Redaction
from ...model.observations import (
    ConnectionChanged,
    DelayedMeasured,
    InspectReply,
    MemoryMeasured,
    Observation,
    OtherClustersFound,
    QuestionsAnswered,
    QuestionsFailed,
    QueueGone,
    QueueHead,
    QueueMeasured,
    ScheduleRead,
    UnackedRead,
    VersionsKnown,
)
from ...model.records.record import encode_record
from ...model.state import ClusterState
from ...model.wire.events import Event, EventBatch
from ..reading.stored_observations import VERSIONS, WORKERS
from ..rows import StoredObservation

SIGNS_PER_SECOND: Final = 100.0
"""Signs of life that are written at most; of more workers, they are written less often."""
MAX_SILENCE: Final = 3_600.0
"""Seconds since the last sign of life after which a worker, and all of it, is left out."""
MAX_BODY: Final = 1 << 20
"""Characters up to which a row is written: a worker may have reserved thousands of tasks with long
arguments."""
_REPLIES: Final = frozenset(
    {"stats", "active", "reserved", "scheduled", "active_queues", "registered", "conf"}
)
_QUESTIONS: Final = frozenset({"workers", "queues", "depths"})
_SINGLE: Final[dict[type[Observation], str]] = {
    ConnectionChanged: "connection",
    DelayedMeasured: "delayed",
    MemoryMeasured: "memory",
    OtherClustersFound: "other clusters",
    UnackedRead: "unacked",
    VersionsKnown: VERSIONS,
}

_Named: TypeAlias = Iterator[tuple[str, str, Observation]]


class LatestObservations:
    """Keeps what has been observed since the last batch, the latest of each subject.

    Args:
        redaction: Masks what is written.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._new: dict[str, Observation] = {}
        self._written: dict[str, set[str]] = {}
        """The subjects that have been written, by worker."""
        self._signs_due = 0.0
        self._signs = ""
        self._versions = 0

    def observe(self, observation: Observation) -> None:
        """Take note of an observation that is not of events."""
        for subject, worker, kept in _named(observation):
            self._new.pop(subject, None)  # the order counts
            self._new[subject] = kept
            if worker:
                self._written.setdefault(worker, set()).add(subject)

    def rows(self, cluster: str, state: ClusterState, now: float) -> tuple[StoredObservation, ...]:
        """Return the rows since the last call.

        Args:
            cluster: The key of the cluster in the store.
            state: The model.
            now: Epoch seconds.
        """
        bodies: dict[str, str] = {}
        if not 0 < self._signs_due - now <= MAX_SILENCE:
            workers = [one for one in state.workers.values() if not _is_gone(one, now)]
            self._signs_due = now + max(1.0, len(workers) / SIGNS_PER_SECOND)
            bodies |= dict.fromkeys(self._forget_all_but(workers), "")
            signs = "".join(self._line(_sign_of_life(one)) for one in workers)
            if signs or self._signs:
                # Also without new signs: that the workers are silent is seen from its time.
                self._signs = bodies[WORKERS] = signs
        if state.deploys.version != self._versions:
            self._versions = state.deploys.version
            self._new[VERSIONS] = state.deploys.known(now)
        new, self._new = self._new, {}
        for subject, one in new.items():
            known = _completed(one, state) if isinstance(one, QueueMeasured) else one
            bodies[subject] = self._line(known)
        return tuple(
            StoredObservation(cluster, each, now, body)
            for each, body in bodies.items()
            if len(body) <= MAX_BODY
        )

    def _line(self, observation: Observation) -> str:
        at = getattr(observation, "at", 0.0)  # a few have none
        return encode_record(at, observation, self._redaction).decode()

    def _forget_all_but(self, workers: Iterable[Worker]) -> list[str]:
        """Return the subjects of all other workers."""
        gone = self._written.keys() - {worker.name for worker in workers}
        subjects = [subject for name in gone for subject in self._written.pop(name)]
        for subject in subjects:
            self._new.pop(subject, None)
        return subjects


def _named(observation: Observation) -> _Named:
    """Yield the subjects of an observation, each with its worker and what is kept of it."""
    if isinstance(observation, InspectReply):
        if observation.command in _REPLIES:
            worker = observation.worker
            yield f"reply {observation.command} {worker}", worker, observation
    elif isinstance(observation, QueueMeasured | QueueGone):
        yield f"queue {observation.name}", "", observation
    elif isinstance(observation, ScheduleRead):
        yield f"schedule {observation.source}", "", observation
    elif isinstance(observation, QuestionsAnswered):
        for one in _QUESTIONS.intersection(observation.questions):
            yield f"question {one}", "", structs.replace(observation, questions=(one,))
    elif isinstance(observation, QuestionsFailed):
        yield from _failed(observation)
    elif (subject := _SINGLE.get(type(observation))) is not None:
        yield subject, "", observation


def _completed(seen: QueueMeasured, state: ClusterState) -> QueueMeasured:
    """Return a measurement with what events have shown of the queue and its next messages."""
    queue = state.queues.get(seen.name)
    if queue is None or queue.measured_at != seen.at:
        return seen
    runnable = None if seen.runnable is None else _with_times(seen.runnable, queue, state)
    return structs.replace(
        seen,
        in_per_s=queue.in_per_s,
        out_per_s=queue.out_per_s,
        rates_are_final=True,
        notes=queue.notes,
        heads=_with_times(seen.heads, queue, state),
        runnable=runnable,
    )


def _with_times(
    heads: tuple[QueueHead, ...], queue: Queue, state: ClusterState
) -> tuple[QueueHead, ...]:
    """Return the next messages with the times since when they wait: sent, and next in the queue."""
    heads = tuple(
        structs.replace(head, next_since=queue.next_since.get(head.id or "")) for head in heads
    )
    tasks = [state.tasks.get(head.id or "") for head in heads]
    return tuple(
        head
        if task is None or head.sent_at is not None
        else structs.replace(head, sent_at=task.sent_at, name=head.name or task.name)
        for head, task in zip(heads, tasks, strict=True)
    )


def _failed(failed: QuestionsFailed) -> _Named:
    if failed.topic == "worker":
        for command in _REPLIES.intersection(failed.questions):
            for name in failed.names:
                kept = structs.replace(failed, questions=(command,), names=(name,))
                yield f"no reply {command} {name}", name, kept
    elif failed.topic == "queue":
        for name in failed.names:
            yield f"no depth {name}", "", structs.replace(failed, names=(name,))
    else:
        for one in _QUESTIONS.intersection(failed.questions):
            yield f"question {one}", "", structs.replace(failed, questions=(one,))


def _is_gone(worker: Worker, now: float) -> bool:
    return now - (worker.last_seen_at or 0.0) > MAX_SILENCE


def _sign_of_life(worker: Worker) -> EventBatch:
    """Return what is known of a worker as if it were its last event."""
    at = worker.last_seen_at or 0.0
    is_regular = worker.sends_heartbeats
    event = Event(
        "worker-heartbeat" if worker.left_at is None else "worker-offline",
        worker.name,
        at + (worker.clock_skew or 0.0),
        pid=worker.pid,
        freq=worker.frequency,
        active=worker.active if is_regular else None,
        processed=worker.processed if is_regular else None,
        loadavg=worker.load,
        sw_ident=worker.software,
        sw_ver=worker.software_version,
        sw_sys=worker.system,
    )
    return EventBatch((event,), at)
