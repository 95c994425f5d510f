"""The findings that last when a celtop begins to write a history that another one wrote before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import structs

from ..rows import StoredFinding

_Key: TypeAlias = tuple[str, str, str]


class LastingFindings:
    """Continues the rows of the writer before, and ends those of findings that are gone."""

    def __init__(self) -> None:
        self._rows: dict[_Key, StoredFinding] = {}
        self._began_at: dict[tuple[_Key, float], float] = {}
        """When findings began by the writer before, by when they did for this celtop."""

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
        self, cluster: str, stored: Iterable[StoredFinding], written_at: float | None
    ) -> tuple[StoredFinding, ...]:
        """Return the rows with which this celtop begins to write.

        Args:
            cluster: The cluster.
            stored: Its findings in the history that have not ended, the oldest first.
            written_at: When it was last written, in epoch seconds: all else has ended by then.
        """
        gone: list[StoredFinding] = []
        going_on: set[_Key] = set()
        for row in stored:
            key = _key(row)
            known = self._rows.get(key)
            if known is None or key in going_on:
                gone.append(structs.replace(row, ended_at=written_at))
            else:
                going_on.add(key)
                self._began_at[key, known.began_at] = row.began_at
        lasting = (row for row in self._rows.values() if row.cluster == cluster)
        return (*gone, *map(self._continued, lasting))

    def _continued(self, row: StoredFinding) -> StoredFinding:
        began_at = self._began_at.get((_key(row), row.began_at))
        return row if began_at is None else structs.replace(row, began_at=began_at)


def _key(row: StoredFinding) -> _Key:
    return row.cluster, row.code, row.subject
