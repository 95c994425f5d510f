"""The changes of limits and consumers that are in force, by cluster, kept in the state folder.

Workers report what they have now, and not what they had before: what undoes a change, a later
celtop can only know from here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from ..model.operations.inverse import CHANGES, Change, left_to_undo
from ..model.operations.kept_change import KeptChange
from ..model.operations.operation import Operation, operation_name
from .files import locked, replace_file, state_folder
from .state_file import read_state

FILE_NAME: Final = "lasting.json"
MAX_CHANGES: Final = 100
"""Changes of each cluster that are kept, the latest."""
MAX_CLUSTERS: Final = 100

_TYPES: Final[dict[str, type[Change]]] = {operation_name(one): one for one in CHANGES}


class _Entry(msgspec.Struct, frozen=True):
    """A change as it is written; its operations are read one by one, as some may be unknown."""

    at: float
    operation: dict[str, Any]
    inverse: tuple[dict[str, Any], ...]
    by: str = ""


_Clusters: TypeAlias = dict[str, tuple[_Entry, ...]]


class LastingChanges:
    """The file of changes, which all celtops of the user share. Safe to use from any thread.

    It is read again only after it has changed: each time it is replaced by a new file.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._given = path
        self._known: tuple[tuple[int, int, int], _Clusters] | None = None
        """What identifies the file that was read last, and its content."""

    @cached_property
    def path(self) -> Path:
        """The file; unless one was given, that of the state folder, which is looked up once."""
        return self._given or state_folder() / FILE_NAME

    def all(self, cluster: str) -> tuple[KeptChange, ...]:
        """Return the changes of a cluster, the latest last, without those of an unknown kind."""
        changes = map(_read, self._clusters().get(cluster, ()))
        return tuple(one for one in changes if one is not None)

    def add(self, cluster: str, change: KeptChange) -> None:
        """Keep a change.

        Raises:
            OSError: The file cannot be written.
        """
        self._update(cluster, lambda entries: (*entries, _entry(change)))

    def forget(self, cluster: str, changes: Collection[KeptChange]) -> None:
        """Remove changes: no worker has them any more.

        Raises:
            OSError: The file cannot be written.
        """
        self._update(
            cluster, lambda entries: tuple(one for one in entries if _read(one) not in changes)
        )

    def undo(self, cluster: str, undone: Change) -> None:
        """Remove what an operation has undone on its workers.

        Raises:
            OSError: The file cannot be written.
        """
        if self._clusters().get(cluster):
            self._update(
                cluster,
                lambda entries: tuple(left for one in entries for left in _left(one, undone)),
            )

    def _update(
        self, cluster: str, update: Callable[[tuple[_Entry, ...]], tuple[_Entry, ...]]
    ) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.path.parent):
            clusters = dict(self._clusters())
            known = clusters.get(cluster, ())
            if (entries := update(known)[-MAX_CHANGES:]) == known:
                return
            # Moved to the end: the clusters that were not changed for longest are dropped.
            clusters.pop(cluster, None)
            if entries:
                clusters[cluster] = entries
            kept = dict(list(clusters.items())[-MAX_CLUSTERS:])
            content = msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n"
            replace_file(self.path, content)

    def _clusters(self) -> _Clusters:
        try:
            found = self.path.stat()
        except OSError:
            return {}
        identity = (found.st_ino, found.st_mtime_ns, found.st_size)
        known = self._known
        if known is None or known[0] != identity:
            known = self._known = identity, read_state(self.path, _Clusters) or {}
        return known[1]


def _entry(change: KeptChange) -> _Entry:
    return _Entry(
        change.at, _fields(change.operation), tuple(map(_fields, change.inverse)), change.by
    )


def _fields(operation: Operation) -> dict[str, Any]:
    return {"name": operation.name, **msgspec.to_builtins(operation)}


def _read(entry: _Entry) -> KeptChange | None:
    """Return the change of an entry; None if an operation is none of those known here."""
    try:
        operation, *inverse = map(_operation, (entry.operation, *entry.inverse))
    except (KeyError, TypeError, msgspec.ValidationError):
        return None
    return KeptChange(operation, tuple(inverse), entry.at, entry.by)


def _operation(fields: dict[str, Any]) -> Change:
    return msgspec.convert(fields, _TYPES[fields["name"]])


def _left(entry: _Entry, undone: Change) -> Iterator[_Entry]:
    """Yield an entry with what is left to undo of it, unless that is nothing."""
    change = _read(entry)
    left = () if change is None else left_to_undo(change.inverse, undone)
    if change is None or left == change.inverse:
        yield entry
    elif left:
        yield _entry(msgspec.structs.replace(change, inverse=left))
