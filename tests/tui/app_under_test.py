"""The app in a terminal, and a user who presses keys and reads the screen."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from celtop.bindings.keymap import Keymap
from celtop.cluster.session import Session
from celtop.model.state import ClusterState
from celtop.settings import Settings
from celtop.tests.tui.fake_session import NOW, FakeSession
from celtop.tests.widgets.screen_text import screen_text
from celtop.tui.app.app import CeltopApp
from celtop.tui.dialogs.base import Dialog
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.navigation import Location
from textual.events import Key
from textual.pilot import Pilot

D = TypeVar("D", bound=Dialog[Any])


class Clock:
    """A time that stands still until a test moves it."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class RecordingApp(CeltopApp):
    """The app, which records its notifications."""

    CSS_PATH = str(Path(inspect.getfile(CeltopApp)).with_name("app.tcss"))

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.said: list[str] = []

    def notify(self, message: str, **options: Any) -> None:
        self.said.append(message)
        super().notify(message, **options)


def make_app(
    state: ClusterState | None = None,
    clock: Clock | None = None,
    keymap: Keymap | None = None,
    stored: Callable[[FakeSession], object] | None = None,
    **settings: Any,
) -> tuple[RecordingApp, FakeSession]:
    """Return an app over a fake session, which `stored` gives a history, and the session."""
    session = FakeSession(state)
    if stored is not None:
        stored(session)
    chosen = Settings(timezone="utc", **{"ascii": False, **settings})
    session.read_only = chosen.read_only
    app = RecordingApp(cast(Session, session), chosen, clock or Clock(), keymap)
    return app, session


def screen_lines(app: CeltopApp) -> list[str]:
    """Return the screen as text, without trailing blanks."""
    return screen_text(app)


class AppUnderTest:
    """A running app."""

    def __init__(self, app: RecordingApp, session: FakeSession, pilot: Pilot[Any]) -> None:
        self.app, self.session, self.pilot = app, session, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def burst(self, *keys: str) -> None:
        """Type keys ahead: all are there before the first is looked at."""
        for key in keys:
            character = {"space": " ", "colon": ":"}.get(key, key)
            self.app.post_message(Key(key, character if len(character) == 1 else None))

    async def until(self, holds: Any) -> None:
        for _ in range(300):
            if holds():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"timed out; the screen:\n{self.text}")

    async def dialog(self, kind: type[D]) -> D:
        """Wait for a dialog."""
        for _ in range(300):
            screen = self.app.screen
            if isinstance(screen, kind) and screen.mounted.is_set():
                await self.pilot.pause()
                return screen
            await self.pilot.pause(0.02)
        raise AssertionError(f"no {kind.__name__}, but {self.app.screen}")

    async def asked(self) -> ConfirmDialog:
        """Wait for a confirmation."""
        return await self.dialog(ConfirmDialog)

    async def to(self, row_id: str) -> None:
        """Move the cursor to a row."""
        assert self.table.move_to(row_id)
        await self.pilot.pause()

    @property
    def screen(self) -> Any:
        return self.app.screen

    @property
    def table(self) -> Any:
        return self.screen.table

    @property
    def text(self) -> str:
        return "\n".join(screen_lines(self.app))

    @property
    def said(self) -> list[str]:
        """The notifications so far."""
        return self.app.said

    @property
    def clipboard(self) -> str:
        return self.app.clipboard


@asynccontextmanager
async def run_app(
    state: ClusterState | None = None,
    location: Location | None = None,
    size: tuple[int, int] = (120, 36),
    keymap: Keymap | None = None,
    stored: Callable[[FakeSession], object] | None = None,
    **settings: Any,
) -> AsyncIterator[AppUnderTest]:
    """Run an app that starts at a location."""
    app, session = make_app(state, keymap=keymap, stored=stored, **settings)
    if location is not None:
        # Not by way of the Overview: mounting a screen is most of the work of a test.
        app.DEFAULT_MODE = location.view  # type: ignore[misc]
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        on = AppUnderTest(app, session, pilot)
        if location is not None:
            app.go(location)
            await on.until(lambda: app.monitor_screen is not None and app.monitor_screen.ready)
            await pilot.pause(0.05)
        yield on
