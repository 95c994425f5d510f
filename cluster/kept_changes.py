"""The changes of limits and consumers that celtop remembers from one session to the next."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

from msgspec.structs import replace

from ..files.lasting_changes import LastingChanges
from ..model.operations.commands import Operation
from ..model.operations.inverse import inverse
from ..model.operations.kept_change import KeptChange, ended, to_ask
from ..model.state import ClusterState


class KeptChanges:
    """The changes of one cluster, compared with what its workers report.

    Args:
        cluster: The cluster's name in the file.
        state: The model.
        ask: Asks workers soon for their replies to an inspect command.
    """

    def __init__(
        self,
        cluster: str,
        state: ClusterState,
        ask: Callable[[str, Collection[str]], object],
    ) -> None:
        self._cluster = cluster
        self._state = state
        self._ask = ask
        self._file = LastingChanges()
        self._known: tuple[KeptChange, ...] = ()
        """The changes of the last update."""

    def update(self, paused: Collection[str], now: float) -> tuple[KeptChange, ...]:
        """Return the changes, the latest last; those that workers no longer have are forgotten.

        Args:
            paused: The paused queues.
            now: The time in epoch seconds.
        """
        workers, kept = self._state.workers, self._file.all(self._cluster)
        # Another celtop may have undone what is gone, which workers do not report by themselves.
        undone = [replace(one, at=now) for one in self._known if one not in kept]
        if over := ended(kept, workers, paused):
            with suppress(OSError):
                self._file.forget(self._cluster, over)
            kept = tuple(one for one in kept if one not in over)
        self._known = kept
        for command, names in to_ask((*kept, *undone), workers).items():
            self._ask(command, names)
        return kept

    def inverse(self, operation: Operation) -> tuple[Operation, ...]:
        """Return what undoes an operation that is about to start; empty if it undoes another."""
        earlier = [one.inverse for one in self._file.all(self._cluster)]
        earlier += [outcome.inverse for outcome in self._state.operations.values()]
        return inverse(operation, self._state.workers, earlier)
