"""One line of counters, for a terminal too small for anything else."""

from __future__ import annotations

from ...model.text import units
from ..context import AppContext
from .base import Bar, Part
from .header import connection, workers_online


class CompactBar(Bar):
    """The only line shown below 40 columns or 10 rows."""

    def paint(self, context: AppContext) -> None:
        """Show the current state."""
        state = context.state
        online, known = workers_online(state, context.now())
        held = state.totals.by_state
        glyphs = context.glyphs
        self.show(
            [
                Part(connection(context).text.split()[0], connection(context).style, gap=0),
                Part(f"{units.count(len(state.tasks))}", "bold", gap=1),
                *(
                    Part(f"{glyphs.state(name)}{held.get(name, 0)}", style, priority, gap=1)
                    for name, style, priority in (
                        ("STARTED", "$text-primary", 2),
                        ("FAILURE", "$text-error", 1),
                        ("RETRY", "$text-secondary", 4),
                    )
                ),
                Part(f"w {online}/{known}", "", 3, gap=1),
            ]
        )
