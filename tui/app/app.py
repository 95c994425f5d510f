"""The app: what keys do everywhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual import work
from textual.events import Event, Key, MouseDown, MouseUp
from textual.scrollbar import ScrollBar, ScrollBarRender

from ...bindings.keymap import Keymap
from ...files.state_file import take_messages
from ...widgets.compat.no_colour import drop_all_colour
from ...widgets.compat.plain_scrollbar import PlainScrollBarRender
from ...widgets.compat.textual_internals import write_to_terminal
from ..bars.base import Bar
from ..keymap import bindings
from ..messages import DrillRequested, ViewRequested
from ..navigation import Location
from . import terminal
from .host_app import HostApp
from .theme import CELTOP_DARK, CELTOP_THEMES, TERMINAL_COLOURS, user_themes

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.message import Message

    from ...bindings.contexts import Context
    from ...cluster.session import Session
    from ...settings import Settings
    from ...widgets.compat.screen_picture import ScreenPicture
    from ..bars.command_line import CommandLine
    from ..messages import ClusterRequested, CopyRequested
    from ..screens.base.screen import MonitorScreen
    from .alerting import Alerting
    from .mouse import MouseButtons

CHECK_INTERVAL: Final = 3.0
"""Seconds between two checks of the terminal, and for messages about celtop's own files."""
EXIT_TIMEOUT: Final = 2.0
"""Seconds after which the process ends even if the terminal accepts no output."""
CONFIGURATION_EXIT_CODE: Final = 2
"""The caller reports the broker's fault."""


def _commands() -> type[Provider]:
    from ..commands.palette import CeltopCommands

    return CeltopCommands


