"""The line for a hint, above the footer."""

from __future__ import annotations

from .base import Bar, Part


class HintBar(Bar):
    """A hint; hidden without one."""

    DEFAULT_CSS = "HintBar { display: none; background: $panel; }"

    def paint(self, text: str) -> None:
        """Show a hint, or none."""
        self.display = bool(text)
        self.show([Part(text, "italic $text-accent", gap=1)] if text else [])
