"""Clock skew of workers' hosts, and conversion of their times to the local clock.

A worker's skew is measured from its heartbeats; that of clients is unknown. A skew of less than
`MIN_SKEW` is ignored, as it may be network latency.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self, TypeAlias

ClockSkews: TypeAlias = Mapping[str, float]
"""Seconds that clocks are ahead of the local one, by host; accurate clocks are not listed."""

NO_SKEWS: Final[ClockSkews] = MappingProxyType({})

MIN_SKEW: Final = 2.0
"""Seconds; a smaller skew may be network latency."""

_MIN_CHANGE: Final = 0.5
"""Seconds; a smaller change is ignored, so that displayed times do not flicker."""


class Moment(float):
    """A local time in epoch seconds, with the clock skews that are known then."""

    __slots__ = ("skews",)
    skews: ClockSkews

    def __new__(cls, at: float, skews: ClockSkews) -> Self:
        """Return the moment; it can be used as a number."""
        moment = super().__new__(cls, at)
        moment.skews = skews
        return moment


def skews_at(now: float) -> ClockSkews:
    """Return the clock skews of a moment; none for a plain number."""
    return now.skews if isinstance(now, Moment) else NO_SKEWS


def time_at(host: str | None, now: float) -> float:
    """Return a moment by a host's clock."""
    return now + skews_at(now).get(host or "", 0.0)


class MeasuredSkews:
    """The skews that have been measured."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._shown: ClockSkews | None = NO_SKEWS

    @property
    def current(self) -> ClockSkews:
        """The skews; the same object until one changes.

        The mapping is replaced, never modified: tables redraw all rows when they get another one.
        """
        if self._shown is None:
            self._shown = dict(self._known)
        return self._shown

    def update(self, host: str, skew: float | None) -> None:
        """Set a host's current skew; None is unknown."""
        if skew is None or abs(skew) <= MIN_SKEW:
            if self._known.pop(host, None) is not None:
                self._shown = None
        elif abs(skew - self._known.get(host, 0.0)) > _MIN_CHANGE:
            self._known[host] = skew
            self._shown = None


def to_local(at: float | None, host: str | None, skews: ClockSkews) -> float | None:
    """Return a time of a host's clock by the local clock; None stays None."""
    return None if at is None else at - skews.get(host or "", 0.0)
