"""The progress of one task on stderr: a bar on a terminal, otherwise one line per change."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, Protocol

from ...model.entities.states import PENDING, RETRY
from ...model.ingest.tasks.rate_limited import held_text
from ...model.text import units
from ...model.text.sanitize import visible
from . import stderr
from .status_line import CLEAR_TO_END

if TYPE_CHECKING:
    from ...model.entities.task import Progress, Task
    from ...model.state import ClusterState
    from ...widgets.glyphs import Glyphs

BAR_WIDTH: Final = 24
"""Cells of the bar."""
MAX_TEXT_LENGTH: Final = 200
"""Characters shown of a text."""
MIN_WIDTH: Final = 20


class Display(Protocol):
    """Shows the progress of a task."""

    def show(self, task: Task, now: float) -> None:
        """Show the task's current state."""

    def note(self, text: str) -> None:
        """Print a message."""

    def end(self) -> None:
        """End an unfinished line."""


def display_for(state: ClusterState, ascii_only: bool | None = None) -> Display:
    """Return the display that suits stderr; without `ascii_only`, its encoding decides."""
    from ...widgets.glyphs import ASCII, UNICODE

    if ascii_only is None:
        ascii_only = "utf" not in (sys.stderr.encoding or "").lower()
    if sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", ""):
        return BarLine(state, ASCII if ascii_only else UNICODE)
    return PlainLines(state)


class PlainLines:
    """One line per change."""

    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self._shown: object = None

    def show(self, task: Task, now: float) -> None:
        """Print the task if it has changed, but not for the passing of time alone."""
        progress = task.progress if task.running else None
        shown = (
            task.state, task.retries, task.worker, task.lost_at is None, task.revoking,
            None if progress is None else (_percent(progress), progress.current, progress.text),
        )  # fmt: skip
        if shown == self._shown:
            return
        self._shown = shown
        parts = [task.state, visible(task.name or "?", MAX_TEXT_LENGTH)]
        if progress is not None:
            text = visible(progress.text or "", MAX_TEXT_LENGTH)
            parts += [_percent(progress), units.steps(progress.current, progress.total), text]
        parts += [location(task, now), time_left(self._state, task, now)]
        stderr.echo("  ".join(part for part in parts if part))

    def note(self, text: str) -> None:
        """Print a message."""
        stderr.echo(text)

    def end(self) -> None:
        """Do nothing: every line is finished."""


class BarLine:
    """One line with a bar on a terminal, redrawn in place."""

    def __init__(self, state: ClusterState, glyphs: Glyphs) -> None:
        self._state = state
        self._glyphs = glyphs
        self._drawn = ""

    def show(self, task: Task, now: float) -> None:
        """Draw the line if it has changed."""
        line = self.line(task, now, _terminal_width())
        if line != self._drawn:
            self._drawn = line
            sys.stderr.write(f"\r{line}{CLEAR_TO_END}")
            sys.stderr.flush()

    def line(self, task: Task, now: float, width: int) -> str:
        """Return the line: state, name, bar, and what else fits."""
        from ...widgets.table.cells import fit

        glyphs = self._glyphs
        parts = [f"{glyphs.state(task.state)} {visible(task.state, MAX_TEXT_LENGTH)}"]
        parts.append(visible(task.name or "?", MAX_TEXT_LENGTH))
        if task.running:
            parts.append(self._bar(task, now))
            progress = task.progress
            if progress is not None:
                parts.append(units.steps(progress.current, progress.total))
                parts.append(visible(progress.text or "", MAX_TEXT_LENGTH))
        elapsed = task.elapsed(self._state.running_at(task.worker, now))
        if elapsed is not None:
            parts.append(units.duration(elapsed))
        parts += [time_left(self._state, task, now), location(task, now)]
        text = "  ".join(part for part in parts if part)
        return fit(text, width - 1, glyphs.ellipsis).rstrip()

    def _bar(self, task: Task, now: float) -> str:
        from ...widgets.charts.progress import progress_cells

        progress, estimated = task.progress, False
        if progress is None or progress.fraction is None:
            progress, estimated = self._state.estimate(task, now), True
        cells = progress_cells(
            None if progress is None else progress.fraction, BAR_WIDTH, self._glyphs,
            estimated=estimated, step=int(now * 4),
        )  # fmt: skip
        return "".join(text for text, _ in cells).rstrip()

    def note(self, text: str) -> None:
        """Print a message on a line of its own; the bar continues below."""
        self.end()
        stderr.echo(text)

    def end(self) -> None:
        """Go to the next line if this one is in use."""
        if self._drawn:
            self._drawn = ""
            sys.stderr.write("\n")
            sys.stderr.flush()


def location(task: Task, now: float) -> str:
    """Return where an unfinished task is, and what it waits for."""
    if task.finished:
        return ""
    if task.lost_at is not None:
        return "its worker no longer runs it; its end was missed"
    if task.revoking:
        return "revoke requested"
    due = "" if task.eta_at is None else f"due in {units.duration(max(0.0, task.eta_at - now))}"
    if task.state == RETRY:
        reason = visible(task.exception or "", MAX_TEXT_LENGTH)
        return "  ".join(part for part in (f"retry {task.pending_retry}", due, reason) if part)
    if task.waiting:
        where = f"waiting in {visible(task.queue)}" if task.queue else "waiting"
        if task.state != PENDING and task.worker:
            where = f"waiting on {visible(task.worker)}"
        held = "" if task.held_by is None else visible(held_text(task.held_by), MAX_TEXT_LENGTH)
        return "  ".join(part for part in (where, held, due) if part)
    return f"on {visible(task.worker, MAX_TEXT_LENGTH)}" if task.worker else ""


def time_left(state: ClusterState, task: Task, now: float) -> str:
    """Return the estimated time left, or an empty text if it is unknown."""
    seconds = state.time_left(task, now)
    return "" if seconds is None else f"~{units.duration(seconds)} left"


def _percent(progress: Progress) -> str:
    fraction = progress.fraction
    return "" if fraction is None else f"{int(fraction * 100 + 1e-9)} %"


def _terminal_width() -> int:
    try:
        return max(MIN_WIDTH, os.get_terminal_size(sys.stderr.fileno()).columns)
    except OSError:
        return 80
