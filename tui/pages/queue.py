"""The page of a queue."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from ...model.entities.queue import Queue
from ...model.entities.series.distribution import Distribution
from ...model.entities.styles import Level
from ...model.entities.worker import Worker
from ...model.ingest.tasks.failure_groups import FailureGroup
from ...widgets.fields import Field
from ..charts.subject_charts import OF_QUEUE
from ..details.queue import queue_fields
from ..keymap import bindings
from ..text.listings import listing_text
from .base.subject import SubjectScreen

SAMPLE: Final = 200
"""Next messages that are counted by task name."""
MAX_RUN_TIMES: Final = 1_000
"""Latest tasks of the queue whose run times are counted."""


class QueueScreen(SubjectScreen[Queue]):
    """The page of a queue."""

    BINDINGS = bindings("subject", "findings", "queues", "tasks")
    CONTEXTS = ("detail", "subject", "findings", "text", "queues", "tasks")
    KIND = Queue
    TERM = SAME = "queue"
    FINDING = "queue"
    CHARTS = OF_QUEUE
    TITLE_OF_FACTS = "Queue"

    @property
    def topics(self) -> frozenset[str]:
        """Queue depths and consumers."""
        return frozenset({"queues", "consumers"})

    def on_mount(self) -> None:
        """Read the next messages, where that changes nothing, to count them by task name."""
        settings = self.context.settings
        if self.context.live.broker.family == "redis" and not settings.frugal:
            self.context.session.lookups.peek(self.name_, SAMPLE)

    @property
    def subject(self) -> Queue | None:
        """The queue; None if it is unknown."""
        return self.context.state.queues.get(self.name_)

    def runners(self) -> Iterable[Worker]:
        """Return the workers that are known to consume it."""
        queue, workers = self.subject, self.context.state.workers
        names = () if queue is None else queue.known_consumers
        return [workers[name] for name in names if name in workers]

    def failures(self) -> Iterable[FailureGroup]:
        """Return the groups with a task of the queue."""
        held = self.context.state.tasks
        return [
            group
            for group in self.context.state.failures
            if any(
                (task := held.get(id_)) is not None and task.queue == self.name_
                for id_ in group.tasks
            )
        ]

    def run_times(self) -> tuple[Distribution, object]:
        """Return the run times of its latest tasks."""
        found = Distribution()
        for task in islice(self.latest, MAX_RUN_TIMES):
            if task.runtime is not None:
                found.add(task.runtime)
        return found, (found.count, found.total)

    def show_fields(self, subject: Queue) -> None:
        """Show its numbers."""
        frame = self.context.frame()
        delayed = self.context.state.delayed.due_times(frame.now)
        fields = queue_fields(subject, tuple(self.worker_rows), frame, delayed)
        listing = self.context.state.listing(self.name_)
        if listing is not None and listing.messages:
            fields.append(Field("Messages", listing_text(listing, frame.now)))
        self.fields.show(fields)
        level: Level = "bad" if subject.unattended else "warn" if subject.paused else "idle"
        self.panes["facts"].show(level)
        self.lists["workers"].empty = "none" if subject.consumers is not None else "unknown"
