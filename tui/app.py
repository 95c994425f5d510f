"""The app: it pumps the session, paints the screen that is on top, and finds the way around."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import BindingType
from textual.events import Event, Key
from textual.scrollbar import ScrollBar, ScrollBarRender

from ..bindings.actions import VIEWS
from ..bindings.keys import in_context
from ..model.text import visible
from ..widgets.glyphs import ASCII, UNICODE
from ..widgets.plain_scrollbar import PlainScrollBarRender
from ..widgets.textual_internals import (
    FrugalApp,
    drop_all_colour,
    press,
    take_mouse,
    terminal_is_behind,
)
from . import terminal
from .command_line import CommandLine
from .frames import Frames
from .keymap import bindings
from .navigation import Copied, History, Place, Visit
from .scene import Scene
from .theme import CELTOP_DARK, CELTOP_LIGHT, COLOURLESS

if TYPE_CHECKING:
    from textual.command import Provider

    from ..cluster.session import Session
    from ..settings import Settings
    from .screens.monitor import MonitorScreen

BEAT: Final = 0.05
"""Seconds between two looks at the session while something happens."""
QUIET_BEAT: Final = 0.2
"""The same while nothing does: a process that only wakes up costs too."""
BUDGET: Final = 0.01
"""Seconds that applying events may take before keys are looked at again."""
BREATH: Final = 0.001
"""Seconds left to the receiving threads while there is a backlog."""
STOP_WITHIN: Final = 1.5
"""Seconds for the session's threads to end; the process must be gone within two."""
TERMINAL_CHECK: Final = 3.0
SCREEN_WITHIN: Final = 2.0
"""Seconds that keys wait for a new screen."""
LONGEST_COPY: Final = 50_000
"""Characters; in base64 they make about the 75,000 bytes that xterm takes at most."""


def _commands() -> type[Provider]:
    from .palette import CeltopCommands

    return CeltopCommands


