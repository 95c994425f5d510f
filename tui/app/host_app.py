"""The part of the app that commands, operations and dialogs use; it implements `Host`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...bindings.keymap import Keymap
from ...model.text.sanitize import visible
from ...widgets.colours import STATE_COLOURS
from ...widgets.compat.textual_internals import FrugalApp, capture_mouse
from ...widgets.glyphs import ASCII, UNICODE
from ..keymap import textual_keymap
from . import terminal
from .theme import readable

if TYPE_CHECKING:
    from textual.screen import Screen

    from ...bindings.contexts import Context
    from ...cluster.session import Session
    from ...files.views_file import View
    from ...model.entities.task import Task
    from ...recording.session import ReplaySession
    from ...settings import Settings
    from ...widgets.table.live_table import LiveTable
    from ..host import Severity
    from ..navigation import Location
    from ..replay import ReplayControls
    from ..screens.base.screen import MonitorScreen

R = TypeVar("R")
T = TypeVar("T")

MAX_COPIED_CHARACTERS: Final = 50_000
"""In base64 about 75,000 bytes, the most that xterm accepts."""
NOTIFICATION_TIMEOUT: Final = 4.0
"""Seconds that a notification stays."""


class HostApp(FrugalApp, inherit_bindings=False):
    """An app with a session, a frame loop, a navigator and a runner of operations."""

    _replay_controls: ReplayControls | None = None

    def __init__(
        self,
        session: Session,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        keymap: Keymap | None = None,
    ) -> None:
        super().__init__()
        self.set_up(session, settings, clock, keymap)

    @property
    def is_set_up(self) -> bool:
        """Whether the session and the settings are available."""
        return hasattr(self, "context")

    def set_up(
        self,
        session: Session,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        keymap: Keymap | None = None,
    ) -> None:
        """Make everything that depends on the settings."""
        # Not needed for the first frame of `StartingApp`.
        from ..context import AppContext
        from ..loop import FrameLoop
        from ..operations.runner import OperationRunner
        from ..selection import Selection
        from .navigator import Navigator

        ascii_only = settings.ascii
        unicode = terminal.supports_unicode(os.environ) if ascii_only is None else not ascii_only
        glyphs = UNICODE if unicode else ASCII
        self.context = AppContext(session, settings, clock, glyphs, settings.timezone == "utc")
        if keymap is not None:
            self.context.keymap = keymap
            self.set_keymap(textual_keymap(keymap))
        self._selection = Selection(None)
        self.runner = OperationRunner(self, self)
        self.frame_loop = FrameLoop(self, self.context, self.follow)
        self.navigator = Navigator(self, self.context, self.frame_loop)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours of states that Textual's themes lack."""
        return dict(STATE_COLOURS)

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, in colours that can be read."""
        variables = readable(super().get_css_variables())
        self.theme_variables = variables
        return variables

    def set_up_replay(self, replay: ReplaySession) -> None:
        """Make what moves the replay of a recording; after `set_up`, with its session and clock."""
        from ..replay import ReplayControls

        self.context.replay = replay
        self._replay_controls = ReplayControls(replay, self.context, self.frame_loop)

    @property
    def replay_controls(self) -> ReplayControls | None:
        """Moves the replay of a recording; None if this is not one."""
        return self._replay_controls

    def follow(self) -> None:
        """Follow the model after changes."""
        self.runner.follow()

    @property
    def monitor_screen(self) -> MonitorScreen | None:
        """The monitor screen on top; None while a dialog covers it."""
        return self.frame_loop.screen

    @property
    def location(self) -> Location:
        """The location on the screen."""
        return self.navigator.location

    @property
    def contexts(self) -> Sequence[Context]:
        """The key contexts of the screen."""
        screen = self.frame_loop.topmost_screen
        return () if screen is None else screen.CONTEXTS

    @property
    def table(self) -> LiveTable[Any] | None:
        """The table that keys go to."""
        screen = self.frame_loop.topmost_screen
        return None if screen is None else screen.table

    @property
    def filtering(self) -> bool:
        """Whether the filter has yet to be applied to all rows of the list."""
        screen = self.frame_loop.topmost_screen
        return screen is not None and screen.filtering

    def selection(self, kind: type[R]) -> list[R]:
        """Return the rows of a kind that were selected when the operation was begun."""
        return [self.context.current(row) for row in self._selection.rows(kind)]

    def chosen(self, kind: type[R]) -> list[R]:
        """Return the selected rows of a kind, which need not be of those for operations."""
        screen = self.frame_loop.topmost_screen
        return [] if screen is None else screen.chosen(kind)

    def keep_selection(self) -> None:
        """Keep the present selection for the operation that is about to begin."""
        from ..selection import Selection

        self._selection = Selection(self.frame_loop.topmost_screen)

    def unfreeze(self) -> None:
        """Show the live model, because a snapshot lacks the result of a lookup."""
        if self.context.frozen:
            self.frame_loop.freeze(False)
            self.say("Unfrozen to show the result")

    def listed(self) -> Sequence[Task] | None:
        """Return all tasks that passed the filter; None on a screen without a list of tasks."""
        tasks = self._selection.listed
        if tasks is None or not self.context.frozen:
            return tasks
        return [self.context.current(task) for task in tasks]

    def filter_by(self, text: str) -> None:
        """Filter the list on the screen."""
        screen = self.monitor_screen
        if screen is None or not screen.filter_by(text):
            self.say("This screen has no filter", "warning")

    def shown_view(self) -> View | None:
        """Return what is on the screen as a view; None if it cannot be saved as one."""
        screen = self.frame_loop.topmost_screen
        return None if screen is None else screen.shown_view()

    def open_view(self, view: View, name: str) -> None:
        """Open a saved view."""
        from ..commands.views import location_of

        self.navigator.go(location_of(view, name), view=view)

    def choose_columns(self) -> None:
        """Choose the columns of the list on the screen."""
        screen = self.monitor_screen
        if screen is None or not screen.choose_columns():
            self.say("This screen has no columns to choose", "warning")

    def go(self, location: Location, *, filter_text: str = "") -> None:
        """Go to a location, and filter the list there."""
        self.navigator.go(location, filter_text=filter_text)

    def say(self, text: str, severity: Severity = "information") -> None:
        """Show a notification."""
        self.notify(visible(text), severity=severity, markup=False, timeout=NOTIFICATION_TIMEOUT)

    async def ask(self, dialog: Screen[T]) -> T:
        """Show a dialog and return its result. Call it from a Textual worker."""
        return await self.push_screen_wait(dialog)

    def begin(self, question: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine that is about to open a dialog; keys wait for it, up to `answered`."""
        self.runner.begin(question)

    def answered(self) -> None:
        """Send keys to the screen again while the coroutine goes on."""
        self.runner.answered()

    def repaint(self) -> None:
        """Paint in the next frame."""
        self.frame_loop.pacer.wanted = True

    def use_mouse(self, on: bool) -> None:
        """Capture the mouse, or leave it to the terminal."""
        if not capture_mouse(self, on):
            self.say("This terminal does not support switching the mouse", "warning")

    def copy(self, what: str, text: str) -> None:
        """Copy a text to the clipboard of the terminal.

        Terminals and multiplexers silently ignore texts that are too long for them.
        """
        if len(text) > MAX_COPIED_CHARACTERS:
            key = self.context.keymap.key("export")
            advice = f"; press {key} to save it" if key else ""
            self.say(f"{what} is too long to copy{advice}", "warning")
            return
        self.copy_to_clipboard(text)
        self.say(f"Copied {what}")

    def show_times(self, how: str) -> None:
        """Show times as one of `TIMES`."""
        self.context.times = how
        self.repaint()
