"""Runs operations: from a key or a menu to the question, and from there to the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from ..dialogs.base import Dialog
from ..host import Host

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

MAX_DIALOG_CHECKS: Final = 2000
"""How often a key looks for a dialog that is about to open. While the event loop is busy, no time
passes by this measure."""
DIALOG_CHECK_INTERVAL: Final = 0.001
"""Seconds between two looks."""


class OperationRunner:
    """Asks before operations, starts them, and follows them in the model.

    What only an operation needs is imported with the first one, not before the first frame.

    Args:
        app: The app whose workers and screens it uses.
        host: The same app, as operations see it.
    """

    def __init__(self, app: App[Any], host: Host) -> None:
        self._app = app
        self._host = host
        self._question: Worker[object] | None = None
        self._overdue = False
        """Whether a key has waited for a dialog that did not open: the next ones do not wait."""

    # Questions

    def begin(self, question: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine that is about to open a dialog.

        Keys that are typed ahead wait for the dialog, up to `answered`: of `X` and `y` in one go,
        the `y` must never reach the list. It concerns what is selected now: rows may leave the list
        while a menu is open.
        """
        self._host.keep_selection()
        self._question = self._app.run_worker(question, group="operations")

    def answered(self) -> None:
        """Send keys to the screen again while the coroutine goes on."""
        self._question = None

    async def wait_for_dialog(self) -> bool:
        """Wait for the dialog of what was begun, if one is about to open.

        Returns:
            Whether a key can be used; False if the dialog has yet to open: the screen below must
            not get the key.
        """
        checks = 0 if self._overdue else MAX_DIALOG_CHECKS
        while not (opened := self._opened) and checks:
            await asyncio.sleep(DIALOG_CHECK_INTERVAL)
            checks -= 1
        self._overdue = not opened
        return opened

    @property
    def _opened(self) -> bool:
        """Whether no dialog is about to open."""
        question = self._question
        return question is None or question.is_finished or isinstance(self._app.screen, Dialog)

    def cancel(self) -> None:
        """Give up a question whose dialog has yet to open."""
        if self._question is not None:
            self._question.cancel()
            self._question = None
            self._host.say("Cancelled")

    def set_read_only(self, read_only: bool) -> None:
        """Refuse all changes to the cluster, or allow them.

        If celtop was started read-only, allowing them has to be confirmed.
        """
        context = self._host.context
        if context.replay is not None:
            self._host.say(context.read_only_reason, "warning")
        elif read_only or not context.settings.read_only:
            context.session.read_only = read_only
            self._host.repaint()
        elif context.session.read_only:
            self.begin(self._allow_changes())

    async def _allow_changes(self) -> None:
        from ...model.confirm.confirmation import Confirmation
        from .run import confirmed

        context = self._host.context
        confirmation = Confirmation(
            verb="Allow",
            title="Allow changes",
            targets=(context.live.broker.url or "",),
            effects=("Keys and commands can change this cluster; celtop was started read-only",),
            caveats=("Each operation still asks first. `:ro` makes celtop read-only again",),
        )
        if await confirmed(self._host, confirmation):
            context.session.read_only = False
            self._host.repaint()
        self.answered()

    def leave(self, next_cluster: str | None = None) -> None:
        """Quit, after a question while operations are running. A second request quits at once.

        Args:
            next_cluster: The name of the cluster to monitor afterwards, if any.
        """
        if not self._host.context.operations.running or isinstance(self._app.screen, Dialog):
            self._app.exit(next_cluster)
        else:
            self.begin(self._leave(next_cluster))

    async def _leave(self, next_cluster: str | None) -> None:
        from ...model.confirm.confirmation import Confirmation
        from ...model.operations.summary import sentence
        from .run import confirmed

        running = self._host.context.operations.running
        confirmation = Confirmation(
            verb="Quit",
            title="Quit while operations are running",
            targets=tuple(sentence(operation.outcome) for operation in running),
            effects=("Each operation stops before its next step",),
            caveats=(
                "What was already sent is not recalled, and its outcome will not be reported",
            ),
        )
        if await confirmed(self._host, confirmation):
            self._app.exit(next_cluster)
        self.answered()

    def follow(self) -> None:
        """Take the progress of running operations from the model.

        Workers and queues are polled at once after an operation that no event reports.
        """
        context = self._host.context
        ended = context.operations.update(context.live.operations)
        if ended:
            context.read_lasting()
        if any(outcome.operation.refresh_after for outcome in ended):
            context.session.refresh()

    # Keys

    def start(self, id_: str) -> None:
        """Start the operation of a menu item on the selection."""
        from .menu import menu_item

        item = menu_item(id_)
        if item.refused(self._host.context):
            self._host.say(self._host.context.read_only_reason, "warning")
        else:
            self.begin(item.handler(self._host))

    def open_menu(self) -> None:
        """Choose from everything that can be done here."""
        from .menu import choose

        self.begin(choose(self._host))

    def open_details(self) -> None:
        """Show the outcome of the last operation in full, or its progress."""
        from ..dialogs.outcome import OperationDialog

        operation = self._host.context.operations.selected
        if operation is None:
            self._host.say("No operation in this session yet")
        else:
            self._app.push_screen(OperationDialog(operation, self._host.context))