class CeltopApp(FrugalApp, inherit_bindings=False):
    """celtop in a terminal.

    Args:
        session: Where the model comes from; started after the first frame, stopped at the end.
        settings: What celtop was told.
        clock: The time, in seconds since the epoch.
    """

    TITLE = "celtop"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("global")
    COMMANDS = {_commands}  # noqa: RUF012
    DEFAULT_MODE = "overview"
    AUTO_FOCUS = "LiveTable, Tile"

    def __init__(
        self, session: Session, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self.session = session
        unicode = not settings.ascii if settings.ascii is not None else _speaks_unicode()
        utc = settings.timezone == "utc"
        glyphs = UNICODE if unicode else ASCII
        self.scene: Scene = Scene(session, settings, clock, glyphs, utc)
        self.frames = Frames(settings.frames_per_second)
        self._history = History()
        self._on_screen: MonitorScreen | None = None
        self._second = 0
        # One renderer for all scrollbars is how Textual has it.
        ScrollBar.renderer = ScrollBarRender if unicode else PlainScrollBarRender
        self.register_theme(CELTOP_DARK)
        self.register_theme(CELTOP_LIGHT)
        if self.no_color:
            drop_all_colour(self)
        known = settings.theme in self.available_themes
        self.theme = (settings.theme or "") if known else CELTOP_DARK.name
        if self.no_color:
            self.theme = COLOURLESS
        for action in VIEWS:
            view = action.id.removeprefix("view.")
            self.add_mode(view, partial(self._root, view))

    # Life

    def on_mount(self) -> None:
        """Paint once, then begin to listen."""
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh())
        self._history.visit(self.place)
        if not self.is_headless:
            terminal.on_end_signals(self.end)
            self.set_interval(TERMINAL_CHECK, self._check_terminal)
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.session.start()
        self._watch()
        self.set_timer(BEAT, self._beat)

    async def on_unmount(self) -> None:
        """End the session's threads."""
        await asyncio.to_thread(self.session.stop, STOP_WITHIN)

    def end(self, code: int = 0) -> None:
        """End celtop, with an exit code for the shell."""
        if code and not self.is_headless:
            terminal.end_process_after(2.0, code)
        self.exit(return_code=code)

    def _check_terminal(self) -> None:
        if terminal.is_gone(sys.__stdin__.fileno() if sys.__stdin__ else 0):
            self.end(terminal.HUNG_UP)

    # The loop

    async def _beat(self) -> None:
        """Apply what came in, in small bites with a look at the keys between them, and paint."""
        more, applied = True, 0
        while more and not self._exit:
            pumped = self.session.pump(self.scene.now(), BUDGET)
            applied += pumped.applied
            self.frames.wanted |= bool(pumped.applied)
            more = pumped.more
            self._tick()
            if self.frames.due(time.monotonic()):
                self.paint()
            if more:
                await asyncio.sleep(BREATH)
        self.set_timer(BEAT if applied or self.frames.wanted else QUIET_BEAT, self._beat)

    def sent(self, characters: int) -> None:
        """Let the pace of frames follow what they cost to send."""
        self.frames.sent(characters)

    def _tick(self) -> None:
        second = int(self.scene.now())
        if second != self._second:
            self._second = second
            self.scene.state.tick(self.scene.now())

    def paint(self) -> None:
        """Bring the screen up to date, unless it is covered or the terminal is behind."""
        if terminal_is_behind(self):
            return
        self.frames.painted(time.monotonic())
        screen = self.monitor_screen
        changes = self.scene.state.take_changes()
        if screen is None or self.scene.frozen:
            # Nobody is told of these changes: whoever is painted next must look at everything.
            self._on_screen = None
            if screen is not None:
                screen.paint()
            return
        if screen is self._on_screen:
            screen.take(changes)
        elif screen.ready:
            screen.catch_up()
            self._on_screen = screen
        screen.paint()

    @property
    def monitor_screen(self) -> MonitorScreen | None:
        """The screen on top, or None while a dialog covers it or there is none."""
        from .screens.monitor import MonitorScreen

        # Between two modes, and at the very end, there is no screen at all.
        screen = self.screen_stack[-1] if self.screen_stack else None
        return screen if isinstance(screen, MonitorScreen) else None

    def _watch(self) -> None:
        screen = self.monitor_screen
        if screen is not None:
            self.session.watch(screen.topics)

    # Finding the way

    @property
    def place(self) -> Place:
        """Where the user is."""
        screens = [screen for screen in self.screen_stack if hasattr(screen, "place")]
        place: Place = screens[-1].place
        return place

    def go(self, place: Place, *, remember: bool = True) -> None:
        """Go to a place, by the shortest way."""
        if remember:
            self._history.visit(place)
        if place.view != self.current_mode:
            self.switch_mode(place.view)
        while (path := self.place.path) != place.path[: len(path)]:
            self.pop_screen()
        while len(self.place.path) < len(place.path):
            depth = len(self.place.path) + 1
            step = Place(place.view, place.path[:depth])
            self.push_screen(self._deep(step))
        self.frames.wanted = True
        self.call_after_refresh(self._arrived)

    def _arrived(self) -> None:
        self._watch()
        self.paint()

    def _root(self, view: str) -> MonitorScreen:
        from . import screens

        return screens.root(view, self.scene)

    def _deep(self, place: Place) -> MonitorScreen:
        from . import screens

        return screens.deep(place, self.scene)

    def on_visit(self, message: Visit) -> None:
        """Go one step deeper."""
        self.go(self.place.deeper(message.drill))

    def on_copied(self, message: Copied) -> None:
        """Put a text on the clipboard."""
        self.copy(message.what, message.text)

    async def on_event(self, event: Event) -> None:
        """Do what a key is bound to before the next one is looked at."""
        if isinstance(event, Key) and not event.is_forwarded and await self._pressed(event.key):
            return
        await super().on_event(event)

    async def _pressed(self, key: str) -> bool:
        screen = self.monitor_screen
        if screen is None:
            return False
        # A person types `2/mail` without waiting for the list to come up.
        with suppress(TimeoutError):
            await asyncio.wait_for(screen.mounted.wait(), SCREEN_WITHIN)
        line = screen.typing
        if line is None:
            return await press(self, key)
        for action in in_context(line.CONTEXT):
            if key in action.keys:
                return await self.run_action(action.action, line)
        return False

    # What keys do everywhere

    def action_view(self, view: str) -> None:
        """Go to a numbered view."""
        self.go(Place(view))

    def action_history(self, step: int) -> None:
        """Go to where the user was before."""
        place = self._history.step(step)
        if place is None:
            self.bell()
        else:
            self.go(place, remember=False)

    async def action_back(self) -> None:
        """Undo one step: on the screen, or to the screen before."""
        screen = self.monitor_screen
        if screen is not None and not screen.step_back() and self.place.path:
            self.go(self.place.out())

    async def action_quit_or_back(self) -> None:
        """Go one step out, or quit at the root."""
        if self.place.path:
            self.go(self.place.out())
        else:
            self.end()

    async def action_quit(self) -> None:
        """Quit at once."""
        self.end()

    def action_freeze(self) -> None:
        """Hold the screen still, or let it live again."""
        state = self.scene.state
        self.scene.frozen_events = None if self.scene.frozen else state.totals.events
        self.paint()

    def action_refresh_now(self) -> None:
        """Ask workers and queues now, or try again to connect."""
        self.session.refresh()
        live = self.scene.state.broker.phase == "live"
        self.say("Asked workers and queues" if live else "Trying to connect now")

    def action_help(self) -> None:
        """Show the keys, those of the focused pane first."""
        from .screens.help import Help

        screen = self.monitor_screen
        contexts = screen.CONTEXTS if screen is not None else ()
        self.push_screen(Help(contexts, ascii_only=self.scene.ascii))

    def action_command_palette(self) -> None:
        """Search all commands; Textual's palette draws more than ASCII."""
        if self.scene.ascii:
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
        from .commands import CommandError, run

        try:
            run(self, line)
        except CommandError as error:
            self.say(str(error), "error")

    def action_filter_by(self, text: str) -> None:
        """Filter the present list."""
        screen = self.monitor_screen
        if screen is None or not screen.filter_by(text):
            self.say("There is nothing to filter here", "warning")

    def action_export(self, path: str = "") -> None:
        """Ask for a file's name and save what is shown."""
        self.run_worker(self._export(path))

    async def _export(self, path: str) -> None:
        from .saving import SaveError, default_name, save
        from .screens.save_dialog import SaveDialog

        screen = self.monitor_screen
        if screen is None:
            return
        default = Path(path or default_name(screen.place.view, self.scene.now()))
        # A picture is taken without the dialog on it: the dialog is gone by then.
        chosen = await self.push_screen_wait(SaveDialog(default))
        if chosen is not None:
            try:
                self.say(f"Saved {save(self, screen, chosen)} to {chosen}")
            except SaveError as error:
                self.say(str(error), "error")

    def copy(self, what: str, text: str) -> None:
        """Put a text on the clipboard of the terminal and say so.

        Terminals and multiplexers silently refuse what is too long for them.
        """
        if len(text) > LONGEST_COPY:
            self.say(f"{what} is too long to copy: save it with ctrl+s", "warning")
            return
        self.copy_to_clipboard(text)
        self.say(f"Copied {what}")

    def say(self, text: str, severity: Any = "information") -> None:
        """Tell the user something, in passing."""
        self.notify(visible(text), severity=severity, markup=False, timeout=4)

    def use_mouse(self, on: bool) -> None:
        """Take the mouse from the terminal, or give it back."""
        if not take_mouse(self, on):
            self.say("The mouse cannot be switched here", "warning")

    def get_system_commands(self, screen: Any) -> Any:
        """Offer no commands of Textual's own: ours are all in one table."""
        return ()


def _speaks_unicode() -> bool:
    return terminal.speaks_unicode(os.environ)
