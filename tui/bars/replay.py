"""The bar above the keys while a recording is replayed: the position as a slider."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from ...model.text import units
from ..context import AppContext
from .base import Bar, Part

KEYS: Final = (
    ("replay.slower", "slower"),
    ("replay.faster", "faster"),
    ("replay.step_back", "step"),
    ("replay.step", "step"),
)
MIN_SLIDER: Final = 10
MAX_SLIDER: Final = 60
"""Cells of the slider."""
CLICKED_CELLS: Final = 2
"""Cells of the slider that go to the same position."""
RESERVED: Final = 48
"""Cells for the state, the times and the speed."""


class ReplayBar(Bar):
    """Whether the recording is playing, where, and how fast."""

    DEFAULT_CSS = "ReplayBar { background: $panel; }"

    def paint(self, context: AppContext) -> None:
        """Show the present position."""
        replay = context.replay
        if replay is None:
            return
        playback, zone = replay.playback, UTC if context.utc else None
        end = units.UNKNOWN if playback.end is None else units.clock(playback.end, zone)
        left = [
            Part(self._state(context), "bold reverse $text-accent", gap=1),
            Part(units.clock(playback.position, zone), "bold"),
            *self._slider(context),
            Part(end, "$text-muted", 2, gap=1),
            Part(f"{playback.speed:g}x", "bold", 1),
        ]
        if replay.problem is not None:
            left.append(Part(f"incomplete: {replay.problem}", "$text-warning", 3))
        keymap = context.keymap
        again = "again" if playback.is_over else "resume" if playback.paused else "pause"
        right = [
            Part(f"{keymap.key(id_, ascii_only=context.ascii)} {label}", "$text-muted", 10 + number)
            for number, (id_, label) in enumerate((("freeze", again), *KEYS))
            if keymap[id_].keys
        ]
        self.show(left, [*right, Part("", gap=1)])

    def _state(self, context: AppContext) -> str:
        assert context.replay is not None
        playback = context.replay.playback
        if playback.seeking:
            return " seeking "
        if playback.is_over:
            return " end of recording "
        if playback.paused and playback.position <= playback.begin:
            return " start "
        return " paused " if playback.paused else " replay "

    def _slider(self, context: AppContext) -> list[Part]:
        """Return the position among begin and end, as a bar; a click on a part of it goes there."""
        assert context.replay is not None
        playback = context.replay.playback
        cells = min(MAX_SLIDER, max(MIN_SLIDER, self.size.width - RESERVED))
        length = 0.0 if playback.end is None else playback.end - playback.begin
        share = (playback.position - playback.begin) / length if length > 0 else 0.0
        filled = round(cells * min(1.0, max(0.0, share)))
        bar = context.glyphs.bar[-1] * filled + context.glyphs.bar_rest * (cells - filled)
        return [
            Part(
                bar[first : first + CLICKED_CELLS],
                "$text-accent",
                5,
                f"app.replay('percent', {100 * first // cells})",
                gap=0 if first else 1,
            )
            for first in range(0, cells, CLICKED_CELLS)
        ]
