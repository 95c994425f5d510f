"""The timeline of a task: for each attempt, waiting in the queue, in the worker, and running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from ...model.entities.clock_skew import NO_SKEWS, ClockSkews, to_local
from ...model.entities.states import FINISHED
from ...model.entities.styles import state_style
from ...model.entities.task import Attempt, Task
from ...model.text import units
from ...model.text.sanitize import visible
from ..colours import COLOURS
from ..glyphs import UNICODE, Glyphs
from ..table.cells import fit

PhaseKind: TypeAlias = Literal["queue", "worker", "run"]

PHASE_KINDS: Final[tuple[PhaseKind, ...]] = ("queue", "worker", "run")

MAX_ATTEMPTS: Final = 6
"""The latest attempts are drawn."""
_MIN_BAR_WIDTH: Final = 10
_STATE_WIDTH: Final = 11


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of an attempt, in seconds since the epoch."""

    kind: PhaseKind
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """The duration."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class TimedAttempt:
    """An attempt with its phases."""

    number: int
    state: str
    worker: str | None
    phases: tuple[Phase, ...]


def timed_attempts(task: Task, now: float, skews: ClockSkews = NO_SKEWS) -> list[TimedAttempt]:
    """Return a task's attempts by this host's clock, oldest first; a running phase ends `now`.

    Args:
        task: The task.
        now: The time, by this host's clock.
        skews: Seconds that the workers' clocks are ahead of this host's.
    """
    found: list[TimedAttempt] = []
    since = task.sent_at
    for attempt in task.attempts:
        end = to_local(attempt.finished_at, attempt.worker, skews)
        found.append(_timed(attempt, since, end, skews))
        since = end
    current = Attempt(
        number=task.retries,
        state=task.state,
        worker=task.worker,
        received_at=task.received_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
    )
    end = to_local(task.finished_at, task.worker, skews)
    if end is None:
        end = now if task.lost_at is None else task.lost_at
        if task.state in FINISHED and task.state_at is not None:
            end = to_local(task.state_at, task.state_host, skews)
    found.append(_timed(current, since, end, skews))
    return found


def _timed(
    attempt: Attempt, since: float | None, end: float | None, skews: ClockSkews
) -> TimedAttempt:
    """Split an attempt into phases; unknown times are skipped."""
    phases: list[Phase] = []
    received = to_local(attempt.received_at, attempt.worker, skews)
    times = (since, received, to_local(attempt.started_at, attempt.worker, skews), end)
    for number, kind in enumerate(PHASE_KINDS):
        start = times[number]
        after = next((time for time in times[number + 1 :] if time is not None), None)
        if start is not None and after is not None and after > start:
            phases.append(Phase(kind, start, after))
    return TimedAttempt(attempt.number, attempt.state, attempt.worker, tuple(phases))


class Timeline(Widget):
    """A task's attempts as bars on one scale, with durations."""

    DEFAULT_CSS = "Timeline { height: auto; width: 1fr; }"

    def __init__(self, *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._attempts: list[TimedAttempt] = []

    def show(self, task: Task, now: float, skews: ClockSkews = NO_SKEWS) -> None:
        """Show the current state of a task."""
        found = timed_attempts(task, now, skews)[-MAX_ATTEMPTS:]
        if found != self._attempts:
            layout = len(found) != len(self._attempts)
            self._attempts = found
            self.refresh(layout=layout)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines, including the legend."""
        return len(self._attempts) + bool(self._attempts)

    def render(self) -> Content:
        """Draw the legend and one line per attempt."""
        if not self._attempts:
            return Content("")
        width = self.size.width
        lines = [self._line(attempt, width) for attempt in self._attempts]
        return Content("\n").join([self._legend(), *lines])

    def _legend(self) -> Content:
        fills = self._glyphs.phases
        names = ("waiting in the queue", "waiting in the worker", "running")
        parts = [f"{fill} {name}" for fill, name in zip(fills, names, strict=True)]
        legend = fit("   ".join(parts), self.size.width, self._glyphs.ellipsis)
        return Content.styled(legend.rstrip(), "$text-muted")

    def _line(self, attempt: TimedAttempt, width: int) -> Content:
        glyphs = self._glyphs
        colour = COLOURS[state_style(attempt.state)]
        state = fit(f"{glyphs.state(attempt.state)} {attempt.state}", _STATE_WIDTH, glyphs.ellipsis)
        head = f"{attempt.number + 1:>2} "
        durations = "  ".join(
            f"{phase.kind} {units.duration(phase.seconds)}" for phase in attempt.phases
        )
        worker = f"  {visible(attempt.worker, 60)}" if attempt.worker else ""
        taken = len(head) + _STATE_WIDTH + 1
        tail = f"  {durations}{worker}"
        if width - taken - len(tail) < _MIN_BAR_WIDTH:
            tail = f"  {durations}"
        room = max(_MIN_BAR_WIDTH, min(width - taken - len(tail), width // 2))
        tail = fit(tail, max(0, width - taken - room), glyphs.ellipsis).rstrip()
        return Content.assemble(
            (head, "$text-muted"), (state, colour), " ", *self._bar(attempt, room, colour), tail
        )

    def _bar(self, attempt: TimedAttempt, width: int, colour: str) -> list[tuple[str, str]]:
        starts = [phase.start for one in self._attempts for phase in one.phases]
        ends = [phase.end for one in self._attempts for phase in one.phases]
        if not starts:
            return [(" " * width, "")]
        first, whole = min(starts), max(ends) - min(starts)
        parts: list[tuple[str, str]] = []
        for phase, (start, end) in zip(
            attempt.phases, _extents(attempt.phases, first, whole, width), strict=True
        ):
            taken = sum(len(text) for text, _ in parts)
            parts.append((" " * (start - taken), ""))
            style = colour if phase.kind == "run" else "$text-muted"
            parts.append(
                (self._glyphs.phases[PHASE_KINDS.index(phase.kind)] * (end - start), style)
            )
        parts.append((" " * max(0, width - sum(len(text) for text, _ in parts)), ""))
        return [part for part in parts if part[0]]


def _extents(
    phases: Sequence[Phase], first: float, whole: float, width: int
) -> list[tuple[int, int]]:
    """Return the cells of each phase; each takes at least one cell, and none overlap."""
    extents: list[tuple[int, int]] = []
    at = 0
    for number, phase in enumerate(phases):
        following = len(phases) - number - 1
        start = max(at, round((phase.start - first) / whole * width) if not extents else at)
        start = min(start, width - following - 1)
        end = round((phase.end - first) / whole * width)
        end = max(start + 1, min(end, width - following))
        extents.append((start, end))
        at = end
    return extents
