"""Finding the way: modes, screens in depth, and the history that `[` and `]` walk."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ..bindings.actions import VIEWS
from ..model.entities.task import Task
from .loop import LiveApp
from .messages import DrillRequested
from .navigation import DrillDown, History, Location

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..settings import Settings
    from .screens.base import MonitorScreen


class RoamingApp(LiveApp, inherit_bindings=False):
    """An app with a stack of screens for each numbered view."""

    def __init__(
        self, session: Session, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(session, settings, clock)
        self._history = History()
        for action in VIEWS:
            view = action.id.removeprefix("view.")
            self.add_mode(view, partial(self._root, view))

    def on_mount(self) -> None:
        """Begin the history here."""
        self._history.visit(self.location)

    @property
    def location(self) -> Location:
        """Where the user is."""
        screens = [screen for screen in self.screen_stack if hasattr(screen, "location")]
        location: Location = screens[-1].location
        return location

    def go(self, location: Location, *, remember: bool = True) -> None:
        """Go to a place, by the shortest way."""
        if remember:
            self._history.visit(location)
        if location.view != self.current_mode:
            self.switch_mode(location.view)
        while (path := self.location.path) != location.path[: len(path)]:
            self.pop_screen()
        while len(self.location.path) < len(location.path):
            depth = len(self.location.path) + 1
            step = Location(location.view, location.path[:depth])
            self.push_screen(self._deep(step))
        self.frames.wanted = True
        self.call_after_refresh(self._arrived)

    def _arrived(self) -> None:
        self.watch_shown()
        self.paint()

    def _root(self, view: str) -> MonitorScreen:
        from . import routes

        return routes.root(view, self.context)

    def _deep(self, location: Location) -> MonitorScreen:
        from . import routes

        return routes.deep(location, self.context)

    def on_drill_requested(self, message: DrillRequested) -> None:
        """Go one step deeper."""
        self.go(self.location.deeper(message.drill))

    # What keys do

    def action_view(self, view: str) -> None:
        """Go to a numbered view."""
        self.go(Location(view))

    def action_history(self, step: int) -> None:
        """Go to where the user was before."""
        location = self._history.step(step)
        if location is None:
            self.bell()
        else:
            self.go(location, remember=False)

    def action_error(self) -> None:
        """Show what fails, grouped; from a task that failed its own group and traceback."""
        screen = self.monitor_screen
        path = self.location.path
        if screen is None or (path and path[-1].kind == "failures"):
            return
        failures = self.context.state.failures
        task = next((one for one in screen.chosen(Task) if failures.of(one.id)), None)
        self.go(self.location.deeper(DrillDown("failures", task.id if task else "", "Failures")))

    def leave(self) -> None:
        """Quit."""
        self.end()

    async def action_back(self) -> None:
        """Undo one step: on the screen, or to the screen before."""
        screen = self.monitor_screen
        if screen is not None and not screen.step_back() and self.location.path:
            self.go(self.location.out())

    async def action_quit_or_back(self) -> None:
        """Go one step out, or quit at the root."""
        if self.location.path:
            self.go(self.location.out())
        else:
            self.leave()
