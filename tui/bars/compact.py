"""One line of counters, for a terminal too small for anything else."""

from __future__ import annotations

from ...model.entities.states import FAILURE, RETRY, STARTED
from ...model.entities.styles import state_style
from ...model.text import units
from ...widgets.colours import COLOURS
from ..context import AppContext
from .base import Bar, Part
from .header import connection, workers_online


class CompactBar(Bar):
    """The only line shown below 40 columns or 10 rows."""

    def paint(self, context: AppContext) -> None:
        """Show the current state."""
        state = context.live
        online, known = workers_online(state, context.clock())
        counts = state.totals.by_state
        glyph = context.glyphs.state
        shown = connection(context)
        states = [
            Part(
                f"{glyph(name)}{counts.get(name, 0)}",
                COLOURS[state_style(name)],
                order,
                gap=1,
            )
            for name, order in ((STARTED, 2), (FAILURE, 1), (RETRY, 4))
        ]
        self.show(
            [
                Part(shown.text.split()[0], shown.style, gap=0),
                Part(f"{units.count(len(state.tasks))}", "bold", gap=1),
                *states,
                Part(f"w {units.UNKNOWN if online is None else online}/{known}", "", 3, gap=1),
            ]
        )
