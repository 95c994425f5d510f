"""Lookups in a recording: only in the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from ..cluster.lookup.best_source import best_source, known_task
from ..cluster.lookups import Lookups
from ..model.routing import routing
from ..model.state import ClusterState

if TYPE_CHECKING:
    from ..model.entities.result import ResultMeta
    from ..model.lookup import TaskLookup
    from ..model.observations import HistorySearched, QueuePeeked
    from ..model.operations.call import Recovered
    from ..model.operations.commands import PurgeResults
    from ..model.query.language import Query
    from ..settings import Settings

REFUSAL: Final = "this is a recording"
"""Why operations and lookups are unavailable."""


class NoCluster(Exception):
    """A recording cannot be asked for anything that is not in it."""

    def __init__(self) -> None:
        super().__init__(REFUSAL)


class RecordedLookups(Lookups):
    """Finds nothing that is not in the model; there is no cluster to ask.

    Args:
        model: Returns the present model.
        settings: The settings.
    """

    def __init__(self, model: Callable[[], ClusterState], settings: Settings) -> None:
        self._model = model
        self._own = settings

    def recover_calls(
        self, ids: Sequence[str], *, for_retry: bool = False
    ) -> Future[tuple[Recovered, ...]]:
        """Return what the recording has of what tasks were sent with."""
        found: Future[tuple[Recovered, ...]] = Future()
        state, settings = self._model(), self._own
        routes = routing(state, settings.routes, settings.default_queue)
        found.set_result(tuple(best_source(known_task(id_, state), routes) for id_ in ids))
        return found

    def sent_task(self, id_: str) -> Recovered | None:
        """Return None: no message is kept."""
        return None

    def peek(
        self,
        queue: str | None,
        limit: int,
        task: str | None = None,
        skip: int = 0,
        progress: Callable[[int], object] | None = None,
    ) -> Future[QueuePeeked]:
        """Fail: there is no queue to read."""
        return _unavailable()

    def read_revoked(self) -> Future[None]:
        """Fail: there is no worker to ask."""
        return _unavailable()

    def result(self, id_: str) -> Future[ResultMeta | None]:
        """Fail: there is no result backend to read."""
        return _unavailable()

    def search_history(
        self,
        query: Query,
        text: str | None = None,
        limit: int | None = None,
        timeout: float = 10.0,
    ) -> Future[HistorySearched]:
        """Fail: there is no result backend to search."""
        return _unavailable()

    def plan_results_purge(self, filter_text: str, *, utc: bool = False) -> Future[PurgeResults]:
        """Fail: there is no result backend to purge."""
        return _unavailable()

    def find_task(self, id_: str) -> Future[TaskLookup]:
        """Fail: there is no cluster to search."""
        return _unavailable()


def _unavailable() -> Future[Any]:
    failed: Future[Any] = Future()
    failed.set_exception(NoCluster())
    return failed
