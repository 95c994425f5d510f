"""The app: what keys and typed commands do everywhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import BindingType
from textual.events import Event, Key

from ..bindings.keymap import Keymap
from ..widgets.compat.textual_internals import drop_all_colour, press, take_mouse
from .bars.command_line import CommandLine
from .dialogs.base import Dialog
from .keymap import bindings, textual_keymap
from .messages import CopyRequested
from .navigation import Location
from .operations.runner import SCREEN_WITHIN, ActingApp
from .theme import CELTOP_DARK, CELTOP_LIGHT, COLOURLESS

if TYPE_CHECKING:
    from textual.command import Provider

    from ..cluster.session import Session
    from ..settings import Settings

LONGEST_COPY: Final = 50_000
"""Characters; in base64 they make about the 75,000 bytes that xterm takes at most."""


def _commands() -> type[Provider]:
    from .commands.palette import CeltopCommands

    return CeltopCommands


class CeltopApp(ActingApp, inherit_bindings=False):
    """celtop in a terminal.

    Args:
        session: Where the model comes from; started after the first frame, stopped at the end.
        settings: What celtop was told.
        clock: The time, in seconds since the epoch.
        keymap: The user's keys; the defaults if None.
    """

    TITLE = "celtop"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("global")
    COMMANDS = {_commands}  # noqa: RUF012
    DEFAULT_MODE = "overview"
    AUTO_FOCUS = "LiveTable, Tile"

    def __init__(
        self,
        session: Session,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        keymap: Keymap | None = None,
    ) -> None:
        super().__init__(session, settings, clock)
        if keymap is not None:
            self.context.keymap = keymap
            self.set_keymap(textual_keymap(keymap))
        self.register_theme(CELTOP_DARK)
        self.register_theme(CELTOP_LIGHT)
        if self.no_color:
            drop_all_colour(self)
        known = settings.theme in self.available_themes
        self.theme = (settings.theme or "") if known else CELTOP_DARK.name
        if self.no_color:
            self.theme = COLOURLESS

    # Keys

    async def on_event(self, event: Event) -> None:
        """Do what a key is bound to before the next one is looked at."""
        if isinstance(event, Key) and not event.is_forwarded and await self._pressed(event):
            return
        await super().on_event(event)

    async def _pressed(self, event: Key) -> bool:
        await self.question()
        screen = self.monitor_screen
        if screen is None:
            return await self._pressed_in_dialog(event)
        self.context.acts.key_pressed(self.context.now())
        # A person types `2/mail` without waiting for the list to come up.
        with suppress(TimeoutError):
            await asyncio.wait_for(screen.mounted.wait(), SCREEN_WITHIN)
        line = screen.typing
        if line is None:
            return await press(self, event.key)
        for action in self.context.keymap.in_context(line.CONTEXT):
            if event.key in action.keys:
                return await self.run_action(action.action, line)
        return False

    async def _pressed_in_dialog(self, event: Key) -> bool:
        dialog = self.screen
        if not isinstance(dialog, Dialog):
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(dialog.mounted.wait(), SCREEN_WITHIN)
        focused = dialog.focused
        if focused is None or not focused.check_consume_key("j", "j"):
            return await press(self, event.key)
        # What is typed goes to the line in its order. Textual does what other keys are bound to
        # only when they come back from there: a backspace would delete letters typed after it.
        if event.is_printable:
            return False
        typed = asyncio.Event()
        focused.call_later(typed.set)
        with suppress(TimeoutError):
            await asyncio.wait_for(typed.wait(), SCREEN_WITHIN)
        return await press(self, event.key)

    # What keys do everywhere

    async def action_quit(self) -> None:
        """Quit at once, unless something is being done."""
        self.leave()

    def action_freeze(self) -> None:
        """Hold the screen still, or let it live again."""
        state = self.context.state
        self.context.frozen_events = None if self.context.frozen else state.totals.events
        self.paint()

    def action_refresh_now(self) -> None:
        """Ask workers and queues now, or try again to connect."""
        self.session.refresh()
        live = self.context.state.broker.phase == "live"
        self.say("Asked workers and queues" if live else "Trying to connect now")

    def action_help(self) -> None:
        """Show the keys, those of the focused pane first."""
        from .dialogs.help import Help

        screen = self.monitor_screen
        contexts = screen.CONTEXTS if screen is not None else ()
        self.push_screen(Help(self.context.keymap, contexts, ascii_only=self.context.ascii))

    def action_command_palette(self) -> None:
        """Search all commands; Textual's palette draws more than ASCII."""
        if self.context.ascii:
            self.action_command_line()
        else:
            super().action_command_palette()

    def action_command_line(self, text: str = "") -> None:
        """Ask for a command."""
        screen = self.monitor_screen
        if screen is not None:
            screen.query_one(CommandLine).ask(text)

    def on_command_line_typed(self, message: CommandLine.Typed) -> None:
        """Do what was typed."""
        self.run_command(message.line)

    def run_command(self, line: str) -> None:
        """Do what a command line says, or say why not."""
        from .commands.table import CommandError, run

        try:
            run(self, line)
        except CommandError as error:
            self.say(str(error), "error")

    def action_filter_by(self, text: str) -> None:
        """Filter the present list."""
        screen = self.monitor_screen
        if screen is None or not screen.filter_by(text):
            self.say("There is nothing to filter here", "warning")

    def action_corrected(self) -> None:
        """Show in the log what was believed of tasks and turned out otherwise."""
        self.go(Location("log"))
        self.call_after_refresh(self.action_filter_by, "warning tasks")

    def action_export(self, path: str = "") -> None:
        """Ask for a file's name and save what is shown."""
        self.run_worker(self._export(path))

    async def _export(self, path: str) -> None:
        from .dialogs.save import SaveDialog
        from .output.save import SaveError, default_name, save

        screen = self.monitor_screen
        if screen is None:
            return
        default = Path(path or default_name(screen.location.view, self.context.now()))
        # A picture is taken without the dialog on it: the dialog is gone by then.
        chosen = await self.push_screen_wait(SaveDialog(default))
        if chosen is not None:
            try:
                self.say(f"Saved {save(self, screen, chosen)} to {chosen}")
            except SaveError as error:
                self.say(str(error), "error")

    def on_copy_requested(self, message: CopyRequested) -> None:
        """Put a text on the clipboard."""
        self.copy(message.what, message.text)

    def copy(self, what: str, text: str) -> None:
        """Put a text on the clipboard of the terminal and say so.

        Terminals and multiplexers silently refuse what is too long for them.
        """
        if len(text) > LONGEST_COPY:
            key = self.context.keymap.key("export")
            advice = f"; press {key} to save it" if key else ""
            self.say(f"{what} is too long to copy{advice}", "warning")
            return
        self.copy_to_clipboard(text)
        self.say(f"Copied {what}")

    def use_mouse(self, on: bool) -> None:
        """Take the mouse from the terminal, or give it back."""
        if not take_mouse(self, on):
            self.say("The mouse cannot be switched here", "warning")

    def get_system_commands(self, screen: Any) -> Any:
        """Offer no commands of Textual's own: ours are all in one table."""
        return ()
