"""Periodic tasks: the entries of beat's schedule, as their sources have them.

Times are epoch seconds. What follows from Celery's own schedules, such as the next times, is
computed where the entries are read, so that it is what beat computes.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

ScheduleSource: TypeAlias = Literal["django-celery-beat", "redbeat", "file", "app", "workers"]
ScheduleKind: TypeAlias = Literal["interval", "crontab", "solar", "clocked", "other"]

SOURCE_NAMES: Final[dict[ScheduleSource, str]] = {
    "django-celery-beat": "django-celery-beat",
    "redbeat": "RedBeat",
    "file": "schedule file",
    "app": "beat_schedule of the app",
    "workers": "beat_schedule of the workers",
}
"""The sources, the closest to a running beat first: of an entry that several have, it is used."""

UPCOMING: Final = 5
"""Times computed in advance."""


class ScheduleEntry(msgspec.Struct, frozen=True):
    """One entry of the schedule."""

    name: str
    task: str
    source: ScheduleSource
    schedule: str
    """In words: `weekdays at 09:00 Europe/Berlin`."""
    kind: ScheduleKind
    definition: str = ""
    """In the notation of its source: `0 9 * * 1-5`."""
    every: float | None = None
    """The interval in seconds; None for all other kinds."""
    zone: str | None = None
    """The time zone of a crontab."""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    exact: bool = True
    """Whether the arguments are those that beat sends: plain JSON values, and none is masked."""
    queue: str | None = None
    """The queue that it is sent to by its own options; None is decided by the routes."""
    priority: int | None = None
    expires_in: float | None = None
    """Seconds after which each task that it sends expires."""
    headers: dict[str, Any] = {}
    options: dict[str, Any] = {}
    """The other options of `apply_async`."""
    enabled: bool = True
    one_off: bool = False
    """Whether it is disabled after it has run once."""
    starts_at: float | None = None
    expires_at: float | None = None
    """When the entry itself expires."""
    last_run_at: float | None = None
    """When beat last sent it, as its source has it; None if it never did or it is unknown."""
    changed_at: float | None = None
    """When it was last changed: beat counts the time from there if it has not run yet."""
    total_runs: int | None = None
    due_at: float | None = None
    """When it is due first after `last_run_at`, or after `changed_at`; None if unknown."""
    upcoming: tuple[float, ...] = ()
    """The next times after it was read; for intervals without a known run none."""
    spacing: float | None = None
    """The shortest time between two runs in seconds; None if unknown."""
    note: str = ""
    """The unknown values, and why they are unknown."""

    @property
    def id(self) -> str:
        """The name: the row's id in tables."""
        return self.name

    def after(self, at: float) -> float | None:
        """Return when it is due first after a run at `at`; None if unknown."""
        if self.every is not None:
            return at + self.every
        if self.due_at is not None and self.last_run_at is not None and at <= self.last_run_at:
            return self.due_at
        return next((time for time in self.upcoming if time > at + 1.0), None)
