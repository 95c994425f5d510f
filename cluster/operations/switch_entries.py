"""Enables and disables periodic tasks of django-celery-beat, by the app's own models."""

from __future__ import annotations

from ...model.operations.outcome import Answer
from ...model.operations.schedule_commands import SwitchEntries
from ..app_child import ChildFailed
from .running import OperationContext, Refused, Unsure, perform


@perform.register
def switch_entries(operation: SwitchEntries, context: OperationContext) -> None:
    """Carry out a `SwitchEntries`.

    Raises:
        Refused: The app cannot be loaded, or does not use django-celery-beat.
        Unsure: Its process has not answered.
    """
    if context.switch_entries is None:
        raise Refused("no app is named; use -A")
    try:
        changed = context.switch_entries(operation.entries, operation.enabled)
    except ChildFailed as error:
        reason = context.broker.hide(str(error))
        if error.answered:
            raise Refused(reason) from error
        raise Unsure(reason) from error
    context.report(
        targets={
            name: Answer("confirmed") if name in changed else Answer("refused", "no such entry")
            for name in operation.entries
        }
    )
