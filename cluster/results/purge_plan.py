"""Counts the results that a purge would delete."""

from __future__ import annotations

import threading
import time
from datetime import UTC
from typing import Final

from ...model.entities.fault import Fault
from ...model.entities.result import ResultMeta
from ...model.ingest.redaction import Redaction
from ...model.operations.commands import PurgeResults
from ...model.query.definite import definite
from ...model.query.language import parse_query
from ...model.text import units
from ...model.text.phrases import short_id
from .backends.base import ResultReader, ResultsError
from .search import ResultSearch

MAX_EXAMPLES: Final = 5


def plan_purge(
    reader: ResultReader,
    filter_text: str,
    utc: bool,
    redaction: Redaction,
    stop: threading.Event,
) -> PurgeResults:
    """Return the operation that deletes the results that match a filter now.

    Args:
        reader: Reads the result backend.
        filter_text: The filter.
        utc: Whether times in the filter are in UTC instead of local time.
        redaction: Masks arguments and results.
        stop: Ends the search when it is set.

    Raises:
        ResultsError: The backend cannot be read.
    """
    if reader.unavailable is not None:
        raise ResultsError(Fault("results", reader.unavailable, ""))
    if type(reader).delete is ResultReader.delete:
        advice = "django-db, SQLAlchemy and Redis are supported"
        problem = "celtop cannot delete results in this result backend"
        raise ResultsError(Fault("results", problem, advice))
    zone, now = UTC if utc else None, time.time()
    newest: list[ResultMeta] = []
    search = ResultSearch(
        now, definite(parse_query(filter_text, zone)), MAX_EXAMPLES, thorough=True, values=False,
        ended_before=now, redaction=redaction,
    )  # fmt: skip
    found = reader.search(search, newest.extend, stop)
    if stop.is_set():
        raise ResultsError(Fault("results", "Counting the results was interrupted", ""))
    return PurgeResults(
        filter=filter_text,
        at=now,
        utc=utc,
        count=None if found.more and not found.total else found.total,
        note=found.note or ("more results may match" if found.more else ""),
        examples=tuple(_line(meta, zone is UTC) for meta in newest),
    )


def _line(meta: ResultMeta, utc: bool) -> str:
    name = meta.name or units.UNKNOWN
    ended = (
        ""
        if meta.done_at is None
        else (f", finished {units.date_time(meta.done_at, UTC if utc else None)[:19]}")
    )
    return f"{short_id(meta.id)} {name} {meta.status}{ended}"
