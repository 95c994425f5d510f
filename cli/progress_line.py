"""One task on stderr as it goes on: a bar drawn anew on a terminal, else a line for each change."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, Protocol

from ..model.entities.states import PENDING, RETRY
from ..model.text import units
from ..model.text.sanitize import visible
from . import stderr

if TYPE_CHECKING:
    from ..model.entities.task import Progress, Task
    from ..model.state import ClusterState
    from ..widgets.glyphs import Glyphs

BAR: Final = 24
"""Cells of the bar."""
LONGEST: Final = 200
"""Characters of a text that are shown."""
NARROWEST: Final = 20
_CLEAR: Final = "\x1b[K"


class Display(Protocol):
    """What shows a task as it goes on."""

    def show(self, task: Task, now: float) -> None:
        """Show how it stands."""

    def note(self, text: str) -> None:
        """Say something beside."""

    def end(self) -> None:
        """Leave the terminal as a line that is written to its end."""


def display_for(state: ClusterState, ascii_only: bool | None = None) -> Display:
    """Return what suits stderr.

    Args:
        state: The model, which reckons the time left.
        ascii_only: Whether to draw with ASCII; None goes by the encoding of stderr.
    """
    from ..widgets.glyphs import ASCII, UNICODE

    if ascii_only is None:
        ascii_only = "utf" not in (sys.stderr.encoding or "").lower()
    if sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", ""):
        return BarLine(state, ASCII if ascii_only else UNICODE)
    return PlainLines(state)


class PlainLines:
    """A line for each change."""

    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self._told: object = None

    def show(self, task: Task, now: float) -> None:
        """Tell what has changed."""
        progress = task.progress if task.running else None
        told = (
            task.state, task.retries, task.worker, task.lost_at is None, task.revoking,
            None if progress is None else (_percent(progress), progress.current, progress.text),
        )  # fmt: skip
        if told == self._told:
            return
        self._told = told
        parts = [task.state, visible(task.name or "?", LONGEST)]
        if progress is not None:
            parts += [_percent(progress), _amount(progress), visible(progress.text or "", LONGEST)]
        parts += [situation(task, now), left(self._state, task, now)]
        stderr.say("  ".join(part for part in parts if part))

    def note(self, text: str) -> None:
        """Say it."""
        stderr.say(text)

    def end(self) -> None:
        """Nothing is left open."""


class BarLine:
    """One line on a terminal, drawn anew in its place."""

    def __init__(self, state: ClusterState, glyphs: Glyphs) -> None:
        self._state = state
        self._glyphs = glyphs
        self._drawn = ""

    def show(self, task: Task, now: float) -> None:
        """Draw the line, if it differs."""
        line = self.line(task, now, _width())
        if line != self._drawn:
            self._drawn = line
            sys.stderr.write(f"\r{line}{_CLEAR}")
            sys.stderr.flush()

    def line(self, task: Task, now: float, width: int) -> str:
        """Return the line: state, name, bar, and what else there is room for."""
        from ..widgets.table.cells import fit

        glyphs = self._glyphs
        parts = [f"{glyphs.state(task.state)} {visible(task.state, LONGEST)}"]
        parts.append(visible(task.name or "?", LONGEST))
        if task.running:
            parts.append(self._bar(task, now))
            told = task.progress
            if told is not None:
                parts += [_amount(told), visible(told.text or "", LONGEST)]
        elapsed = task.elapsed(now + self._state.skew(task.worker))
        if elapsed is not None:
            parts.append(units.duration(elapsed))
        parts += [left(self._state, task, now), situation(task, now)]
        text = "  ".join(part for part in parts if part)
        return fit(text, width - 1, glyphs.ellipsis).rstrip()

    def _bar(self, task: Task, now: float) -> str:
        from ..widgets.charts.progress import progress_cells

        told, estimated = task.progress, False
        if told is None or told.fraction is None:
            told, estimated = self._state.estimate(task, now), True
        cells = progress_cells(
            None if told is None else told.fraction, BAR, self._glyphs,
            estimated=estimated, step=int(now * 4),
        )  # fmt: skip
        return "".join(text for text, _ in cells).rstrip()

    def note(self, text: str) -> None:
        """Say it in a line of its own; the bar goes on below."""
        self.end()
        stderr.say(text)

    def end(self) -> None:
        """Go to the next line, if this one is written to."""
        if self._drawn:
            self._drawn = ""
            sys.stderr.write("\n")
            sys.stderr.flush()


def situation(task: Task, now: float) -> str:
    """Return where a task is that is not at work, in words."""
    if task.finished:
        return ""
    if task.lost_at is not None:
        return "its worker runs it no more, and no end was heard"
    if task.revoking:
        return "revoke requested"
    due = "" if task.eta_at is None else f"due in {units.duration(max(0.0, task.eta_at - now))}"
    if task.state == RETRY:
        why = visible(task.exception or "", LONGEST)
        return "  ".join(part for part in (f"retry {task.retries + 1}", due, why) if part)
    if task.waiting:
        where = f"waiting in {visible(task.queue)}" if task.queue else "waiting"
        if task.state != PENDING and task.worker:
            where = f"waiting at {visible(task.worker)}"
        return "  ".join(part for part in (where, due) if part)
    return f"at {visible(task.worker, LONGEST)}" if task.worker else ""


def left(state: ClusterState, task: Task, now: float) -> str:
    """Return how long a task still takes, as far as that can be told."""
    seconds = state.time_left(task, now)
    return "" if seconds is None else f"~{units.duration(seconds)} left"


def _percent(progress: Progress) -> str:
    fraction = progress.fraction
    return "" if fraction is None else f"{int(fraction * 100 + 1e-9)} %"


def _amount(progress: Progress) -> str:
    if progress.current is None:
        return ""
    return f"{progress.current:g} of {progress.total:g}" if progress.total else ""


def _width() -> int:
    try:
        return max(NARROWEST, os.get_terminal_size(sys.stderr.fileno()).columns)
    except OSError:
        return 80
