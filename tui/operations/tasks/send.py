"""Opens the form that sends a task, and sends it."""

from __future__ import annotations

from ....model.entities.queue import Queue
from ....model.entities.schedule import ScheduleEntry
from ....model.entities.task_type import TaskType
from ....model.health.tasks.schedule_status import EntryStatus
from ....model.operations.call import SOURCE_NAMES, Call, SentTask, Unrecoverable
from ....model.operations.commands import Trigger
from ...dialogs.forms.arguments import prefilled
from ...dialogs.forms.send import Known, TriggerForm, filled_call
from ...host import Host
from ..run import run_form


async def trigger(host: Host, call: Known | None = None, retry_of: str | None = None) -> None:
    """Ask for a task and send it.

    Args:
        host: The app.
        call: The task to send, or what is known of an earlier one; by default that of the selected
            periodic task, else the selected task type or queue.
        retry_of: The id of the task that it repeats.
    """
    context = host.context
    start = _selected_call(host) if call is None else call
    known = prefilled(start, context.live.redaction, retry_of)
    notes = _notes(start, retry_of)
    await run_form(
        host,
        lambda before: TriggerForm(context, known, notes, again=retry_of is not None).typed(before),
        lambda answer: Trigger(calls=(filled_call(known.call, answer.values),)),
    )


def _selected_call(host: Host) -> Known:
    if len(entries := host.selection(EntryStatus)) == 1:
        return _call_of(entries[0].entry)
    types, queues = host.selection(TaskType), host.selection(Queue)
    return Call(
        name=types[0].name if len(types) == 1 else "",
        queue=queues[0].name if len(queues) == 1 else None,
    )


def _call_of(entry: ScheduleEntry) -> Known:
    """Return the task of a periodic task as beat sends it."""
    headers = dict(entry.headers)
    if entry.source == "django-celery-beat":
        headers["periodic_task_name"] = entry.name  # as its own scheduler does
    call = Call(
        name=entry.task,
        args=entry.args if entry.exact else (),
        kwargs=entry.kwargs if entry.exact else {},
        queue=entry.queue,
        priority=entry.priority,
        expires_in=entry.expires_in,
        headers=headers,
    )
    if entry.exact:
        return call
    reason = "the arguments of the entry are masked, or not plain JSON"
    return Unrecoverable("", reason, call, repr(entry.args), repr(entry.kwargs))


def _notes(known: Known, retry_of: str | None) -> list[str]:
    lines = []
    if retry_of is not None:
        lines.append(f"Sent as a new task, marked as a retry of {retry_of}")
    if isinstance(known, SentTask):
        lines.append(f"Source of the arguments: {SOURCE_NAMES[known.source]}")
        if known.missing:
            lines.append(f"Not recovered: {', '.join(known.missing)}")
    elif not isinstance(known, Call):
        lines.append(f"Incomplete: {known.reason}")
    if isinstance(known, SentTask) and known.call.eta_at is not None:
        lines.append("The original ETA is not kept; set a new one below if needed")
    missing = known.missing if isinstance(known, SentTask) else ()
    if not isinstance(known, Call) and not any("callback" in thing for thing in missing):
        lines.append("Callbacks and the rest of its chain or chord are not sent")
    return lines
