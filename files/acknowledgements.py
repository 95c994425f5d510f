"""The findings that this user has acknowledged, by cluster, kept in the state folder."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from ..model.health.acknowledgement import Acknowledgement, Key, acknowledgement
from ..model.health.finding import Finding
from .files import locked, replace_file, state_folder
from .state_file import read_state

FILE_NAME: Final = "acknowledged.json"
MAX_KEPT: Final = 1_000
"""Acknowledgements of each cluster that are kept, the newest."""
MAX_CLUSTERS: Final = 200
GONE_AFTER: Final = 60.0
"""Seconds without the finding after which its acknowledgement ends; workers may reconnect."""

_Clusters: TypeAlias = dict[str, list[Acknowledgement]]


class Acknowledgements:
    """The acknowledged findings of one cluster.

    Args:
        path: The file that other celtops of the user share; None keeps them in memory only.
        cluster: The cluster, such as its broker's URL without the password.
    """

    def __init__(self, path: Path | None, cluster: str = "") -> None:
        self._path = path
        self._cluster = cluster
        self._held: dict[Key, Acknowledgement] | None = None
        self._modified: float | None = None
        self._seen_at: dict[Key, float] = {}
        self.version = 0
        """Counts up with each change."""

    @classmethod
    def of_user(cls, cluster: str) -> Acknowledgements:
        """Return those of the user who runs celtop."""
        return cls(state_folder() / FILE_NAME, cluster)

    def quiets(self, finding: Finding) -> bool:
        """Return whether a finding is acknowledged, and has not become worse since."""
        if not (held := self._loaded()):
            return False
        known = held.get((finding.code, finding.subject))
        return known is not None and known.quiets(finding)

    def add(self, findings: Iterable[Finding], now: float) -> None:
        """Acknowledge findings.

        Raises:
            OSError: The file cannot be written; they are acknowledged until celtop exits.
        """
        new = {one.key: one for one in (acknowledgement(each, now) for each in findings)}
        self._seen_at |= dict.fromkeys(new, now)
        self._change(new, ())

    def remove(self, findings: Iterable[Finding]) -> None:
        """Take acknowledgements back.

        Raises:
            OSError: The file cannot be written; they are taken back until celtop exits.
        """
        self._change({}, [(each.code, each.subject) for each in findings])

    def update(self, findings: Iterable[Finding], now: float) -> None:
        """End the acknowledgements of findings that have gone, and read those of other celtops.

        One that was never seen here does not end: the cluster may not be known yet.
        """
        self._reload()
        held = self._loaded()
        if not held:
            return
        present = {(one.code, one.subject) for one in findings}
        self._seen_at |= dict.fromkeys(present & held.keys(), now)
        gone = [
            key
            for key, at in self._seen_at.items()
            if key in held and key not in present and now - at > GONE_AFTER
        ]
        if gone:
            with suppress(OSError):
                self._change({}, gone)

    def _change(self, added: dict[Key, Acknowledgement], removed: Iterable[Key]) -> None:
        removed = list(removed)
        self._held = _changed(self._loaded(), added, removed)
        self._seen_at = {key: at for key, at in self._seen_at.items() if key in self._held}
        self.version += 1
        if self._path is None:
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._path.parent):
            clusters = self._read(self._path)
            # Moved to the end: the clusters that were not used for longest are dropped.
            held = {one.key: one for one in clusters.pop(self._cluster, ())}
            clusters[self._cluster] = list(_changed(held, added, removed).values())
            if not clusters[self._cluster]:
                del clusters[self._cluster]
            kept = dict(list(clusters.items())[-MAX_CLUSTERS:])
            replace_file(self._path, msgspec.json.encode(kept))
            self._modified = self._path.stat().st_mtime

    def _loaded(self) -> dict[Key, Acknowledgement]:
        if self._held is None:
            self._reload()
        return self._held or {}

    def _reload(self) -> None:
        """Read the file if it has changed."""
        modified = None
        if self._path is not None:
            with suppress(OSError):
                modified = self._path.stat().st_mtime
        if self._held is not None and modified == self._modified:
            return
        self._modified = modified
        clusters = {} if self._path is None or modified is None else self._read(self._path)
        if modified is not None or self._held is None:
            self._held = {one.key: one for one in clusters.get(self._cluster, ())}
            self.version += 1

    def _read(self, path: Path) -> _Clusters:
        return read_state(path, _Clusters) or {}


def _changed(
    held: dict[Key, Acknowledgement], added: dict[Key, Acknowledgement], removed: Iterable[Key]
) -> dict[Key, Acknowledgement]:
    """Return acknowledgements after a change, the newest last."""
    kept = {key: one for key, one in held.items() if key not in added} | added
    for key in removed:
        kept.pop(key, None)
    return dict(list(kept.items())[-MAX_KEPT:])
