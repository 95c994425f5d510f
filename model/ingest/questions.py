"""Records which questions to workers, broker and result backend were asked, answered, and failed.

Replies of workers (`InspectReplies`) and measured queues (`QueueStore`) record their own answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..entities.fact import NEVER_ASKED, Fact
from ..entities.fault import NO_REPLY, SILENT_WORKER, UNREADABLE, Fault
from ..entities.queue import Queue
from ..entities.worker import Worker
from ..observations import QuestionsAnswered, QuestionsAsked, QuestionsFailed
from ..text.phrases import named


class Questions:
    """Applies questions to the facts of workers and queues, and of the cluster."""

    def __init__(self, workers: Mapping[str, Worker], queues: Mapping[str, Queue]) -> None:
        self.cluster: dict[str, Fact] = {}
        """The questions about the cluster as a whole."""
        self.version = 0
        """Counts up when a question is answered or fails."""
        self._workers = workers
        self._queues = queues

    def asked(self, asked: QuestionsAsked) -> None:
        """Record when questions were asked."""
        for facts in self._facts(asked):
            for question in asked.questions:
                facts[question] = facts.get(question, NEVER_ASKED).asked(asked.at)

    def answered(self, answered: QuestionsAnswered) -> None:
        """Record when questions about the cluster were answered."""
        self.version += 1
        for question in answered.questions:
            fact = self.cluster.get(question, NEVER_ASKED)
            self.cluster[question] = fact.answered(answered.at)

    def failed(self, failed: QuestionsFailed) -> None:
        """Record when and why questions failed."""
        self.version += 1
        for facts in self._facts(failed):
            for question in failed.questions:
                fact = facts.get(question, NEVER_ASKED)
                facts[question] = fact.failed(failed.at, failed.fault)
        if failed.topic == "worker" and failed.fault.kind == NO_REPLY.kind:
            self._note_unanswered(failed)

    def _note_unanswered(self, failed: QuestionsFailed) -> None:
        """Record which workers have replied to nothing since they were asked."""
        for worker in filter(None, map(self._workers.get, failed.names)):
            asked = max(worker.fact(command).asked_at or 0.0 for command in failed.questions)
            if asked > (worker.last_seen_at or 0.0):
                worker.unanswered_at = failed.at

    def consumers(self, present: Iterable[Worker]) -> Fact:
        """Return whether the consumers of all queues are known; if not, its fault is the reason.

        They are if the workers were discovered, and each of the present ones has reported its
        queues since it started. The answer is as old as the oldest of theirs: a worker that comes
        later is known by its events.
        """
        discovery = self.cluster.get("workers", NEVER_ASKED)
        unlisted = discovery.fault is not None and discovery.fault.kind in (
            SILENT_WORKER,
            UNREADABLE,
        )
        if discovery.answered_at is None or unlisted:
            reason = discovery.reason if discovery.is_failed else "the workers have not replied yet"
            fault = Fault("unknown-workers", reason, "")
            return NEVER_ASKED.failed(discovery.failed_at or 0.0, fault)
        answers: list[float] = []
        unknown: list[Worker] = []
        for worker in present:
            answered_at = worker.fact("active_queues").answered_at
            if answered_at is None:
                unknown.append(worker)
            else:
                answers.append(answered_at)
        if not unknown:
            return NEVER_ASKED.answered(min(answers, default=discovery.answered_at))
        fact = unknown[0].fact("active_queues")
        names = named([worker.name for worker in unknown])
        fault = Fault("unknown-queues", f"the queues of {names} are unknown ({fact.reason})", "")
        return NEVER_ASKED.failed(fact.failed_at or 0.0, fault)

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
