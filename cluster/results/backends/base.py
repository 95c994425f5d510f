"""What every reader of a result backend can do, and how one fails."""

from __future__ import annotations

import abc
import threading
import time
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ....model.entities.fault import Fault
from ....model.entities.result import ResultMeta

if TYPE_CHECKING:
    from ..redis_channel import RedisChannel

_FIRST_POLL_DELAY: Final = 0.1
_MAX_POLL_DELAY: Final = 2.0
RECENT_BLOCK_SIZE: Final = 100
"""Old entries that are handed on at once."""


class ResultsError(Exception):
    """A result backend could not be read; the text says why, without passwords."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class ResultReader(abc.ABC):
    """Reads one result backend; connects when first asked. Safe to use from several threads."""

    unavailable: str | None = None
    """Why nothing can ever be read here, in words; None if it can."""
    location: tuple[object, ...] = ()
    """What it reads, and how: two readers of one place are as good as each other."""

    @abc.abstractmethod
    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return what is kept of these tasks, by id; what is not kept is left out.

        Raises:
            ResultsError: The backend cannot be read.
        """

    def wait(self, id_: str, timeout: float, stop: threading.Event) -> ResultMeta | None:
        """Return a task's entry when the task has ended; None if that takes too long.

        Args:
            id_: The task's id.
            timeout: Seconds.
            stop: Ends the wait when it is set.

        Raises:
            ResultsError: The backend cannot be read.
        """
        deadline = time.monotonic() + timeout
        pause = _FIRST_POLL_DELAY
        while True:
            found = self.read([id_]).get(id_)
            if found is not None and found.ready:
                return found
            remaining = deadline - time.monotonic()
            if remaining <= 0 or stop.wait(min(pause, remaining)):
                return None
            pause = min(pause * 1.5, _MAX_POLL_DELAY)

    def recent(
        self, most: int, since: float | None = None, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of tasks that have ended, the newest first, about as they did.

        Nothing where a backend cannot list what it keeps.

        Args:
            most: How many at most.
            since: Only of tasks that ended later than this, epoch seconds.
            stop: Ends it when it is set.

        Raises:
            ResultsError: The backend cannot be read.
        """
        return iter(())

    def listen(self, known: Container[str]) -> RedisChannel | None:
        """Return a subscription to what becomes of tasks; None where the backend tells nobody.

        Args:
            known: The ids of the tasks that matter; may change at any time.

        Raises:
            Refused: The backend does not let us.
            ResultsError: It cannot be reached.
        """
        return None

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of whatever is open; a read under way fails."""


def newest_first(
    metas: list[ResultMeta], most: int, since: float | None
) -> Iterator[tuple[ResultMeta, ...]]:
    """Yield what `ResultReader.recent` does, of entries in any order."""
    ended = [
        meta for meta in metas if meta.ready and (since is None or (meta.done_at or 0) > since)
    ]
    ended.sort(key=lambda meta: meta.done_at or 0.0, reverse=True)
    for start in range(0, min(most, len(ended)), RECENT_BLOCK_SIZE):
        yield tuple(ended[start : min(start + RECENT_BLOCK_SIZE, most)])


class Unreadable(ResultReader):
    """A backend that nobody but its workers can read, or none at all."""

    def __init__(self, unavailable: str) -> None:
        self.unavailable = unavailable

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Fail.

        Raises:
            ResultsError: Always, with the reason.
        """
        raise ResultsError(Fault("results", self.unavailable or "", ""))

    def close(self) -> None:
        """Do nothing: nothing is open."""
