"""The marks of `celtop check` on queues from run to run, by cluster, in the state folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from ..model.health.message_marks import Marks
from .files import locked, replace_file, state_folder
from .state_file import read_state

FILE_NAME: Final = "queue-marks.json"
MAX_CLUSTERS: Final = 100
MAX_QUEUES: Final = 200
"""Queues of each cluster that are remembered, those checked last."""

_Clusters: TypeAlias = dict[str, dict[str, Marks]]


class QueueMarks:
    """The marks of the queues of one cluster; all celtops of the user share the file."""

    def __init__(self, cluster: str, path: Path | None = None) -> None:
        self._cluster = cluster
        self._path = path or state_folder() / FILE_NAME

    def of(self, queue: str) -> Marks:
        """Return what is remembered of a queue."""
        return self._read().get(self._cluster, {}).get(queue, Marks())

    def remember(self, marks: Mapping[str, Marks]) -> None:
        """Replace what is remembered of some queues.

        Raises:
            OSError: The file cannot be written.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._path.parent):
            clusters = self._read()
            queues = clusters.pop(self._cluster, {})
            # Moved to the end: those that were not checked for longest are dropped.
            queues = {name: one for name, one in queues.items() if name not in marks}
            clusters[self._cluster] = dict(list({**queues, **marks}.items())[-MAX_QUEUES:])
            kept = dict(list(clusters.items())[-MAX_CLUSTERS:])
            replace_file(self._path, msgspec.json.encode(kept))

    def _read(self) -> _Clusters:
        return read_state(self._path, _Clusters) or {}
