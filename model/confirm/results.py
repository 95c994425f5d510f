"""The confirmation of deleting results."""

from __future__ import annotations

from ..operations.commands import PurgeResults
from ..query.definite import left_out
from ..query.language import parse_query
from ..state import ClusterState
from ..text.phrases import counted
from .confirmation import Confirmation, confirm, describe, listed


@confirm.register
def purge_results(operation: PurgeResults, state: ClusterState, now: float) -> Confirmation:
    """Confirm deleting results."""
    count = operation.count
    unknown = left_out(parse_query(operation.filter))
    number = "all results" if count is None else counted(count, "result")
    return describe(
        operation,
        listed(operation.examples, count),
        [
            f"Deletes {number} matching {operation.filter}",
            "Callers that are waiting for these results do not receive them",
        ],
        [
            "This cannot be undone; no copy is kept",
            "Results of tasks that finish from now on are kept",
            *([] if unknown is None else [unknown]),
        ],
        warnings=[operation.note[0].upper() + operation.note[1:]] if operation.note else [],
        refusal="no result matches" if count == 0 else None,
        must_type=str(count) if count else "delete",
        destructive=True,
    )
