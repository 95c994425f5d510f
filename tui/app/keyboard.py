"""Runs what a key is bound to, in the order in which keys were typed."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext, suppress
from typing import Any, Final

from textual.app import App
from textual.events import Key
from textual.screen import Screen

from ...bindings.keymap import Keymap
from ...widgets.compat.settled_palette import SettledPalette
from ...widgets.compat.textual_internals import press
from ...widgets.table.live_table import LiveTable
from ..bars.command_line import CommandLine
from ..dialogs.base import Dialog
from ..screens.base.screen import MonitorScreen

SCREEN_TIMEOUT: Final = 2.0
"""Seconds that keys wait for a new screen."""
RUNS_COMMAND: Final = "command.run"
"""The action that runs a typed command."""


async def press_key(app: App[Any], event: Key, keymap: Keymap) -> bool:
    """Run what a key is bound to on the screen on top; return whether it was handled.

    It waits until the screen is mounted: a user types `2/mail` without waiting for the list.
    """
    screen = app.screen
    if not isinstance(screen, MonitorScreen | Dialog | SettledPalette):
        return False
    with suppress(TimeoutError):
        await asyncio.wait_for(screen.mounted.wait(), SCREEN_TIMEOUT)
    if app.screen is not screen:
        return await _press_again(app, event)
    if not isinstance(screen, MonitorScreen):
        return await _press_in_dialog(app, screen, event)
    line, table = screen.typing, _table(screen)
    if line is None:
        pin = _is_for_row(screen, event.key, keymap)
        with nullcontext() if table is None else table.as_seen_at(event.time, pin=pin):
            pressed = await press(app, event.key)
            await _deliver(screen)
        return pressed
    for action in keymap.in_context(line.CONTEXT):
        if event.key in action.keys:
            # A command may be for the row, which must not move away until it runs.
            pin = action.id == RUNS_COMMAND
            with nullcontext() if table is None else table.as_seen_at(event.time, pin=pin):
                return await app.run_action(action.action, line)
    return False


def _table(screen: MonitorScreen) -> LiveTable[Any] | None:
    """Return the table that a key, or the command that is typed, is for."""
    line = screen.typing
    before = line.focused_before if isinstance(line, CommandLine) else None
    return before if isinstance(before, LiveTable) else screen.table


async def _deliver(screen: MonitorScreen) -> None:
    """Wait until the messages that an action has sent have been handled, up to the screen.

    Of `enter` and `?` in one go, the `?` must reach the page that is opened, not the list.
    """
    sender = screen.focused or screen.table
    if sender is None or not sender.message_queue_size:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(SCREEN_TIMEOUT):
            for node in sender.ancestors_with_self:
                handled = asyncio.Event()
                if node is screen.app or not node.call_later(handled.set):
                    return
                await handled.wait()


def _is_for_row(screen: MonitorScreen, key: str, keymap: Keymap) -> bool:
    """Return whether a key is for the row, which must not move away meanwhile.

    So are the screen's own, and that of the palette, which lists them.
    """
    own = any(key in action.keys for action in keymap.in_context(*screen.CONTEXTS))
    return own or key in keymap["palette"].keys


async def _press_in_dialog(app: App[Any], dialog: Screen[Any], event: Key) -> bool:
    focused = dialog.focused
    if focused is None or not focused.check_consume_key("j", "j"):
        return await press(app, event.key)
    # Printable characters reach the input in their order. Textual runs the bindings of other keys
    # only when they come back from there: a backspace would delete letters typed after it.
    if event.is_printable:
        return False
    typed = asyncio.Event()
    focused.call_later(typed.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(typed.wait(), SCREEN_TIMEOUT)
    if app.screen is not dialog:
        return await _press_again(app, event)
    return await press(app, event.key)


async def _press_again(app: App[Any], event: Key) -> bool:
    """Start again with a key, as the one before has closed its screen or opened another."""
    await app.on_event(event)
    return True
