"""What a frozen screen shows: the state of the freeze, or of an earlier time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from ..model.entities.series.time_series import STEP, STEPS
from ..model.frozen_copy import frozen_copy
from ..model.past import state_at
from ..model.stored_past import MINUTE, end_of_minute, stored_state
from .history.stored_moments import StoredMoments

if TYPE_CHECKING:
    from ..cluster.session import StoredHistory
    from ..history.reading.moments import Moment
    from ..model.state import ClusterState

STEPS_PER_CHART: Final = 60
"""Steps in time across the charts."""


class ShownState:
    """The state that the screen shows: the live one, or a frozen copy.

    A table or column that was made before a freeze follows it, since it keeps this object. (It
    must not keep `state.workers.values`, which is of one of the two.)
    """

    def __init__(self, state: ClusterState) -> None:
        self.state = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)

    def __copy__(self) -> ClusterState:
        return copy.copy(self.state)


class Freeze:
    """Freezes what the screen shows, and steps through the last hour and the history.

    Args:
        live: Returns the model as it is now.
        clock: Returns the time in epoch seconds.
        history: Has the minutes before the last hour; None if there is no history.
    """

    def __init__(
        self,
        live: Callable[[], ClusterState],
        clock: Callable[[], float],
        history: StoredHistory | None,
    ) -> None:
        self._live = live
        self._clock = clock
        self._shown = ShownState(live())
        self.state = cast("ClusterState", self._shown)
        """The model as the screen shows it, always the same object."""
        self._snapshot: tuple[float, ClusterState] | None = None
        """When the screen was frozen, and its state then."""
        self._wanted_at: float | None = None
        """A time in memory that the screen has yet to show."""
        self.at: float | None = None
        """The time that a frozen screen shows, epoch seconds; None if it is not frozen."""
        self.moment: Moment | None = None
        """The minute of the history that a frozen screen shows; None for what is in memory."""
        self.moments = StoredMoments(history)
        """The minutes of the history that were asked for."""

    @property
    def snapshot(self) -> ClusterState | None:
        """The state that a frozen screen shows, another object for another time."""
        return None if self.at is None else self._shown.state

    @property
    def held_back(self) -> int:
        """How many events were received since the screen was frozen."""
        return self._live().totals.events - self.state.totals.events

    def begin(self) -> None:
        """Keep what the screen shows as it is."""
        self.at = self._clock()
        self._snapshot = self.at, frozen_copy(self._live())
        self._shown.state = self._snapshot[1]
        self.moments.find_first()

    def end(self) -> None:
        """Show the live model again."""
        self.at = self._snapshot = self.moment = self._wanted_at = None
        self.moments.cancel()
        self._shown.state = self._live()

    @property
    def stepped_back(self) -> bool:
        """Whether an earlier time than that of the freeze is shown."""
        return self._snapshot is not None and self._now < self._snapshot[0]

    @property
    def at_first_record(self) -> bool:
        """Whether the earliest time that is known is shown."""
        if self._snapshot is None:
            return False
        return self._now <= min(self._first_in_memory, self.moments.first_at)

    @property
    def rates_known(self) -> bool:
        """Whether the rates of the time that the screen shows were recorded."""
        if self.moment is not None:
            return bool(self.moment.counts)
        if not self.stepped_back:
            return True
        series = self.state.series
        return series.cluster.at("succeeded", series.sampled_at(self._now)) is not None

    def step(self, steps: int, chart_seconds: int) -> bool:
        """Ask for an earlier or later time; a step is a sixtieth of the charts.

        What is older than the last hour, or than celtop, is read from the history in steps of at
        least a minute. `take_moment` shows it: while a key is held down, only the last time.

        Args:
            steps: Steps forward in time, or back if negative.
            chart_seconds: Seconds that the charts cover.

        Returns:
            Whether there is such a time.
        """
        if self._snapshot is None:
            return False
        first, first_at = self._first_in_memory, self.moments.first_at
        before = self.moments.wanted_at or self._wanted_at or self._now
        at = before + steps * max(STEP, chart_seconds // STEPS_PER_CHART)
        if at < first and first_at < first:
            at = max(_other_minute(before, at), first_at)
            if at != before:
                self.moments.ask(at, later=steps > 0)
            return at != before
        self.moments.cancel()
        self._wanted_at = self._in_memory(at)
        return self._wanted_at != before

    def take_moment(self) -> bool:
        """Show the time that `step` asked for; return whether that changes the screen."""
        if self._snapshot is None:
            return False
        if self._wanted_at is not None:
            at, self._wanted_at = self._wanted_at, None
            return self._show_memory(at)
        if not self.moments.answered:
            return False
        later, found = self.moments.later, self.moments.take()
        first = self._first_in_memory
        if found is None or found.at >= first:
            # Nothing was recorded between the history and what is in memory.
            return later and not self.moments.fault and self._show_memory(self._in_memory(first))
        self.at, self.moment = found.at, found
        self._shown.state = stored_state(
            self._snapshot[1], found.at, found.stored, found.failures, found.log
        )
        return True

    def _show_memory(self, at: float) -> bool:
        """Show the frozen state of a time in memory; return whether that changes the screen."""
        assert self._snapshot is not None
        frozen_at, snapshot = self._snapshot
        if at == self._now:
            return False
        self.at, self.moment = at, None
        self._shown.state = snapshot if at == frozen_at else state_at(snapshot, at)
        return True

    def _in_memory(self, at: float) -> float:
        """Return the time in memory that is nearest to another."""
        assert self._snapshot is not None
        return min(max(at, self._first_in_memory), self._snapshot[0])

    @property
    def _first_in_memory(self) -> float:
        """The first time of the last hour that the frozen state has, epoch seconds."""
        assert self._snapshot is not None
        series = self._snapshot[1].series
        return max(series.cluster.first or series.newest, series.newest - STEPS + 1) * STEP

    @property
    def _now(self) -> float:
        return self._clock() if self.at is None else self.at


def _other_minute(before: float, at: float) -> float:
    """Return the last second of the minute of a time; never of the one of the time before."""
    end = end_of_minute(at)
    if end != end_of_minute(before):
        return end
    return end + MINUTE if at > before else end - MINUTE
