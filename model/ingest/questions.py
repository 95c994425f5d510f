"""Records which questions to workers, broker and result backend were asked, answered, and failed.

Replies of workers (`InspectReplies`) and measured queues (`QueueStore`) record their own answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..entities.fact import NEVER_ASKED, Fact
from ..entities.queue import Queue
from ..entities.worker import Worker
from ..observations import QuestionsAnswered, QuestionsAsked, QuestionsFailed


class Questions:
    """Applies questions to the facts of workers and queues, and of the cluster."""

    def __init__(self, workers: Mapping[str, Worker], queues: Mapping[str, Queue]) -> None:
        self.cluster: dict[str, Fact] = {}
        """The questions about the cluster as a whole."""
        self._workers = workers
        self._queues = queues

    def asked(self, asked: QuestionsAsked) -> None:
        """Record when questions were asked."""
        for facts in self._facts(asked):
            for question in asked.questions:
                facts[question] = facts.get(question, NEVER_ASKED).asked(asked.at)

    def answered(self, answered: QuestionsAnswered) -> None:
        """Record when questions about the cluster were answered."""
        for question in answered.questions:
            fact = self.cluster.get(question, NEVER_ASKED)
            self.cluster[question] = fact.answered(answered.at)

    def failed(self, failed: QuestionsFailed) -> None:
        """Record when and why questions failed."""
        for facts in self._facts(failed):
            for question in failed.questions:
                fact = facts.get(question, NEVER_ASKED)
                facts[question] = fact.failed(failed.at, failed.fault)

    def _facts(self, asked: QuestionsAsked | QuestionsFailed) -> Iterator[dict[str, Fact]]:
        """Yield the facts of each subject that is known."""
        if asked.topic == "cluster":
            yield self.cluster
            return
        subjects: Mapping[str, Worker | Queue] = (
            self._workers if asked.topic == "worker" else self._queues
        )
        for name in asked.names:
            subject = subjects.get(name)
            if subject is not None:
                subject.version += 1
                yield subject.facts
