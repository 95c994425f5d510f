"""The base class of the result backends' readers."""

from __future__ import annotations

import abc
import sys
import threading
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ....model.entities.fault import Fault
from ....model.entities.result import ResultMeta
from ..criteria import ALL_COLUMNS
from ..search import MAX_EXAMINED, Found, Put, ResultSearch

if TYPE_CHECKING:
    from ...connection.redis.channel import RedisChannel
    from ..result_frames import ResultFrames

NOT_LISTED: Final = "this result backend cannot list its entries"
ONLY_NEWEST: Final = "only the newest results were searched"
RECENT_BLOCK_SIZE: Final = 100
"""Entries in one block of `ResultReader.recent`."""


class ResultsError(Exception):
    """A result backend could not be read; `fault` has the reason, without passwords."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class ResultReader(abc.ABC):
    """Reads one result backend. Safe to use from several threads.

    To have celtop read a backend of your own, subclass this and register a factory that takes the
    backend's URL and the `Settings`, such as the class itself, under the scheme of the URL:

        [project.entry-points."celtop.result_backends"]
        acme = "acme_celtop:AcmeResults"

        class AcmeResults(ResultReader):
            def __init__(self, url: str, settings: Settings) -> None:
                self._url = url

            def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
                with acme.connect(self._url, timeout=5.0) as store:
                    found = store.get_many(f"celery-task-meta-{id_}" for id_ in ids)
                return {id_: from_payload(id_, payload) for id_, payload in found.items()}

            def close(self) -> None:
                pass

    `decode.from_payload` decodes what a key-value backend of Celery stores (JSON, MessagePack, or
    a pickle of plain values, which is never unpickled); `decode.from_mapping` takes the decoded
    fields. `settings.result_backend_transport_options` has the app's options.

    The constructor must return at once: connect in `read`, which may block for some seconds. Raise
    `ResultsError` for a failure that the user can fix; any other exception is reported with its
    type. `read` and `close` are enough; override `recent`, `search` and `delete` if it can
    do more.
    """

    unavailable: str | None = None
    """Why this backend can never be read, in words; None if it can."""
    location: tuple[object, ...] = ()
    """What it reads and with which options; readers with equal locations are interchangeable."""

    @abc.abstractmethod
    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id; tasks without an entry are left out.

        Of several tasks, large results may be left out: see `decode.without_large_result`.

        Raises:
            ResultsError: The backend cannot be read.
        """

    def recent(
        self, limit: int, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of finished tasks, approximately the newest first.

        Yields nothing if the backend cannot list its entries.

        Args:
            limit: Maximum number of entries.
            stop: Ends the listing when it is set.

        Raises:
            ResultsError: The backend cannot be read.
        """
        return iter(())

    def search(self, search: ResultSearch, put: Put, stop: threading.Event | None = None) -> Found:
        """Hand over the entries that match a query, approximately the newest first.

        Args:
            search: What to search for.
            put: Called with each block of entries.
            stop: Ends the search when it is set.

        Raises:
            ResultsError: The backend cannot be read.
        """
        if type(self).recent is ResultReader.recent:
            return Found(0, True, NOT_LISTED)
        if search.criteria(ALL_COLUMNS) is None:
            return Found(0)
        most = sys.maxsize if search.thorough else MAX_EXAMINED
        if search.query.empty and search.limit is not None:
            most = search.limit
        examined, collector = 0, Collector(search, put)
        for block in self.recent(most, stop):
            examined += len(block)
            collector.add(block)
            if collector.full or (stop is not None and stop.is_set()):
                return Found(collector.total, more=True)
        return Found(collector.total, more=examined >= most)

    def delete(self, metas: Sequence[ResultMeta]) -> int:
        """Delete these entries unless they have changed; return how many were deleted.

        Raises:
            ResultsError: They cannot be deleted.
        """
        raise ResultsError(Fault("results", "celtop cannot delete results in this backend", ""))

    def listen(self, known: Container[str]) -> RedisChannel[ResultFrames] | None:
        """Subscribe to the changes of tasks; None if the backend does not publish them.

        Args:
            known: The ids of the tasks to follow; may change at any time.

        Raises:
            ChannelRefused: The user may not subscribe.
            ResultsError: The backend cannot be reached.
        """
        return None

    @abc.abstractmethod
    def close(self) -> None:
        """Close all connections; a read under way fails."""


class Collector:
    """Picks the entries that match, and hands over as many as are wanted.

    Args:
        counts: Whether those beyond the limit have to be counted; None for a thorough search.
    """

    def __init__(self, search: ResultSearch, put: Put, counts: bool | None = None) -> None:
        self.total = 0
        """Entries that match so far."""
        self._search = search
        self._put = put
        self._counts = search.thorough if counts is None else counts
        self._left = sys.maxsize if search.limit is None else search.limit

    @property
    def full(self) -> bool:
        """Whether enough entries were handed over, and the rest need not be counted."""
        return self._left <= 0 and not self._counts

    def add(self, metas: Sequence[ResultMeta]) -> None:
        """Take a block of entries."""
        found = self._search.matching(metas)
        self.total += len(found)
        if wanted := tuple(found[: max(0, self._left)]):
            self._left -= len(wanted)
            self._put(wanted)


def newest_first(metas: list[ResultMeta], limit: int) -> Iterator[tuple[ResultMeta, ...]]:
    """Yield the blocks of `ResultReader.recent` from entries in any order."""
    ended = [meta for meta in metas if meta.ready]
    ended.sort(key=lambda meta: meta.done_at or 0.0, reverse=True)
    for start in range(0, min(limit, len(ended)), RECENT_BLOCK_SIZE):
        yield tuple(ended[start : min(start + RECENT_BLOCK_SIZE, limit)])


class UnavailableResults(ResultReader):
    """A backend that only the workers can read, or none at all."""

    def __init__(self, unavailable: str) -> None:
        self.unavailable = unavailable

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Raise the reason.

        Raises:
            ResultsError: Always.
        """
        raise ResultsError(Fault("results", self.unavailable or "", ""))

    def close(self) -> None:
        """Do nothing."""
