"""The minutes of the history to which a frozen screen goes back, read in the background."""

from __future__ import annotations

from concurrent.futures import Future
from math import inf
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
        self._first: Future[float | None] | None = None
        self._asked: Future[Moment | None] | None = None
        self.wanted_at: float | None = None
        """The minute that is being read, by its last second; None if none is."""
        self.later = False
        """Whether it is later than what the screen shows."""
        self.fault = ""
        """Why the last minute could not be read; empty if it was."""

    def find_first(self) -> None:
        """Look up when the history begins."""
        self._first = None if self._history is None else self._history.recorded_since()

    @property
    def first_at(self) -> float:
        """The last second of the first minute; infinite without one, -infinite until known."""
        if self._first is None:
            return inf
        if not self._first.done() or self._first.cancelled() or self._first.exception():
            return -inf
        found = self._first.result()
        return inf if found is None else found

    def ask(self, at: float, *, later: bool) -> None:
        """Have a minute read, by its last second, in place of the one before."""
        self.cancel()
        if self._history is not None:
            self.wanted_at, self.later = at, later
            self._asked = self._history.moment(at, later=later)

    def take_fault(self) -> str:
        """Return why the last minute could not be read, once; empty if it was."""
        fault, self.fault = self.fault, ""
        return fault

    def cancel(self) -> None:
        """Forget the requested minute."""
        if self._asked is not None:
            self._asked.cancel()
        self.wanted_at = self._asked = None
        self.fault = ""

    @property
    def answered(self) -> bool:
        """Whether the minute that was asked for has been read, or cannot be."""
        return self._asked is not None and self._asked.done()

    def take(self) -> Moment | None:
        """Return the minute once it is `answered`; None if there is none, or if it failed."""
        asked = self._asked
        assert asked is not None
        self.wanted_at = self._asked = None
        if asked.cancelled():
            return None
        error = asked.exception()
        self.fault = "" if error is None else str(error)
        return asked.result() if error is None else None
