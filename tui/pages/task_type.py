"""The page of a task type."""

from __future__ import annotations

from collections.abc import Iterable

from ...model.entities.series.distribution import Distribution
from ...model.entities.task_type import TaskType
from ...model.entities.worker import Worker
from ...model.ingest.tasks.failure_groups import FailureGroup
from ..charts.subject_charts import OF_TYPE
from ..details.deploys import deploy_fields
from ..details.task_type import type_fields
from ..keymap import bindings
from .base.subject import SubjectScreen


class TypeScreen(SubjectScreen[TaskType]):
    """The page of a task type."""

    BINDINGS = bindings("subject", "findings", "types", "tasks")
    CONTEXTS = ("detail", "subject", "findings", "text", "types", "tasks")
    KIND = TaskType
    TERM = SAME = "name"
    FINDING = "type"
    CHARTS = OF_TYPE
    TITLE_OF_FACTS = "Task type"

    @property
    def subject(self) -> TaskType | None:
        """The task type; None if it is unknown."""
        return self.context.state.types.get(self.name_)

    def runners(self) -> Iterable[Worker]:
        """Return the workers that have registered it."""
        return [
            worker
            for worker in self.context.state.workers.values()
            if worker.registered is not None and self.name_ in worker.registered
        ]

    def failures(self) -> Iterable[FailureGroup]:
        """Return the groups of its failures."""
        return [group for group in self.context.state.failures if self.name_ in group.names]

    def run_times(self) -> tuple[Distribution, object]:
        """Return the run times of all its tasks that ended while celtop was running."""
        subject = self.subject
        if subject is None:
            return Distribution(), 0
        return subject.runtime, subject.runtime.count

    def show_fields(self, subject: TaskType) -> None:
        """Show its numbers."""
        self.context.deploys.refresh()
        self.fields.show(
            [
                *type_fields(subject, self.context.state, self.context.frame()),
                *deploy_fields(subject, self.context),
            ]
        )
