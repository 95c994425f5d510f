"""A search for entries in the result backend, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec

from ...model.entities.result import ResultMeta
from ...model.ingest.redaction import Redaction
from ...model.lookup import tasks_from
from ...model.query.condition import Condition
from ...model.query.language import EVERY_TASK, Query
from .criteria import Criteria, criteria, names_unfinished

MAX_EXAMINED: Final = 50_000
"""Entries that are read to find those that match."""
SEARCH_TIMEOUT: Final = 10.0
"""Seconds after which a search ends with what it has found."""
MAX_COUNTED: Final = 1_000_000
"""Matching entries that are counted."""

Put: TypeAlias = Callable[[tuple[ResultMeta, ...]], object]
"""Takes a block of entries that were found."""

_VALUE_FIELDS: Final = frozenset({"result", "args", "kwargs", "exception", "error", "traceback"})


class Found(msgspec.Struct, frozen=True, gc=False):
    """How a search ended."""

    total: int
    """Entries that match, including those beyond the limit."""
    more: bool = False
    """Whether there may be more than `total`."""
    note: str = ""
    """The parts that were not searched, and why."""


@dataclass(frozen=True, slots=True)
class ResultSearch:
    """What to search for. Without a query, the newest entries of finished tasks."""

    now: float
    """The time in epoch seconds that durations in the query count from."""
    query: Query = EVERY_TASK
    limit: int | None = None
    """How many entries to hand over, the newest; None for all."""
    timeout: float = SEARCH_TIMEOUT
    """Seconds after which a search that is not thorough ends."""
    thorough: bool = False
    """Whether every entry is searched, however long it takes, and the total is exact."""
    values: bool = True
    """Whether results and arguments are wanted."""
    ended_before: float | None = None
    """Only entries of tasks that ended before this time."""
    redaction: Redaction = field(default_factory=Redaction)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The terms of the query."""
        return tuple(term.condition for term in self.query.terms)

    @property
    def unfinished(self) -> bool:
        """Whether unfinished tasks are searched: only if the query names one of their states."""
        return self.thorough and names_unfinished(self.conditions)

    @property
    def needs_values(self) -> bool:
        """Whether results and arguments have to be read."""
        named = {condition.field for condition in self.conditions}
        return self.values or None in named or bool(named & (_VALUE_FIELDS | {"place"}))

    def criteria(self, columns: Collection[str]) -> Criteria | None:
        """Return what a database can search by; None if no entry can match."""
        return criteria(
            self.conditions,
            columns,
            self.now,
            unfinished=self.unfinished,
            ended_before=self.ended_before,
        )

    def matching(self, metas: Sequence[ResultMeta]) -> list[ResultMeta]:
        """Return the entries that match, in their order."""
        wanted = [meta for meta in metas if self._is_wanted(meta)]
        if self.query.empty or not wanted:
            return wanted
        tasks = tasks_from(wanted, self.now, self.redaction)
        matches = self.query.matches
        return [meta for meta in wanted if meta.id in tasks and matches(tasks[meta.id], self.now)]

    def _is_wanted(self, meta: ResultMeta) -> bool:
        if not meta.ready and not self.unfinished:
            return False
        ended = meta.done_at
        return self.ended_before is None or ended is None or ended < self.ended_before
