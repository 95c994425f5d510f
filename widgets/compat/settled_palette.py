"""A command palette that takes keys typed ahead. It overrides private methods of Textual 8.2.8."""

from __future__ import annotations

import asyncio

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.message import Message
from textual.widgets import Button, Input, OptionList

_CHOICES = (Input.Submitted, Button.Pressed, OptionList.OptionSelected)


class SettledPalette(CommandPalette, inherit_bindings=True):
    """A command palette that shows when it can take keys, and searches only while it is open.

    Textual's own ends the app if its input reports a change after it was closed, or if a second
    `enter` or `escape` is typed before it is.
    """

    def __init__(self) -> None:
        super().__init__(id="--command-palette")
        self.mounted = asyncio.Event()
        """Set when all widgets are mounted: keys may arrive earlier."""

    def on_mount(self) -> None:
        """Take keys from now on."""
        self.mounted.set()

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, unless it is already closed: that would close the screen below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    async def _on_message(self, message: Message) -> None:
        # A second `enter` would run the command once more.
        if self.is_active or not isinstance(message, _CHOICES):
            await super()._on_message(message)

    def _action_command_list(self, action: str) -> None:
        # In a terminal so low that the list has no line, Textual cannot move by a page.
        if not action.startswith("page") or self.query_one(OptionList).scrollable_content_region:
            super()._action_command_list(action)

    def _gather_commands(self, search_value: str) -> None:  # type: ignore[override]
        if self.is_current:
            super()._gather_commands(search_value)
