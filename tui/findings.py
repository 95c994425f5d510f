"""The findings for the screen, computed at most once a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ..model.health.finding import Finding
from ..model.health.findings import findings
from ..model.health.first_found import FirstFound

if TYPE_CHECKING:
    from ..files.acknowledgements import Acknowledgements
    from ..model.state import ClusterState

MIN_INTERVAL: Final = 1.0
"""Seconds for which findings are reused in any case."""
MAX_SHARE: Final = 0.01
"""The part of the time that may be spent on findings."""


class ScreenFindings:
    """The findings of the live model and of a frozen one, each with the time when it began."""

    def __init__(self) -> None:
        self._first_found = FirstFound()
        self._live: tuple[float, tuple[Finding, ...]] | None = None
        """When the findings of the live model were last computed, and their value."""
        self._interval = MIN_INTERVAL
        """Seconds for which they are reused."""
        self._frozen: tuple[ClusterState, tuple[Finding, ...]] | None = None
        """The frozen model that was looked at last, and its findings."""

    def live(
        self, state: ClusterState, now: float, acknowledgements: Acknowledgements
    ) -> tuple[Finding, ...]:
        """Return what needs attention now, the worst first; new findings end acknowledgements.

        They are computed at most once a second, and in a large cluster in at most a hundredth of
        the time.
        """
        held = self._live
        if held is None or not 0 < now - held[0] < self._interval:
            started = time.perf_counter()
            found = findings(state, now)
            held = self._live = now, self._first_found.update(found, now, state.earlier_findings)
            cost = time.perf_counter() - started
            self._interval = max(MIN_INTERVAL, cost / MAX_SHARE)
            acknowledgements.update(held[1], now)
        return held[1]

    def frozen(self, state: ClusterState, now: float) -> tuple[Finding, ...]:
        """Return the findings of a frozen model, which does not change; the worst first."""
        held = self._frozen
        if held is None or held[0] is not state:
            held = self._frozen = state, self._first_found.dated(findings(state, now))
        return held[1]
