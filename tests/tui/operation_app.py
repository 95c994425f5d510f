"""A shop where tasks wait, on the screen of an app that a test types into."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from celtop.tests.tui.fake_session import (
    NOW,
    Clock,
    FakeSession,
    cluster,
    feed,
    screen_lines,
    staged,
    task_events,
)
from celtop.tui.app import CeltopApp
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.navigation import DrillDown, Location
from textual.events import Key
from textual.pilot import Pilot

WAITING = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(500, 504)]
DONE = "00000005-0000-4000-8000-000000000005"
RUNNING = f"{9003:08x}-0000-4000-8000-{9003:012x}"

PLACES = [
    *(Location(view) for view in ("overview", "tasks", "workers", "queues", "types", "scheduled")),
    Location("log"),
    Location("tasks", (DrillDown("task", WAITING[0]),)),
    Location("workers", (DrillDown("worker", "celery@web-1"),)),
]


def acting() -> Any:
    """The shop with four tasks more that wait."""
    state = cluster(20)
    for number in range(500, 504):
        feed(state, task_events(number, "mail.send", end="received", at=NOW - 1))
    return state


class Stage:
    def __init__(self, app: CeltopApp, session: FakeSession, pilot: Pilot[Any]) -> None:
        self.app, self.session, self.pilot = app, session, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def burst(self, *keys: str) -> None:
        """Have keys typed ahead: all are there before the first is looked at."""
        for key in keys:
            self.app.post_message(Key(key, key if len(key) == 1 else None))

    async def until(self, holds: Any) -> None:
        for _ in range(300):
            if holds():
                return
            await self.pilot.pause(0.02)
        raise AssertionError("did not come to hold:\n" + "\n".join(screen_lines(self.app)))

    async def asked(self) -> ConfirmDialog:
        await self.until(lambda: isinstance(self.app.screen, ConfirmDialog))
        await self.until(lambda: self.app.screen.mounted.is_set())  # type: ignore[attr-defined]
        dialog = self.app.screen
        assert isinstance(dialog, ConfirmDialog)
        return dialog

    async def to(self, row_id: str) -> None:
        assert self.table.move_to(row_id)
        await self.pilot.pause()

    @property
    def table(self) -> Any:
        return self.app.screen.table  # type: ignore[attr-defined]

    @property
    def text(self) -> str:
        return "\n".join(screen_lines(self.app))

    @property
    def said(self) -> list[str]:
        return [str(one.message) for one in self.app._notifications]


@asynccontextmanager
async def stage(
    location: Location | None = None, size: tuple[int, int] = (120, 36), **settings: Any
) -> AsyncIterator[Stage]:
    app, session = staged(acting(), Clock(), **settings)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        on = Stage(app, session, pilot)
        app.go(location or Location("tasks"))
        await on.until(lambda: app.monitor_screen is not None and app.monitor_screen.ready)
        await pilot.pause(0.05)
        yield on
