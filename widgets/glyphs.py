"""The characters to draw with: one set for UTF-8 terminals, one in ASCII.

A state is never shown by colour alone: each has a glyph, next to its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of characters, each a single cell wide."""

    name: str
    states: Mapping[str, str]
    custom_state: str
    mark: str
    ellipsis: str
    ascending: str
    descending: str
    more_left: str
    more_right: str
    bar: tuple[str, ...]
    """A partly filled cell, from the smallest part to the whole cell."""
    bar_rest: str
    bar_estimated: str
    sparks: tuple[str, ...]
    """A column in a cell, from empty to full height."""
    phases: tuple[str, str, str]
    """Fills for waiting in the queue, waiting in the worker and running."""
    tree_open: str
    tree_closed: str
    good: str
    warn: str
    bad: str
    idle: str
    separator: str
    deployed: str

    def state(self, state: str) -> str:
        """Return the glyph of a task state; all custom states share one."""
        return self.states.get(state, self.custom_state)

    def level(self, level: str) -> str:
        """Return the glyph of `good`, `warn`, `bad` or `idle`."""
        return {"good": self.good, "warn": self.warn, "bad": self.bad}.get(level, self.idle)


UNICODE: Final = Glyphs(
    name="unicode",
    states={
        "PENDING": "○",
        "RECEIVED": "●",
        "STARTED": "▶",
        "SUCCESS": "✔",
        "FAILURE": "✖",
        "RETRY": "↻",
        "REVOKED": "⊘",
        "REJECTED": "⊗",
    },
    custom_state="◆",
    mark="◉",
    ellipsis="…",
    ascending="▲",
    descending="▼",
    more_left="‹",
    more_right="›",
    bar=("▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"),
    bar_rest="░",
    bar_estimated="▒",
    sparks=(" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"),
    phases=("░", "▒", "█"),
    tree_open="▾",
    tree_closed="▸",
    good="●",
    warn="◐",
    bad="✖",
    idle="○",
    separator="·",
    deployed="⇧",
)

ASCII: Final = Glyphs(
    name="ascii",
    states={
        "PENDING": ".",
        "RECEIVED": "o",
        "STARTED": ">",
        "SUCCESS": "+",
        "FAILURE": "x",
        "RETRY": "~",
        "REVOKED": "/",
        "REJECTED": "!",
    },
    custom_state="?",
    mark="*",
    ellipsis="~",
    ascending="^",
    descending="v",
    more_left="<",
    more_right=">",
    bar=("#",),
    bar_rest="-",
    bar_estimated="=",
    sparks=(" ", ".", ":", "-", "=", "+", "*", "#", "@"),
    phases=(".", ":", "#"),
    tree_open="-",
    tree_closed="+",
    good="o",
    warn="!",
    bad="x",
    idle=".",
    separator="|",
    deployed="D",
)
