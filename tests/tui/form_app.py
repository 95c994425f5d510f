"""The screen of an app whose forms a test types into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from celtop.model.state import ClusterState
from celtop.tests.tui.fake_session import FakeSession, cluster, screen_lines, staged
from celtop.tui.app import CeltopApp
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.widgets.form.form import Form
from textual.events import Key
from textual.pilot import Pilot

WEB, GEO = "celery@web-1", "celery@geo-1"


class Stage:
    """An app, and keys for it."""

    def __init__(self, app: CeltopApp, session: FakeSession, pilot: Pilot[Any]) -> None:
        self.app, self.session, self.pilot = app, session, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def write(self, text: str) -> None:
        await self.burst(*text)

    async def burst(self, *keys: str) -> None:
        """Type faster than anybody: all is there before anything is done."""
        for key in keys:
            self.app.post_message(Key(key, key if len(key) == 1 else None))
        for pump in (self.app, lambda: self.app.focused or self.app):
            done = asyncio.Event()
            (pump if isinstance(pump, CeltopApp) else pump()).call_later(done.set)
            await asyncio.wait_for(done.wait(), 5)
        await self.pilot.pause()

    async def until(self, kind: type[Any]) -> Any:
        for _ in range(100):
            screen: Any = self.app.screen
            if isinstance(screen, kind) and screen.mounted.is_set():
                await self.pilot.pause()
                return screen
            await self.pilot.pause(0.02)
        raise AssertionError(f"no {kind.__name__}: {self.app.screen}")

    async def done(self) -> Any:
        """Confirm, and return the command."""
        await self.until(ConfirmDialog)
        await self.press("y")
        assert self.session.done, self.text
        return self.session.done[-1]

    @property
    def form(self) -> Form:
        return self.app.screen.query_one(Form)

    def advice(self, name: str) -> str:
        """Return what stands beside a field."""
        return str(self.form._rows[name].advice.content)

    @property
    def text(self) -> str:
        return "\n".join(screen_lines(self.app))


@asynccontextmanager
async def stage(
    state: ClusterState | None = None, size: tuple[int, int] = (120, 36), **settings: Any
) -> AsyncIterator[Stage]:
    app, session = staged(state or cluster(40), **settings)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.1)
        yield Stage(app, session, pilot)
