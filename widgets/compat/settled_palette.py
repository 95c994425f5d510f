"""A command palette that takes keys typed ahead. It overrides private methods of Textual 8.2.8."""

from __future__ import annotations

import asyncio

from textual.command import CommandPalette


class SettledPalette(CommandPalette, inherit_bindings=True):
    """A command palette that shows when it can take keys, and searches only while it is open.

    Textual's own ends the app if its input reports a change after it was closed.
    """

    def __init__(self) -> None:
        super().__init__(id="--command-palette")
        self.mounted = asyncio.Event()
        """Set when all widgets are mounted: keys may arrive earlier."""

    def on_mount(self) -> None:
        """Take keys from now on."""
        self.mounted.set()

    def _gather_commands(self, search_value: str) -> None:  # type: ignore[override]
        if self.is_current:
            super()._gather_commands(search_value)
