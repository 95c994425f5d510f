"""What a key is pressed on, and the checks of what each does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from celtop.tests.tui.fake_session import FakeSession
from celtop.tui.app import CeltopApp
from celtop.tui.dialogs.base import Dialog
from textual.pilot import Pilot

D = TypeVar("D", bound=Dialog[Any])


class Stage:
    """An app on its first screen, and what a check needs of it."""

    def __init__(self, app: CeltopApp, session: FakeSession, pilot: Pilot[Any]) -> None:
        self.app, self.session, self.pilot = app, session, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    @property
    def screen(self) -> Any:
        return self.app.screen

    @property
    def table(self) -> Any:
        return self.screen.table

    async def dialog(self, kind: type[D]) -> D:
        for _ in range(200):
            screen = self.app.screen
            if isinstance(screen, kind) and screen.mounted.is_set():
                return screen
            await self.pilot.pause(0.02)
        raise AssertionError(f"no {kind.__name__} but {self.app.screen}")

    @property
    def clipboard(self) -> str:
        return self.app.clipboard


Check = Callable[[Stage, str], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def checks(*ids: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS.update(dict.fromkeys(ids, check))
        return check

    return register
