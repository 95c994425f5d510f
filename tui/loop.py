"""The loop: it pumps the session, and paints the screen that is on top when that is due."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from textual.scrollbar import ScrollBar, ScrollBarRender

from ..model.text.sanitize import visible
from ..widgets.compat.plain_scrollbar import PlainScrollBarRender
from ..widgets.compat.textual_internals import FrugalApp, terminal_is_behind
from ..widgets.glyphs import ASCII, UNICODE
from . import terminal
from .context import AppContext
from .pacing import FramePacer

if TYPE_CHECKING:
    from textual.timer import Timer

    from ..cluster.session import Session
    from ..settings import Settings
    from .screens.base import MonitorScreen

BEAT: Final = 0.05
"""Seconds between two looks at the session while something happens."""
QUIET_BEAT: Final = 0.5
"""The same while nothing does; news and the next full second end the rest earlier. A process that
only wakes up costs too."""
JUST_AFTER: Final = 0.002
"""Seconds by which a timer may be early: the full second shall have come."""
BUDGET: Final = 0.01
"""Seconds that applying events may take before keys are looked at again."""
BREATH: Final = 0.001
"""Seconds left to the receiving threads while there is a backlog."""
STOP_WITHIN: Final = 1.5
"""Seconds for the session's threads to end; the process must be gone within two."""
TERMINAL_CHECK: Final = 3.0


class LiveApp(FrugalApp, inherit_bindings=False):
    """An app over a session.

    Args:
        session: Where the model comes from; started after the first frame, stopped at the end.
        settings: What celtop was told.
        clock: The time, in seconds since the epoch.
    """

    def __init__(
        self, session: Session, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self.session = session
        unicode = not settings.ascii if settings.ascii is not None else _speaks_unicode()
        utc = settings.timezone == "utc"
        glyphs = UNICODE if unicode else ASCII
        self.context: AppContext = AppContext(session, settings, clock, glyphs, utc)
        self.frames = FramePacer(settings.frames_per_second)
        self._on_screen: MonitorScreen | None = None
        self._second = 0
        self._rest: Timer | None = None
        # One renderer for all scrollbars is how Textual has it.
        ScrollBar.renderer = ScrollBarRender if unicode else PlainScrollBarRender

    # Life

    def on_mount(self) -> None:
        """Paint once, then begin to listen."""
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh())
        if not self.is_headless:
            terminal.on_end_signals(self.end)
            self.set_interval(TERMINAL_CHECK, self._check_terminal)
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.session.start()
        self.watch_shown()
        self._rest = self.set_timer(BEAT, self._beat)

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
        if self._rest is not None:
            self._rest.stop()  # it was woken up
        more, applied = True, 0
        while more and not self._exit:
            pumped = self.session.pump(self.context.now(), BUDGET)
            applied += pumped.applied
            self.frames.wanted |= bool(pumped.applied)
            more = pumped.more
            self._tick()
            if self.frames.due(time.monotonic()):
                self.paint()
            if more:
                await asyncio.sleep(BREATH)
        quiet = not (applied or self.frames.wanted)
        to_second = 1.0 - self.context.now() % 1.0 + JUST_AFTER
        self._rest = self.set_timer(min(QUIET_BEAT, to_second) if quiet else BEAT, self._beat)
        if quiet:
            self.session.call_on_update(self._wake)

    def _wake(self) -> None:
        """Look at the session now; called from the thread that has left something there."""
        with suppress(RuntimeError):  # the loop has ended
            self.call_later(self._beat)

    def sent(self, characters: int) -> None:
        """Let the pace of frames follow what they cost to send."""
        self.frames.sent(characters)

    def _tick(self) -> None:
        second = int(self.context.now())
        if second != self._second:
            self._second = second
            self.context.state.tick(self.context.now())
            self._watch_results()

    def paint(self) -> None:
        """Bring the screen up to date, unless it is covered or the terminal is behind."""
        if terminal_is_behind(self):
            return
        self.frames.painted(time.monotonic())
        screen = self.monitor_screen
        changes = self.context.state.take_changes()
        if screen is None or self.context.frozen:
            # Nobody is told of these changes: whoever is painted next must look at everything.
            self._on_screen = None
            if screen is not None:
                screen.paint()
            else:
                self._paint_covered()
            return
        if screen is self._on_screen:
            screen.take(changes)
        elif screen.ready:
            screen.catch_up()
            self._on_screen = screen
        screen.paint()

    def _paint_covered(self) -> None:
        """Let the line of acts go on beneath a dialog: it must not contradict what that says."""
        from .screens.base import MonitorScreen

        beneath = [screen for screen in self.screen_stack if isinstance(screen, MonitorScreen)]
        if beneath and beneath[-1].ready:
            beneath[-1].act_bar.paint(self.context, covered=True)

    @property
    def monitor_screen(self) -> MonitorScreen | None:
        """The screen on top, or None while a dialog covers it or there is none."""
        from .screens.base import MonitorScreen

        # Between two modes, and at the very end, there is no screen at all.
        screen = self.screen_stack[-1] if self.screen_stack else None
        return screen if isinstance(screen, MonitorScreen) else None

    def watch_shown(self) -> None:
        """Have the session keep fresh what is on the screen."""
        screen = self.monitor_screen
        if screen is not None:
            self.session.watch(screen.topics)
            self._watch_results()

    def _watch_results(self) -> None:
        """Have the results read of the tasks on the screen; it changes with each scrolled line."""
        screen = self.monitor_screen
        if screen is not None and screen.ready:
            self.session.watch_results(screen.watched)

    def say(self, text: str, severity: Any = "information") -> None:
        """Tell the user something, in passing."""
        self.notify(visible(text), severity=severity, markup=False, timeout=4)


def _speaks_unicode() -> bool:
    return terminal.speaks_unicode(os.environ)
