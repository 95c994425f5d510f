"""Goes to locations: modes, stacks of screens, and the history that `[` and `]` walk."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ...bindings.actions import VIEWS
from ...model.entities.task import Task
from ..context import AppContext
from ..loop import FrameLoop
from ..navigation import PAGES, DrillDown, History, Location
from . import routes

if TYPE_CHECKING:
    from textual.app import App

    from ...files.views_file import View
    from ..screens.base.screen import MonitorScreen


class Navigator:
    """A stack of screens for each numbered view.

    Args:
        app: The app whose modes and screens it uses.
        context: What the screens share.
        loop: Paints the screen that was gone to.
    """

    def __init__(self, app: App[Any], context: AppContext, loop: FrameLoop) -> None:
        self._app = app
        self._context = context
        self._loop = loop
        self._history = History()
        for action in VIEWS:
            view = action.id.removeprefix("view.")
            app.add_mode(view, partial(routes.root, view, context))

    def start(self) -> None:
        """Begin the history at the first screen."""
        self._history.visit(self.location)

    @property
    def location(self) -> Location:
        """The location on the screen."""
        screen = self._loop.topmost_screen
        assert screen is not None, "the app has no screen"
        return screen.location

    def go(
        self,
        location: Location,
        *,
        filter_text: str = "",
        view: View | None = None,
        remember: bool = True,
    ) -> None:
        """Go to a location, popping and pushing as few screens as possible.

        Args:
            location: The location.
            filter_text: What to filter its list by, if anything.
            view: How to arrange its list.
            remember: Whether it becomes part of the history.
        """
        if remember:
            self._history.visit(location)
        if location.view != self._app.current_mode:
            self._app.switch_mode(location.view)
        while (path := self.location.path) != location.path[: len(path)]:
            self._app.pop_screen()
        while len(self.location.path) < len(location.path):
            depth = len(self.location.path) + 1
            step = Location(location.view, location.path[:depth])
            self._app.push_screen(routes.deep(step, self._context))
        self._loop.pacer.wanted = True
        screen = self._loop.screen
        if screen is not None and screen.ready:
            self._loop.paint()  # before it is displayed; a new one paints itself
        self._app.call_after_refresh(self._arrive, screen, filter_text, view)

    async def _arrive(
        self, screen: MonitorScreen | None, filter_text: str, view: View | None
    ) -> None:
        self._loop.watch_screen()
        self._loop.beat_soon()
        if screen is None or not (filter_text or view is not None):
            return
        from .keyboard import SCREEN_TIMEOUT

        with suppress(TimeoutError):
            await asyncio.wait_for(screen.mounted.wait(), SCREEN_TIMEOUT)
        if screen is not self._loop.screen or not screen.ready:
            return  # left again meanwhile, by a click
        if view is not None:
            screen.show_view(view)
        elif filter_text:
            screen.filter_by(filter_text)

    def drill(self, step: DrillDown) -> None:
        """Go one step deeper, unless that is where the screen is, as after a double click."""
        if self.location.path[-1:] != (step,):
            self.go(self.location.deeper(step))

    def step_history(self, step: int) -> None:
        """Go back (-1) or forward (1) in the history."""
        location = self._history.step(step)
        if location is None:
            self._app.bell()
        else:
            self.go(location, remember=False)

    def back(self) -> None:
        """Undo one step: on the screen, otherwise to the screen before."""
        screen = self._loop.screen
        if screen is not None and not screen.step_back():
            self.go_out()

    def go_out(self) -> bool:
        """Go one step out; return whether there was one."""
        deep = bool(self.location.path)
        if deep:
            self.go(self.location.out())
        return deep

    def open_failures(self) -> None:
        """Show the failure groups, beginning at that of the selected task if it failed.

        Behind the name of a page, the breadcrumb states that they are not those of its subject.
        """
        screen, path = self._loop.screen, self.location.path
        if screen is None or (path and path[-1].kind == "failures"):
            return
        failures = self._context.state.failures
        task = next((one for one in screen.chosen(Task) if failures.of(one.id)), None)
        self.drill(
            DrillDown("failures", task.id if task else "", "All failures" if path else "Failures")
        )

    def open_charts(self) -> None:
        """Show the charts of the subject of the page, otherwise of the cluster."""
        path = self.location.path
        if not path or path[-1].kind != "charts":
            self.drill(PAGES["charts"])
