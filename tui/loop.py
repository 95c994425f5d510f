"""The frame loop: pumps the session, and paints the screen on top when a frame is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from textual import events

from ..garbage import IdleCollector
from ..model.entities.changes import Changes
from ..model.text.sanitize import visible
from ..widgets.compat.textual_internals import terminal_is_behind
from .context import AppContext
from .dialogs.base import Dialog
from .pacing import FramePacer
from .screens.base.screen import MonitorScreen

if TYPE_CHECKING:
    from textual.app import App

BUSY_INTERVAL: Final = 0.05
"""Seconds between two pumps of the session while events arrive."""
MANY_OBSERVATIONS: Final = 20
"""Observations of one pump after which the next one follows in any case; after fewer it waits for
another observation."""
REPLAY_INTERVAL: Final = 0.5
"""Seconds between two pumps of a recording while none arrive. Otherwise the next one is at the full
second: waking up costs CPU time, too."""
TIMER_TOLERANCE: Final = 0.002
"""Seconds by which a timer may be early: the full second must have begun."""
PUMP_BUDGET: Final = 0.01
"""Seconds that applying events may take before keys are looked at again."""
MAX_PUMP_BUDGET: Final = 0.1
"""Seconds that it may take if there is a backlog and everything else takes as long."""
PUMP_PAUSE: Final = 0.001
"""Seconds left to the receiving threads while there is a backlog."""
NO_CHANGES: Final = Changes({}, [], False)
STOP_TIMEOUT: Final = 1.5
"""Seconds for the session's threads to end; the process must end within two."""


