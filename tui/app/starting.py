"""The app before its settings are known: neither they nor the user's app delay the first frame."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.events import Event, Key
from textual.screen import Screen
from textual.widgets import Static

from ... import garbage
from ...bindings.actions import VIEWS
from ...widgets.compat.no_colour import drop_all_colour
from ...widgets.compat.textual_internals import FrugalApp
from .app import CeltopApp
from .theme import TERMINAL_COLOURS, in_16_colours

if TYPE_CHECKING:
    from ...bindings.keymap import Keymap
    from ...cluster.session import Session
    from ...files.acknowledgements import Acknowledgements
    from ...recording.session import ReplaySession
    from ...settings import Settings
    from ..seen_hints import SeenHints


class Prepared(NamedTuple):
    """Everything that the app needs after the first frame."""

    session: Session
    settings: Settings
    keymap: Keymap
    seen_hints: SeenHints
    acknowledgements: Acknowledgements
    replay: ReplaySession | None = None
    """The session, if it is one on a recording."""
    problem: str = ""
    """Why another cluster could not be opened instead; empty if none was chosen."""


def import_first_screen() -> None:
    """Import what `CeltopApp.set_up` and the Overview need, while the first frame is shown."""
    from .. import selection
    from ..operations import runner
    from ..screens import overview
    from . import keyboard, navigator

    del keyboard, navigator, selection, runner, overview


class StartScreen(Screen[None]):
    """The header and the views, in the terminal's own colours, as the theme is unknown."""

    DEFAULT_CSS = """
    StartScreen > #start-views { dock: bottom; }
    StartScreen > Static { height: 1; padding: 0 1; }
    """

    def compose(self) -> ComposeResult:
        """Yield the two lines."""
        yield Static("celtop  starting", markup=False)
        views = "  ".join(f"{action.keys[0]} {action.label}" for action in VIEWS[:-1])
        yield Static(views, id="start-views", markup=False)


class StartingApp(CeltopApp):
    """celtop, which shows a first frame while a thread prepares the rest.

    Of the keys that are typed meanwhile, those of views act afterwards: the first frame has nothing
    that others could be meant for.

    Args:
        prepare: Reads the settings and imports the session; an error ends the app.
    """

    DEFAULT_MODE = "start"

    def __init__(self, prepare: Callable[[], Prepared]) -> None:
        FrugalApp.__init__(self)  # the rest follows in `set_up`
        self.theme = TERMINAL_COLOURS
        if self.no_color:
            drop_all_colour(self)
        self.add_mode("start", StartScreen)
        self.error: BaseException | None = None
        """Why it could not start."""
        self._prepare = prepare
        self._typed: list[Key] = []
        self._takes_keys = False
        """Whether the screen that keys are for is shown."""

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, in colours that the terminal can show."""
        variables = super().get_css_variables()
        if self.console.color_system == "standard":
            variables = in_16_colours(variables, dark=self.current_theme.dark)
            self.theme_variables = variables
        return variables

    def start(self) -> None:
        """Prepare the rest after the first frame."""
        self.call_after_refresh(self._go_on)

    @work  # in a task of its own: the first screen could not wait for its own end
    async def _go_on(self) -> None:
        # In a thread of its own: one of the event loop's would delay ctrl-c until it ends.
        future: Future[Prepared] = Future()

        def prepare() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(self._prepare())
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=prepare, name="prepare", daemon=True).start()
        try:
            prepared = await asyncio.wrap_future(future)
        except Exception as error:
            self.error = error
            self.exit()
            return
        replay = prepared.replay
        clock = time.time if replay is None else replay.playback.now
        self.set_up(prepared.session, prepared.settings, clock, prepared.keymap)
        if replay is not None:
            self.set_up_replay(replay)
        if prepared.settings.theme is None and self.console.color_system == "standard":
            # In 16 colours the nearest one to a theme's red may be white.
            self.theme = TERMINAL_COLOURS
        self.context.seen_hints = prepared.seen_hints
        self.context.acknowledgements = prepared.acknowledgements
        await self.switch_mode(CeltopApp.DEFAULT_MODE)
        await self.remove_mode("start")
        self.use_mouse(prepared.settings.mouse)
        super().start()
        if prepared.problem:
            self.say(prepared.problem, "error")
        self.call_later(self._take_keys)
        self.call_after_refresh(self._collect_when_idle)
        self._preload()

    @work
    async def _preload(self) -> None:
        from .preloading import preload

        await preload()

    async def _take_keys(self) -> None:
        """Do what the keys so far are bound to: those that wait in the queue were typed later."""
        self._takes_keys = True
        keymap = self.context.keymap
        kept = {key for view in VIEWS for key in keymap[view.id].keys}
        for key in self._typed:
            if key.key in kept:
                await super().on_event(key)

    async def on_event(self, event: Event) -> None:
        """Keep keys until there is a screen for them."""
        if self._takes_keys or (self.is_set_up and not isinstance(event, Key)):
            await super().on_event(event)
        elif not isinstance(event, Key):
            await FrugalApp.on_event(self, event)
        elif event.key == "ctrl+c":
            self.exit()
        else:
            self._typed.append(event)

    def _collect_when_idle(self) -> None:
        self.frame_loop.collector = garbage.IdleCollector()
