"""Completes an outcome: at the end every worker and every target has a verdict."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ...model.operations.commands import WorkerOperation
from ...model.operations.outcome import Answer, Outcome


def completed(outcome: Outcome, answer: Answer, unsure: Iterable[str] = ()) -> Outcome:
    """Return an outcome in which everything without a verdict has the one given.

    Those named by `unsure` may or may not have been reached. The workers of a `WorkerOperation` are
    its targets too: their verdicts count for both.
    """
    unknown = Answer("unsure", answer.text)
    doubtful = set(unsure)

    def filled(names: tuple[str, ...], known: dict[str, Answer]) -> dict[str, Answer]:
        missing = (name for name in names if name not in known)
        return known | {name: unknown if name in doubtful else answer for name in missing}

    operation = outcome.operation
    workers = filled(operation.expected_workers, outcome.workers)
    known = outcome.targets
    if isinstance(operation, WorkerOperation):
        known = {**workers, **known}
    return msgspec.structs.replace(
        outcome, workers=workers, targets=filled(operation.targets, known)
    )