class FrameLoop:
    """Keeps the model and the screen up to date.

    Args:
        app: The app whose timers and screens it uses.
        context: The session and the clock.
        on_pumped: Called after observations were applied to the model.
    """

    def __init__(self, app: App[Any], context: AppContext, on_pumped: Callable[[], object]) -> None:
        self.pacer = FramePacer(context.settings.frames_per_second)
        self.collector: IdleCollector | None = None
        """Collects garbage while no key is pressed; None leaves it to Python."""
        self.pressed_at = 0.0
        """When the last key was pressed, monotonic seconds."""
        self._app = app
        self._context = context
        self._on_pumped = on_pumped
        self._painted: MonitorScreen | None = None
        """The screen that has been given all changes of the model so far."""
        self._selected: WeakKeyDictionary[MonitorScreen, tuple[str, ...]] = WeakKeyDictionary()
        self._protected: frozenset[str] = frozenset()
        self._second = 0
        self._beat_at = 0.0
        self._is_due = False
        self._applied = 0
        """Observations applied so far of those that were waiting at `_beat_at`."""
        self._pumped_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the session and the loop."""
        self._context.session.next_frame_at = lambda: self.pacer.next_at
        self._context.session.start()
        if self._context.session.history.stored is not None:
            self._context.session.history.stored.reader.on_answer = self._history_read
            self._context.session.history.stored.load_recent(self._context.clock())
        self.watch_screen()
        self._beat_in(BUSY_INTERVAL)

    async def stop(self) -> None:
        """End the session's threads."""
        if self._timer is not None:
            self._timer.cancel()
        self._context.session.history.end(self._context.clock())
        await asyncio.to_thread(self._context.session.stop, STOP_TIMEOUT)

    def keep_up(self) -> None:
        """Pump and paint if that is due.

        Called before each key, too: the message that asks for it may be queued behind many keys.
        """
        if self._is_due:
            self._is_due = False
            self._beat()

    def _beat(self) -> None:
        """Pump for a short time and paint; whatever is left, keys are looked at in between."""
        if not self._applied:
            self._beat_at = time.monotonic()
        now = self._context.clock
        pumped = self._context.session.pump(now(), self._pump_budget)
        self._pumped_at = time.monotonic()
        self._applied += pumped.applied
        if pumped.applied:
            self._on_pumped()
            self.pacer.wanted = True
        second_began = self._tick()
        painted = self.pacer.due(time.monotonic()) and self.paint()
        if second_began:
            self._look_after(painted=painted)
        if self._app.return_code is not None:
            return
        if pumped.more:
            self._beat_in(PUMP_PAUSE)
            return
        applied, self._applied = self._applied, 0
        if applied >= MANY_OBSERVATIONS:
            self._beat_in(BUSY_INTERVAL)
        else:
            self._beat_in(self._quiet_interval())
            self._context.session.call_on_update(self._wake)

    @property
    def _pump_budget(self) -> float:
        """The seconds for pumping: of a backlog, as long as keys and screens took since the last.

        With less, someone who types fast could make the screen older and older.
        """
        if not self._applied:
            return PUMP_BUDGET
        return min(MAX_PUMP_BUDGET, max(PUMP_BUDGET, time.monotonic() - self._pumped_at))

    def _quiet_interval(self) -> float:
        """Return the seconds until the next pump if nothing arrives."""
        interval = self._idle_interval()
        if not self.pacer.wanted:
            return interval
        rest = self.pacer.next_at - time.monotonic()
        # After the time of a frame, the terminal is behind.
        return min(interval, rest if rest > 0 else BUSY_INTERVAL)

    def _idle_interval(self) -> float:
        if self._context.replay is not None:
            return REPLAY_INTERVAL  # its clock does not run by itself
        return 1.0 - self._context.clock() % 1.0 + TIMER_TOLERANCE

    def _beat_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Each timer of Textual is a task of its own, and `App.call_later` inspects the signature of
        # what it calls each time.
        loop = self._loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._fall_due)

    def _fall_due(self) -> None:
        self._is_due = True
        self._app.post_message(events.Callback(callback=self.keep_up))

    def _wake(self) -> None:
        """Pump soon; called from the thread that has put something into the inbox."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the event loop has ended
                self._loop.call_soon_threadsafe(self.beat_soon)

    def beat_soon(self) -> None:
        """Pump and paint soon, if the loop has started."""
        if self._timer is not None:
            self._beat_in(max(0.0, self._beat_at + BUSY_INTERVAL - time.monotonic()))

    def _history_read(self) -> None:
        """Paint what was read from the history soon; called from the thread that has read it."""
        self.pacer.wanted = True
        self._wake()

    def _tick(self) -> bool:
        """Update the model each second; return whether one has begun."""
        now = self._context.clock()
        second = int(now)
        if second == self._second:
            return False
        self._second = second
        self.pacer.second_began()
        self._context.session.tick(now)
        return True

    def _look_after(self, *, painted: bool) -> None:
        """Do what is due each second, after the frame, which has taken the changes if `painted`."""
        if not painted:
            self._take_changes()
        self._watch_results()
        self._protect_selected()
        if self.collector is not None:
            self.collector.collect(time.monotonic(), self.pressed_at)

    def _protect_selected(self) -> None:
        """Keep the tasks that are selected on any screen from being evicted."""
        screen = self.topmost_screen
        if screen is not None and screen.ready:
            self._selected[screen] = screen.selected_ids
        ids = (ids for screen, ids in self._selected.items() if screen.is_attached)
        protected = frozenset(chain.from_iterable(ids))
        if protected != self._protected:
            self._protected = protected
            self._context.live.protect(protected)

    # The screen

    @property
    def screen(self) -> MonitorScreen | None:
        """The monitor screen on top; None while a dialog covers it."""
        stack = self._app.screen_stack  # empty between two modes, and at the very end
        return stack[-1] if stack and isinstance(stack[-1], MonitorScreen) else None

    @property
    def topmost_screen(self) -> MonitorScreen | None:
        """The topmost monitor screen, whether or not a dialog covers it."""
        stack = reversed(self._app.screen_stack)
        return next((screen for screen in stack if isinstance(screen, MonitorScreen)), None)

    def paint(self) -> bool:
        """Bring the screen and a dialog on it up to date, unless the terminal is behind.

        Returns:
            Whether the screen has all changes of the model.
        """
        if terminal_is_behind(self._app):
            return False
        self.pacer.painted(time.monotonic())
        started = time.thread_time()
        screen = self._take_changes()
        if screen is not None and screen.is_current and not screen.settled:
            self.pacer.wanted = True  # until it is displayed it paints itself after each layout
        elif screen is not None:
            screen.paint(covered=screen is not self.screen)
        dialog = self._app.screen_stack[-1] if self._app.screen_stack else None
        if isinstance(dialog, Dialog) and dialog.mounted.is_set():
            dialog.paint()
        if screen is not None and screen.filtering:
            # Each frame filters a part, even without changes, and that soon.
            self.pacer.wanted = True
            self.pacer.took(0.0)
        else:
            self.pacer.took(time.thread_time() - started)
        return True

    def _take_changes(self) -> MonitorScreen | None:
        """Pass what changed to the history and to the screen, and return the screen."""
        changes = self._context.session.take_changes(self._context.clock())
        screen = self.topmost_screen
        missed = changes != NO_CHANGES
        if self._context.frozen:
            changes = NO_CHANGES
            if missed := self._context.freeze.take_moment():
                self._painted = None
            elif fault := self._context.freeze.moments.take_fault():
                self._app.notify(visible(fault), severity="warning", markup=False)
        if screen is None:
            self._painted = None
        elif not screen.ready:
            self._painted = None
            screen.is_new &= not missed
        elif screen is self._painted:
            screen.take(changes)
        else:
            if missed or not screen.is_new:
                screen.catch_up()
            screen.is_new, screen.on_drawn = False, self.pacer.drew
            self._painted = screen
        return screen

    def freeze(self, frozen: bool) -> None:
        """Show a snapshot from now on, or the live model again.

        The model itself goes on, so a freeze of any length loses nothing.
        """
        if frozen:
            self.paint()  # the snapshot has all changes so far
            self._context.freeze.begin()
        else:
            self._context.freeze.end()
        self._painted = None
        self.paint()

    def watch_screen(self) -> None:
        """Pass what is on the screen to the session, which keeps it up to date."""
        screen = self.screen
        if screen is not None:
            self._context.session.watch(screen.topics)
            self._watch_results()

    def _watch_results(self) -> None:
        """Name the tasks on the screen, which change with each scrolled line."""
        screen = self.screen
        if screen is not None and screen.ready:
            self._context.session.watch_results(screen.watched)
