"""An app whose forms a test fills in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import AppUnderTest, make_app
from celtop.tests.tui.fake_session import cluster
from celtop.widgets.form.form import Form

WEB, GEO = "celery@web-1", "celery@geo-1"


class FormUnderTest(AppUnderTest):
    """A running app whose dialog is a form."""

    async def write(self, text: str) -> None:
        await self.type_fast(*text)

    async def type_fast(self, *keys: str) -> None:
        """Type keys ahead, and wait until they are handled."""
        self.burst(*keys)
        for focused in (False, True):  # the app handles them first, then the focused field
            done = asyncio.Event()
            pump = (self.app.focused if focused else None) or self.app
            pump.call_later(done.set)
            await asyncio.wait_for(done.wait(), 5)
        await self.pilot.pause()

    async def done(self) -> Any:
        """Confirm, and return the operation."""
        await self.asked()
        await self.press("y")
        assert self.session.done, self.text
        return self.session.done[-1]

    @property
    def form(self) -> Form:
        return self.app.screen.query_one(Form)

    def advice(self, name: str) -> str:
        """Return the text beside a field."""
        return str(self.form.rows[name].advice.content)


@asynccontextmanager
async def opened(
    state: ClusterState | None = None, size: tuple[int, int] = (120, 36), **settings: Any
) -> AsyncIterator[FormUnderTest]:
    app, session = make_app(state or cluster(40), **settings)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.1)
        yield FormUnderTest(app, session, pilot)
