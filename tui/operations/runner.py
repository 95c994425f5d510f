"""Acting on the cluster: from a key or a menu to its question, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from textual.worker import Worker

from ..dialogs.base import Dialog
from ..loop import BREATH
from ..navigator import RoamingApp
from .policy import READ_ONLY, READING

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...settings import Settings

SCREEN_WITHIN: Final = 2.0
"""Seconds that keys wait for a new screen."""


class ActingApp(RoamingApp, inherit_bindings=False):
    """An app whose user may change the cluster."""

    def __init__(
        self, session: Session, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(session, settings, clock)
        self._asking: Worker[object] | None = None

    def begin(self, act: Coroutine[Any, Any, object]) -> None:
        """Start what a key asked for.

        Keys that are typed ahead wait for its question, up to `answered`: `X` and `y` in one go
        are for the dialog, and must not reach the list.
        """
        self._asking = self.run_worker(act, group="acts")

    def answered(self) -> None:
        """Let keys go to the screen again while what was begun goes on."""
        self._asking = None

    async def question(self) -> None:
        """Wait for the question of what was begun, if it has one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SCREEN_WITHIN):
                while self._asking is not None and not self._asking.is_finished:
                    if isinstance(self.screen, Dialog):
                        return
                    await asyncio.sleep(BREATH)
        self._asking = None

    def set_read_only(self, read_only: bool) -> None:
        """Refuse all acts from now on, or let them pass again, which may have to be confirmed."""
        if read_only or not self.context.settings.read_only:
            self.session.read_only = read_only
            self.paint()
        elif self.session.read_only:
            self.begin(self._lift_read_only())

    async def _lift_read_only(self) -> None:
        from ...model.confirm.dispatch import Confirmation
        from .run import ask

        asked = Confirmation(
            verb="Allow",
            title="Allow changes",
            targets=(self.context.state.broker.url or "",),
            effects=(
                "celtop was started read-only; keys and commands may change this cluster then",
            ),
            caveats=("Every act is still asked for. `:ro` makes it read-only again",),
        )
        if await ask(self, asked):
            self.session.read_only = False
            self.frames.wanted = True
        self.answered()

    def leave(self) -> None:
        """Quit; while acts go on, only after a question. Asked twice, at once."""
        if not self.context.acts.under_way or isinstance(self.screen, Dialog):
            self.end()
        else:
            self.begin(self._leave())

    async def _leave(self) -> None:
        from ...model.confirm.dispatch import Confirmation
        from ...model.operations.summary import sentence
        from .run import ask

        acts = self.context.acts.under_way
        asked = Confirmation(
            verb="Quit",
            title="Quit while something is being done",
            targets=tuple(sentence(act.outcome) for act in acts),
            effects=("It is stopped where nothing is half done",),
            caveats=("What was sent stays sent, and nobody follows what comes of it",),
        )
        if await ask(self, asked):
            self.end()
        self.answered()

    def action_act(self, what: str) -> None:
        """Begin an act on what is marked or under the cursor, if celtop may."""
        screen = self.monitor_screen
        if screen is None:
            return
        if self.session.read_only and what not in READING:
            self.say(READ_ONLY, "warning")
            return
        from .menu import handler

        self.begin(handler(what)(screen))

    def action_act_menu(self) -> None:
        """Choose from all that can be done here."""
        screen = self.monitor_screen
        if screen is not None:
            from .menu import choose

            self.begin(choose(self, screen))

    def action_act_details(self) -> None:
        """Show all that came of the last act, or how far it is."""
        from ..dialogs.outcome import OperationDialog

        act = self.context.acts.told_of
        if act is None:
            self.say("Nothing was done so far in this session")
        else:
            self.push_screen(OperationDialog(act))