class CeltopApp(HostApp, inherit_bindings=False):
    """celtop in a terminal.

    The session is started after the first frame, and stopped at the end.
    """

    TITLE = "celtop"
    CSS_PATH = "app.tcss"
    BINDINGS = bindings("global", "replay")
    COMMANDS = {_commands}  # noqa: RUF012
    DEFAULT_MODE = "overview"
    AUTO_FOCUS = "LiveTable, Tile"
    _buttons: MouseButtons | None = None
    _picture: ScreenPicture | None = None
    """What a typed command saves: the screen before the command line was opened."""

    def set_up(
        self,
        session: Session,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        keymap: Keymap | None = None,
    ) -> None:
        """Make everything that depends on the settings."""
        super().set_up(session, settings, clock, keymap)
        # Textual has one renderer for all scrollbars.
        plain = self.context.ascii
        ScrollBar.renderer = PlainScrollBarRender if plain else ScrollBarRender
        Bar.ellipsis = self.context.glyphs.ellipsis
        self._set_theme(settings.theme)
        self._alerting: Alerting | None = None

    def _set_theme(self, name: str | None) -> None:
        for theme in CELTOP_THEMES:
            self.register_theme(theme)
        invalid = self.read_themes()
        self._theme_problems = list(invalid.values())
        if self.no_color:
            drop_all_colour(self)
            self.theme = TERMINAL_COLOURS
            return
        if name is not None and name not in self.available_themes and name not in invalid:
            source = self.context.settings.source("theme")
            self._theme_problems.append(f"Unknown theme {name} ({source}); `:theme` lists all")
        self.theme = name if name in self.available_themes else CELTOP_DARK.name

    def read_themes(self) -> Mapping[str, str]:
        """Read the themes of the user; return why others cannot be used, by name."""
        themes, invalid = user_themes()
        for theme in themes:
            self.register_theme(theme)
        return invalid

    # Start and end

    def on_mount(self) -> None:
        """Watch the terminal, and start."""
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh())
        if not self.is_headless:
            terminal.on_exit_signals(self.end)
        self.start()

    def start(self) -> None:
        """Paint once, then start the session."""
        self.navigator.start()
        self.call_after_refresh(self.frame_loop.start)
        self._start_alerting()
        for problem in self._theme_problems:
            self.say(problem, "warning")
        self.set_interval(CHECK_INTERVAL, self._check)
        if view := self.context.settings.view:
            self.call_after_refresh(self._open_view, view)

    def _check(self) -> None:
        if not self.is_headless:
            self._check_terminal()
        for message in take_messages():
            self.say(message, "warning")

    def _start_alerting(self) -> None:
        from .alerting import INTERVAL, alerting_of

        if self.context.replay is not None:
            return  # what was a problem then need not be one now
        self._alerting = alerting_of(self.context, partial(write_to_terminal, self))
        if self._alerting is not None:
            self._alerting.start()
            self.set_interval(INTERVAL, self._alerting.tick)

    def _open_view(self, name: str) -> None:
        from ..commands.views import open_saved

        open_saved(self, name)

    async def on_unmount(self) -> None:
        """Stop the session, and save what was typed."""
        if self.is_set_up:
            self.context.history.save()
            if self._alerting is not None:
                self._alerting.stop()
            await self.frame_loop.stop()

    def end(self, code: int = 0) -> None:
        """End celtop, with an exit code for the shell."""
        if code and not self.is_headless:
            terminal.end_process_after(EXIT_TIMEOUT, code)
        self.exit(return_code=code)

    def follow(self) -> None:
        """Follow the model after changes; end if the settings rule out a connection."""
        super().follow()
        broker = self.context.live.broker
        if self.context.replay is not None:
            return
        if broker.fault is not None and broker.fault.is_configuration and not broker.live_since:
            self.end(CONFIGURATION_EXIT_CODE)

    def _check_terminal(self) -> None:
        if terminal.is_gone(sys.__stdin__.fileno() if sys.__stdin__ else 0):
            self.end(terminal.HUNG_UP_EXIT_CODE)

    def sent(self, characters: int) -> None:
        """Let the frame rate follow what frames cost to send."""
        if self.is_set_up:
            self.frame_loop.pacer.sent(characters)

    # Keys

    async def on_event(self, event: Event) -> None:
        """Do what a key is bound to before the next key is looked at."""
        if isinstance(event, Key) and not event.is_forwarded:
            from .keyboard import press_key

            self.frame_loop.pressed_at = time.monotonic()
            self.frame_loop.keep_up()
            if not await self.runner.wait_for_dialog() and self._drop(event.key):
                return
            if self.monitor_screen is not None:
                self.context.operations.key_pressed(self.context.clock())
            pressed = await press_key(self, event, self.context.keymap)
            if (screen := self.monitor_screen) is not None:
                screen.paint_keys()
            if pressed:
                return
        if isinstance(event, MouseDown | MouseUp) and self.is_set_up:
            from .mouse import MouseButtons, selects_row

            self._buttons = self._buttons or MouseButtons()
            if not self._buttons.takes(event, self.screen):
                if selects_row(event, self.screen):
                    await self.run_action("operation_menu")
                return
        await super().on_event(event)

    def _drop(self, key: str) -> bool:
        """Drop a key while a dialog has yet to open; one that goes back cancels the dialog."""
        keymap = self.context.keymap
        if key in keymap["back"].keys:
            self.runner.cancel()
        return key not in keymap["quit.now"].keys

    # Messages

    def post_message(self, message: Message) -> bool:
        """Go to another screen immediately: keys typed for it may be queued already."""
        if not isinstance(message, DrillRequested | ViewRequested):
            return super().post_message(message)
        if self.monitor_screen is None:
            return False  # a dialog has been opened since
        if isinstance(message, DrillRequested):
            self.navigator.drill(message.drill)
        else:
            self.go(Location(message.target.view), filter_text=message.target.filter)
        return True

    def on_cluster_requested(self, message: ClusterRequested) -> None:
        """Leave this cluster for another one."""
        self.runner.leave(message.name)

    def on_copy_requested(self, message: CopyRequested) -> None:
        """Copy a text to the clipboard."""
        self.copy(message.what, message.text)

    def on_command_line_typed(self, message: CommandLine.Typed) -> None:
        """Run a command."""
        self.context.history.add("commands", message.line.strip())
        self._picture = message.before
        self.run_command(message.line)
        self._picture = None

    def run_command(self, line: str) -> None:
        """Run a command line, or show why it cannot be run."""
        from ..commands.table import CommandError, run

        try:
            run(self, line)
        except CommandError as error:
            self.say(str(error), "error")

    # Actions

    def action_view(self, view: str) -> None:
        """Go to a numbered view."""
        self.go(Location(view))

    def action_go_to_step(self, depth: int) -> None:
        """Go back to a step of the breadcrumb; 0 is the view."""
        self.go(replace(self.location, path=self.location.path[:depth]))

    def action_history(self, step: int) -> None:
        """Go back or forward in the history."""
        self.navigator.step_history(step)

    def action_error(self) -> None:
        """Show the failures, grouped."""
        self.navigator.open_failures()

    def action_charts(self) -> None:
        """Show the charts of the subject of the page, otherwise of the cluster."""
        self.navigator.open_charts()

    def action_corrected(self) -> None:
        """Show the corrected task states in the log."""
        self.go(Location("log"), filter_text="warning tasks")

    def action_list_tasks(self, filter_text: str) -> None:
        """List the tasks that match a filter."""
        self.go(Location("tasks"), filter_text=filter_text)

    async def action_back(self) -> None:
        """Undo one step: on the screen, otherwise to the screen before."""
        self.navigator.back()

    async def action_quit_or_back(self) -> None:
        """Go one step out, or quit at the root."""
        if not self.navigator.go_out():
            self.runner.leave()

    async def action_quit(self) -> None:
        """Quit, after a question while operations are running."""
        self.runner.leave()

    def action_operation(self, id_: str) -> None:
        """Start an operation on the selection."""
        if self.monitor_screen is not None:
            self.runner.start(id_)

    def action_operation_menu(self) -> None:
        """Choose from everything that can be done here."""
        if self.monitor_screen is not None:
            self.runner.open_menu()

    def action_operation_details(self) -> None:
        """Show the outcome of the last operation in full, or its progress."""
        self.runner.open_details()

    def action_acknowledge(self) -> None:
        """Acknowledge the selected findings, or take that back."""
        from ..commands.findings import acknowledge_selected

        acknowledge_selected(self)

    def action_freeze(self) -> None:
        """Freeze the screen, or unfreeze it; pause a replay, or go on."""
        if self.replay_controls is not None:
            self.replay_controls.pause()
            return
        self.frame_loop.freeze(not self.context.frozen)

    def action_replay(self, what: str, steps: int) -> None:
        """Change the speed of a replay, or move its position."""
        from ..replay import NOT_A_REPLAY

        controls = self.replay_controls
        if controls is None:
            self.say(NOT_A_REPLAY)
        elif what == "speed":
            controls.change_speed(steps)
        elif what == "step":
            controls.step(steps)
        elif what == "percent":
            controls.go_to_share(steps / 100)
        else:
            controls.leap(steps)

    def action_times(self) -> None:
        """Show times in the next way: local time, UTC, relative."""
        from ..context import TIMES

        at = TIMES.index(self.context.times)
        how = TIMES[(at + 1) % len(TIMES)]
        self.show_times(how)
        self.say("Times are in UTC" if how == "utc" else f"Times are {how}")

    def action_refresh_now(self) -> None:
        """Poll workers and queues now, or try again to connect."""
        self.context.session.refresh()
        connected = self.context.live.broker.is_connected
        self.say("Polling workers and queues" if connected else "Connecting to the broker")

    def action_help(self) -> None:
        """Show the keys, those of the focused pane first."""
        from ..dialogs.help import Help

        screen = self.monitor_screen
        contexts: tuple[Context, ...] = () if screen is None else screen.CONTEXTS
        if self.context.replay is not None:
            contexts = ("replay", *contexts)
        self.push_screen(
            Help(
                self.context.keymap, contexts, ascii_only=self.context.ascii, width=self.size.width
            )
        )

    async def action_command_palette(self) -> None:  # type: ignore[override]
        """Search all commands; Textual's palette draws more than ASCII."""
        if self.context.ascii:
            await self.action_command_line()
            return
        from ...widgets.compat.settled_palette import SettledPalette

        if not isinstance(self.screen, SettledPalette):
            self.push_screen(SettledPalette())

    async def action_command_line(self, text: str = "") -> None:
        """Open the command line."""
        from ...widgets.compat.screen_picture import ScreenPicture
        from ..commands.table import suggest

        screen = self.monitor_screen
        if screen is not None:
            before, earlier = ScreenPicture(screen), self.context.history.of("commands")
            line = await screen.command_line()
            line.open(partial(suggest, self), text, self.context.ascii, earlier, before)

    def action_export(self, path: str = "") -> None:
        """Save what is shown; ask for a file name if none is given."""
        from ...widgets.compat.screen_picture import ScreenPicture

        screen = self.monitor_screen
        if screen is not None:
            picture = self._picture or ScreenPicture(screen)
            self._save(screen, path, picture.svg)

    @work
    async def _save(self, screen: MonitorScreen, path: str, picture: Callable[[], str]) -> None:
        from ..commands.save import save_screen

        await save_screen(self, screen, path, picture)

    def get_system_commands(self, screen: Any) -> Any:
        """Offer none of Textual's own commands: the palette lists celtop's."""
        return ()
