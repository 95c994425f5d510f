"""The bar above the keys while a recording is replayed: the position as a slider."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Final

from ...bindings.keymap import Keymap
from ...model.text import units
from ..context import AppContext
from .base import GAP, Bar, Part

KEYS: Final = (
    (("replay.step_back", "replay.step"), "step"),
    (("replay.slower", "replay.faster"), "speed"),
)
"""Pairs of keys with their common name, the more important pair first."""
STATE_CELLS: Final = 9
"""The width of the state, the same for all: the slider keeps its place."""
MIN_SLIDER: Final = 10
"""Cells of the slider; keys that would make it shorter are left out."""
CLICKED_CELLS: Final = 2
"""Cells of the slider that go to the same position."""


class ReplayBar(Bar):
    """Whether the recording is playing, where, and how fast."""

    DEFAULT_CSS = "ReplayBar { background: $panel; }"

    def paint(self, context: AppContext, keymap: Keymap) -> None:
        """Show the present position; the slider takes the room that the other parts leave."""
        replay = context.replay
        if replay is None:
            return
        playback, zone = replay.playback, UTC if context.utc else None
        end = units.UNKNOWN if playback.end is None else units.clock(playback.end, zone)
        before = [
            Part(f"{self._state(context):^{STATE_CELLS}}", "bold reverse $text-accent", gap=1),
            Part(units.clock(playback.position, zone), "bold"),
        ]
        after = [Part(end, "$text-muted", 2, gap=1), Part(f"{playback.speed:g}x", "bold", 1)]
        if replay.problem is not None:
            after.append(Part(f"incomplete: {replay.problem}", "$text-warning", 3))
        margin = Part("", gap=1)
        free = self.size.width - sum(part.width for part in (*before, *after, margin))
        keys: list[Part] = []
        for group in self._keys(context, keymap):
            width = sum(part.width for part in group)
            if free - width < MIN_SLIDER + 1:
                break
            keys += group
            free -= width
        self.show([*before, *self._slider(context, free - 1), *after], [*keys, margin])

    def _state(self, context: AppContext) -> str:
        assert context.replay is not None
        playback = context.replay.playback
        if playback.seeking:
            return "seeking"
        if playback.is_over:
            return "end"
        if playback.paused:
            return "start" if playback.position <= playback.begin else "paused"
        return "replay"

    def _slider(self, context: AppContext, cells: int) -> list[Part]:
        """Return the position among begin and end, as a bar; a click on a part of it goes there."""
        assert context.replay is not None
        playback = context.replay.playback
        length = 0.0 if playback.end is None else playback.end - playback.begin
        share = (playback.position - playback.begin) / length if length > 0 else 0.0
        filled = round(cells * min(1.0, max(0.0, share)))
        bar = context.glyphs.bar[-1] * filled + context.glyphs.bar_rest * (cells - filled)
        return [
            Part(
                bar[first : first + CLICKED_CELLS],
                "$text-accent",
                click=f"app.replay('percent', {100 * first // cells})",
                gap=0 if first else 1,
            )
            for first in range(0, cells, CLICKED_CELLS)
        ]

    def _keys(self, context: AppContext, keymap: Keymap) -> list[list[Part]]:
        """Return the keys with their names, the most important first; clicks press them."""
        assert context.replay is not None
        playback = context.replay.playback
        pause = "again" if playback.is_over else "resume" if playback.paused else "pause"
        groups = []
        for ids, label in ((("freeze",), f"{pause:6}"), *KEYS):
            group: list[Part] = []
            for action in (keymap[id_] for id_ in ids if keymap[id_].keys):
                key = keymap.key(action.id, ascii_only=context.ascii)
                gap = 1 if group else GAP
                group.append(Part(key, "$text-muted", click=f"app.{action.action}", gap=gap))
            if group:
                group[-1] = replace(group[-1], text=f"{group[-1].text} {label}")
            groups.append(group)
        return groups
