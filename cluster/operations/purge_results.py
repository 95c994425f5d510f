"""Deletes the results that match a filter, block by block, so that no table is locked for long."""

from __future__ import annotations

import time
from datetime import UTC
from typing import Final

from ...model.entities.result import ResultMeta
from ...model.operations.commands import RESULT_BACKEND, PurgeResults
from ...model.operations.outcome import Answer
from ...model.query.definite import definite
from ...model.query.language import parse_query, refusal
from ..results.backends.base import ResultsError
from ..results.search import ResultSearch
from .running import OperationContext, Refused, perform

PAUSE: Final = 0.01
"""Seconds between two blocks, for the other clients of the database."""


@perform.register
def purge_results(operation: PurgeResults, context: OperationContext) -> None:
    """Carry out a `PurgeResults`; `Outcome.count` is the number of deleted results.

    Raises:
        Refused: The results cannot be read or deleted; nothing was deleted.
    """
    query = definite(parse_query(operation.filter, UTC if operation.utc else None))
    if (reason := refusal(query)) is not None:
        raise Refused(f"the filter is invalid: {reason}")
    if context.results is None:
        raise Refused("there is no result backend; set it with --result-backend")
    reader, deleted = context.results(), 0
    if reader.unavailable is not None:
        raise Refused(reader.unavailable)

    def delete(metas: tuple[ResultMeta, ...]) -> None:
        nonlocal deleted
        if context.cancelled.is_set():
            return
        deleted += reader.delete(metas)
        context.report(count=deleted, stage=f"{deleted:,} deleted")
        time.sleep(PAUSE)

    search = ResultSearch(
        operation.at, query, thorough=True, values=False, ended_before=operation.at
    )
    try:
        found = reader.search(search, delete, context.cancelled)
    except ResultsError as error:
        if not deleted:
            raise Refused(str(error)) from error
        answer = Answer("refused", f"{error}; {deleted:,} results had been deleted")
    else:
        answer = Answer("confirmed", found.note)
        if context.cancelled.is_set():
            answer = Answer("refused", f"cancelled after {deleted:,} results were deleted")
    context.report(targets={RESULT_BACKEND: answer}, count=deleted)
