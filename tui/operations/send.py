"""Opens the form that sends a task, and sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ...model.entities.queue import Queue
from ...model.entities.task_type import TaskType
from ...model.operations.call import SOURCE_NAMES, Call, SentTask
from ...model.operations.commands import Trigger
from ..dialogs.argument_fields import prefilled
from ..dialogs.send_form import Known, TriggerForm, _call

if TYPE_CHECKING:
    from ..screens.base import MonitorScreen
    from .runner import ActingApp


async def open_trigger(
    screen: MonitorScreen,
    call: Known | None = None,
    retry_of: str | None = None,
    note: str | None = None,
) -> None:
    """Ask for a task and send it, if that is confirmed.

    Args:
        screen: Where the key was pressed.
        call: What is known of the task to be sent, or of an earlier one.
        retry_of: The id of the task that it repeats.
        note: A line to begin with.
    """
    from .run import filled

    app = cast("ActingApp", screen.app)
    start = _start(screen) if call is None else call
    known = prefilled(start, app.context.state.redaction, retry_of)
    notes = [line for line in (note, *_notes(start, retry_of)) if line]

    await filled(
        screen,
        lambda before: TriggerForm(app, known, notes, again=retry_of is not None).typed(before),
        lambda answer: Trigger(calls=(_call(known.call, answer.values, app.context.now()),)),
    )


def _start(screen: MonitorScreen) -> Call:
    """Return what the screen suggests: the chosen type, or the chosen queue."""
    types, queues = screen.chosen(TaskType), screen.chosen(Queue)
    return Call(
        name=types[0].name if len(types) == 1 else "",
        queue=queues[0].name if len(queues) == 1 else None,
    )


def _notes(known: Known, retry_of: str | None) -> list[str]:
    lines = []
    if retry_of is not None:
        lines.append(f"Sent as a new task that names {retry_of} as the one it repeats")
    if isinstance(known, SentTask):
        lines.append(f"The arguments come from {SOURCE_NAMES[known.source]}")
        if known.missing:
            lines.append(f"Not recovered: {', '.join(known.missing)}")
    elif not isinstance(known, Call):
        lines.append(f"Not all is known: {known.reason}")
    if isinstance(known, SentTask) and known.call.eta_at is not None:
        lines.append("It was to start at a time, which is not kept: give another one below")
    if not isinstance(known, Call):
        lines.append("Callbacks, its chain and its chord are not sent along")
    return lines
