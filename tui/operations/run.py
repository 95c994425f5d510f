"""The steps of every operation: it is confirmed by the user if need be, then started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from ...model.confirm.dispatch import confirm
from ...model.confirm.meanwhile import Targets
from ..dialogs.confirm import ConfirmDialog, Present
from ..dialogs.outcome import OperationDialog
from ..host import Host

if TYPE_CHECKING:
    from ...model.confirm.confirmation import Confirmation
    from ...model.operations.commands import Operation
    from ..dialogs.forms.base import Filled, FormDialog

R = TypeVar("R")


async def run(host: Host, operation: Operation, notes: Sequence[str] = ()) -> bool:
    """Ask the user, and start an operation. Call it from a Textual worker.

    A read-only operation starts without a question and shows the replies in a dialog.

    Args:
        host: The app.
        operation: What to do, with the targets that were selected when the key was pressed.
        notes: Which selected rows are left out, for the dialog.

    Returns:
        Whether it was started; False if it was refused or cancelled.
    """
    context = host.context
    if context.session.read_only and not operation.read_only:
        host.say(context.read_only_reason, "warning")
        return False
    confirmation = confirm(operation, context.live, context.clock())
    targets = Targets.of(operation, context.live, context.clock())

    def present() -> Present:
        now = context.clock()
        return confirm(operation, context.live, now), targets.changes(context.live, now)

    table = host.table
    unasked = operation.read_only and confirmation.refusal is None
    if not unasked and not await confirmed(host, confirmation, notes, present):
        return False
    tracked = context.operations.begin(context.session.do(operation), table)
    host.repaint()
    host.answered()
    if operation.read_only:
        await host.ask(OperationDialog(tracked, context))
    return True


def one_selected(host: Host, kind: type[R], noun: str) -> R | None:
    """Return the selected row of a kind; show a message if it is not exactly one."""
    rows = host.selection(kind)
    if len(rows) == 1:
        return rows[0]
    host.say(f"Select one {noun}" if rows else f"No {noun} selected", "warning")
    return None


async def confirmed(
    host: Host,
    confirmation: Confirmation,
    notes: Sequence[str] = (),
    present: Callable[[], Present] | None = None,
) -> bool:
    """Ask for a confirmation; an operation that is refused is not asked about.

    See `ConfirmDialog` for the arguments.
    """
    if confirmation.refusal is not None:
        host.say(confirmation.refusal, "warning")
        return False
    return await host.ask(ConfirmDialog(confirmation, notes, present)) is True


async def run_form(
    host: Host,
    form: Callable[[Filled | None], FormDialog],
    operation: Callable[[Filled], Operation],
) -> None:
    """Show a form and run its operation; back in the form if that is not confirmed.

    Args:
        host: The app.
        form: Makes the form, with what was typed before.
        operation: Makes the operation of a form.
    """
    answer: Filled | None = None
    while True:
        answer = await host.ask(form(answer))
        if answer is None or await run(host, operation(answer)):
            return
        if host.context.session.read_only:
            return
