"""The number of tasks in each state, on one line."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from ...model.entities.states import (
    CELERY_STATES,
    FAILURE,
    PENDING,
    RECEIVED,
    REJECTED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
)
from ...model.entities.styles import state_style
from ...model.health.newness import failures_rise
from ...model.text import units
from ...widgets.colours import COLOURS
from ..context import AppContext
from ..text.unknown import not_known_yet
from .base import Bar, Part

if TYPE_CHECKING:
    from ...history.reading.moments import Moment

_PRIORITIES: Final = {
    name: priority
    for priority, name in enumerate(
        (STARTED, FAILURE, PENDING, RETRY, SUCCESS, RECEIVED, REJECTED, REVOKED)
    )
}
"""The states that a narrow terminal shows first: what runs, fails and waits before what succeeded.

Tasks that no worker has received come before those about to start. Which of the running ones are in
a custom state comes late, and a state that no task is in, last.
"""
_SHOWN_AT_ZERO: Final = (STARTED, FAILURE)
"""The states for which it is worth a narrow terminal's room that no task is in them."""

_COUNTED: Final = {"succeeded": SUCCESS, "failed": FAILURE, "retried": RETRY}
"""The counts of a minute, each with the state of its colour."""


class StateStrip(Bar):
    """One part per task state."""

    def paint(self, context: AppContext) -> None:
        """Show the counts of the tasks in memory; of a minute of the history, its own."""
        if context.freeze.moment is not None:
            self.show(_stored_parts(context, context.freeze.moment))
            return
        counts = dict(context.state.totals.by_state)
        lost = context.state.lost
        for task in lost.values():
            counts[task.state] = counts.get(task.state, 0) - 1
        custom = {name: counts[name] for name in sorted(counts) if name not in CELERY_STATES}
        parts: list[Part] = []
        known = not not_known_yet(context.state)
        rising = failures_rise(context.state, context.now())
        for name in CELERY_STATES:
            number = counts.get(name, 0)
            if name == STARTED:
                # A task in a custom state is running too.
                number += sum(custom.values())
            if not number and name in (PENDING, REJECTED, REVOKED):
                continue
            style = COLOURS[state_style(name)] if number else "$text-muted"
            if name == FAILURE and number and not rising:
                style = ""
            count = units.count(number) if number or known else units.UNKNOWN
            text = f"{context.glyphs.state(name)} {name} {count}"
            listing = _listing("running" if name == STARTED else name.lower())
            gap = 1 if not parts else 3
            priority = _PRIORITIES[name]
            if not number and name not in _SHOWN_AT_ZERO:
                priority += len(_PRIORITIES) + 1
            parts.append(Part(text, style, priority, listing, gap))
            if name == STARTED and any(custom.values()):
                text = f"({', '.join(f'{each} {n:,}' for each, n in custom.items() if n)})"
                parts.append(Part(text, style, len(_PRIORITIES), listing, gap=1))
        if lost:
            text = f"{units.UNKNOWN} lost {units.count(len(lost))}"
            parts.append(Part(text, "$text-warning", 3, _listing("lost")))
        self.show(parts)


def _listing(state: str) -> str:
    """Return the action that lists the tasks in a state."""
    return f"app.list_tasks('state:{state}')"


def _stored_parts(context: AppContext, moment: Moment) -> list[Part]:
    """Return what happened in a minute, and that states are not stored."""
    parts = [Part("In this minute", "$text-muted", gap=1)]
    if moment.at != moment.asked_at:
        asked = units.date_time(moment.asked_at, UTC if context.utc else None)[:16]
        parts.insert(0, Part(f"Nothing was recorded at {asked}", "$text-warning", gap=1))
    for name, state in _COUNTED.items():
        number = moment.counts.get(name)
        style = COLOURS[state_style(state)] if number else "$text-muted"
        parts.append(Part(f"{units.count(number)} {name}", style))
    return [*parts, Part("the state of each task is not stored", "$text-muted", 2)]
