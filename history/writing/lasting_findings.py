"""The findings that last when a celtop begins to write a history that another one wrote before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import structs

from ...model.health.first_found import MAX_GAP, SETTLED_AFTER
from ..rows import Run, StoredFinding

_Key: TypeAlias = tuple[str, str, str]


class LastingFindings:
    """Continues the rows of the writer before, and ends those of findings that are gone."""

    def __init__(self) -> None:
        self._rows: dict[_Key, StoredFinding] = {}
        self._began_at: dict[tuple[_Key, float], float] = {}
        """When findings began by the writer before, by when they did for this celtop."""
        self._unsettled: dict[_Key, StoredFinding] = {}
        """Findings of the writer before that this celtop may still find, as if they ended then."""
        self._settled_at = 0.0

    def take(self, rows: Iterable[StoredFinding]) -> None:
        """Take note of new rows."""
        for row in rows:
            if row.ended_at is None:
                self._rows[_key(row)] = row
            else:
                self._rows.pop(_key(row), None)

    def continued(self, rows: Iterable[StoredFinding]) -> tuple[StoredFinding, ...]:
        """Return rows with the beginnings that are stored."""
        return tuple(map(self._continued, rows))

    def resume(
        self, run: Run, stored: Iterable[StoredFinding], written_at: float | None
    ) -> tuple[StoredFinding, ...]:
        """Return the rows with which this celtop begins to write.

        Args:
            run: Its run of a cluster.
            stored: The findings of the cluster in the history that have not ended, oldest first.
            written_at: When it was last written, in epoch seconds: all else has ended by then.
        """
        cluster = run.cluster
        self._unsettled = {key: row for key, row in self._unsettled.items() if key[0] != cluster}
        self._settled_at = run.began_at + SETTLED_AFTER
        is_over = written_at is None or run.alive_at - written_at > MAX_GAP
        gone: list[StoredFinding] = []
        going_on: set[_Key] = set()
        for row in stored:
            key = _key(row)
            known = self._rows.get(key)
            ended = structs.replace(row, ended_at=written_at)
            if is_over or key in going_on:
                gone.append(ended)
                continue
            going_on.add(key)
            if known is None:
                self._unsettled[key] = ended
            else:
                self._began_at[key, known.began_at] = row.began_at
        lasting = (row for row in self._rows.values() if row.cluster == cluster)
        return (*gone, *map(self._continued, lasting))

    def gone(self, now: float) -> tuple[StoredFinding, ...]:
        """Return the rows of findings of the writer before that were not found in time."""
        return tuple(self._unsettled.values()) if now >= self._settled_at else ()

    def forget_gone(self, now: float) -> None:
        """Forget what `gone` has returned, once that is written."""
        if now >= self._settled_at:
            self._unsettled.clear()

    def _continued(self, row: StoredFinding) -> StoredFinding:
        key = _key(row)
        before = self._unsettled.pop(key, None)
        if before is not None:
            self._began_at[key, row.began_at] = before.began_at
        began_at = self._began_at.get((key, row.began_at))
        return row if began_at is None else structs.replace(row, began_at=began_at)


def _key(row: StoredFinding) -> _Key:
    return row.cluster, row.code, row.subject
