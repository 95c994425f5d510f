"""The base class of the result backends' readers."""

from __future__ import annotations

import abc
import threading
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ....model.entities.fault import Fault
from ....model.entities.result import ResultMeta

if TYPE_CHECKING:
    from ..redis_channel import RedisChannel

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
    type. `read` and `close` are enough; override `wait` and `recent` if it can do more.
    """

    unavailable: str | None = None
    """Why this backend can never be read, in words; None if it can."""
    location: tuple[object, ...] = ()
    """What it reads and with which options; readers with equal locations are interchangeable."""

    @abc.abstractmethod
    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id; tasks without an entry are left out.

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

    def listen(self, known: Container[str]) -> RedisChannel | None:
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
