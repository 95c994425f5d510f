"""The way of every act on the screen: it is asked, done, and followed to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from ...model.confirm.dispatch import confirm
from ...model.operations import commands as commands
from ..dialogs.confirm import ConfirmDialog
from .policy import READ_ONLY
from .runner import ActingApp

if TYPE_CHECKING:
    from ...cluster.session import RunningOperation
    from ...model.confirm.dispatch import Confirmation
    from ...model.operations.commands import Operation
    from ...model.operations.outcome import Outcome
    from ...widgets.table.live_table import LiveTable
    from ..dialogs.form import Filled, FormDialog
    from ..screens.base import MonitorScreen

Progress: TypeAlias = "Callable[[Outcome], object]"

FOLLOW: Final = 0.1
"""Seconds between two looks at how far an act has come."""


async def carry_out(
    app: ActingApp,
    command: Operation,
    *,
    on_progress: Progress | None = None,
    notes: Sequence[str] = (),
) -> Outcome | None:
    """Ask the user, do it, and follow it to its end. Call it from a Textual worker.

    Args:
        app: The app.
        command: What to do, with its targets frozen when the key was pressed.
        on_progress: Called with the outcome whenever there is news, and at the end.
        notes: What was selected and is left out, in words for the dialog.

    Returns:
        The outcome at its end; None if nothing was sent: refused, or not wanted.
    """
    if app.session.read_only:
        app.say(READ_ONLY, "warning")
        return None
    asked = confirm(command, app.context.state, app.context.now())
    screen = app.monitor_screen
    table = None if screen is None else screen.table
    if not await ask(app, asked, notes):
        return None
    act = app.session.do(command)
    app.context.acts.begin(act)
    app.answered()
    return await _followed(app, act, table, on_progress)


async def ask(app: ActingApp, confirmation: Confirmation, notes: Sequence[str] = ()) -> bool:
    """Ask whether to do it; what makes no sense is told and not offered."""
    if confirmation.refusal is not None:
        app.say(confirmation.refusal, "warning")
        return False
    wanted: bool | None = await app.push_screen_wait(ConfirmDialog(confirmation, notes))
    return wanted is True


async def _followed(
    app: ActingApp,
    act: RunningOperation,
    table: LiveTable[Any] | None,
    on_progress: Progress | None,
) -> Outcome:
    ended = asyncio.wrap_future(act.future)
    before: Outcome | None = None
    while True:
        done, _ = await asyncio.wait({ended}, timeout=FOLLOW)
        outcome = ended.result() if done else act.outcome
        if outcome is not before:
            _unmark(table, outcome, before)
            app.frames.wanted = True
            if on_progress is not None:
                on_progress(outcome)
        if done:
            app.context.acts.end(act, outcome)
            if outcome.operation.refresh_after:
                app.session.refresh()
            return outcome
        before = outcome


def _unmark(table: LiveTable[Any] | None, outcome: Outcome, before: Outcome | None) -> None:
    """Take the marks from what is certain, so that doing it again repeats only the rest."""
    if table is None or not table.marks:
        return
    known = {} if before is None else before.targets
    table.unmark(
        *(
            target
            for target, answer in outcome.targets.items()
            if answer.verdict == "confirmed" and known.get(target) is not answer
        )
    )


async def filled(
    screen: MonitorScreen,
    form: Callable[[Filled | None], FormDialog],
    make: Callable[[Filled], commands.Operation],
) -> None:
    """Ask for a form and then for the act, until that is done or the form is left.

    Args:
        screen: Where the key was pressed.
        form: Makes the form, with what was typed before.
        make: Makes the command.
    """
    app = cast(ActingApp, screen.app)
    answer: Filled | None = None
    while True:
        answer = await app.push_screen_wait(form(answer))
        if answer is None or await carry_out(app, make(answer)) is not None:
            return
        if app.session.read_only:
            return
