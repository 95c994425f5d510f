"""The minutes of the history to which a frozen screen goes back, read in the background."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...cluster.session import StoredHistory
    from ...history.reading.moments import Moment


class StoredMoments:
    """Reads one minute after the other; only the last one that was asked for counts.

    Args:
        history: Reads them; None if there is no history.
    """

    def __init__(self, history: StoredHistory | None) -> None:
        self._history = history
        self._asked: Future[Moment] | None = None
        self.wanted_at: float | None = None
        """The minute that is being read, by its last second; None if none is."""

    @property
    def available(self) -> bool:
        """Whether there is a history."""
        return self._history is not None

    def ask(self, at: float) -> None:
        """Have a minute read, by its last second, in place of the one before."""
        self.cancel()
        if self._history is not None:
            self.wanted_at, self._asked = at, self._history.moment(at)

    def cancel(self) -> None:
        """Want no minute any longer."""
        if self._asked is not None:
            self._asked.cancel()
        self.wanted_at = self._asked = None

    def take(self) -> Moment | None:
        """Return the minute once, when it has been read; None otherwise."""
        asked = self._asked
        if asked is None or not asked.done():
            return None
        self.wanted_at = self._asked = None
        if asked.cancelled() or asked.exception() is not None:
            return None
        return asked.result()
