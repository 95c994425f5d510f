"""The clusters of the config file and of the history, each with its status."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

import msgspec

from ..model.entities.cluster.cluster_status import ClusterStatus
from ..model.health.cluster_status import status_of
from ..model.text.passwords import mask_url

if TYPE_CHECKING:
    from .context import AppContext

INTERVAL: Final = 2.0
"""Seconds between two reads of the history."""


class ClusterList:
    """Reads the clusters again while they are asked for."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._stored: dict[str, ClusterStatus] = {}
        self._reading: Future[Sequence[ClusterStatus]] | None = None
        self._read_at = 0.0
        self.problem = ""
        """Why the history could not be read; empty if it was."""

    def rows(self) -> list[ClusterStatus]:
        """Return the clusters that are known now, by name."""
        context, now = self._context, self._context.clock()
        self._read(now)
        current = context.session.cluster
        rows = {}
        for name, table in context.settings.clusters.items():
            broker = mask_url(str(table.get("broker_url", "")))
            row = self._stored.get(name) or ClusterStatus(name, "not recorded")
            rows[name] = msgspec.structs.replace(row, broker=broker)
        rows = {**self._stored, **rows}
        rows[current] = status_of(context.live, current, context.live_findings, now)
        return [rows[name] for name in sorted(rows)]

    def _read(self, now: float) -> None:
        reading = self._reading
        if reading is not None and reading.done():
            self._reading = None
            try:
                self._stored = {row.name: row for row in reading.result()}
                self.problem = ""
            except Exception as error:
                self.problem = str(error)
        if self._reading is None and not 0 <= now - self._read_at < INTERVAL:
            self._read_at = now
            self._reading = self._context.session.history.clusters(now)
