"""Sends tasks again: the marked ones, the one at the cursor, or all that are listed.

The tasks are those that were selected when the key was pressed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from ....model.confirm.targets import ids, known_queues
from ....model.entities.states import RETRY
from ....model.entities.task import Task
from ....model.operations.call import Recovered, SentTask, Unrecoverable
from ....model.operations.commands import Retry
from ....model.text.phrases import counted, short_id, shortened
from ....widgets.form.field import FormField
from ...dialogs.forms.base import FormDialog
from ...dialogs.forms.send import queue_name
from ...dialogs.menu import Menu
from ...dialogs.text import TextDialog
from ...dialogs.waiting import wait_for
from ...host import Host
from ..run import one_selected, run
from .revoke import all_listed, counted_reasons
from .send import trigger
from .stored_groups import MAX_TASKS, ids_of_groups, stored_groups

MAX_EXPLAINED_TASKS: Final = 100
"""Tasks for which the dialog lists why they cannot be retried."""
_TOO_OLD: Final = f"older than the latest {MAX_TASKS:,} of the group"
_RETRIED_ANYWAY: Final = "waiting to be retried by its worker"


async def retry(host: Host) -> None:
    """Send the selected tasks again, exactly as they were sent.

    Of several, those are left out that their workers are about to retry. Of a group of failures in
    a window of the history, all stored tasks are sent again.
    """
    if groups := stored_groups(host):
        found = await ids_of_groups(host, groups)
        if found is None:
            return
    else:
        found = list(ids(host.selection(Task))), 0
    selected, older = found
    held = host.context.live.tasks
    waiting = {id_ for id_ in selected if id_ in held and held[id_].state == RETRY}
    ended = [id_ for id_ in selected if id_ not in waiting] or selected
    left_out = [_RETRIED_ANYWAY] * (len(selected) - len(ended)) + [_TOO_OLD] * older
    await retry_ids(host, ended, counted_reasons(left_out))


async def retry_listed(host: Host) -> None:
    """Send all listed tasks again."""
    tasks = all_listed(host)
    if tasks is not None:
        await retry_ids(host, ids(tasks))


async def retry_ids(host: Host, ids: Sequence[str], left_out: tuple[str, ...] = ()) -> None:
    """Send tasks again by id, also those that are not in the model.

    Args:
        host: The app.
        ids: The ids.
        left_out: Why other selected tasks are left out, for the dialog.
    """
    if not ids:
        host.say("Nothing to retry: no task selected", "warning")
        return
    found = await _recover(host, ids)
    if found is None:
        return
    originals = tuple(each for each in found if isinstance(each, SentTask))
    lost = [each for each in found if isinstance(each, Unrecoverable)]
    if not originals:
        key = host.context.keymap.key("task.rerun", ascii_only=host.context.ascii)
        await host.ask(TextDialog("Cannot retry", _explained(lost, key)))
        return
    placed = await _with_queues(host, originals)
    if placed is None:
        return
    links = False
    if await asyncio.to_thread(lambda: any(map(host.context.session.has_links, placed))):
        choices = [
            ("alone", "Only the task", "without its callbacks and the rest of its chain"),
            ("links", "With its links", "with its callbacks and the rest of its chain"),
        ]
        chosen = await host.ask(Menu("Retry", choices))
        if chosen is None:
            return
        links = chosen == "links"
    await run(host, Retry(originals=placed, with_links=links), left_out + _unrecoverable(lost))


async def _with_queues(host: Host, originals: tuple[SentTask, ...]) -> tuple[SentTask, ...] | None:
    """Ask for the queue of the tasks whose queue is unknown; None if that is cancelled."""
    unplaced = [one for one in originals if one.call.queue is None]
    if not unplaced:
        return originals
    names = ", ".join(dict.fromkeys(one.call.name for one in unplaced))
    field = FormField(
        "queue",
        "Queue",
        queue_name,
        "",
        "down key: completions",
        options=known_queues(host.context.live),
    )
    note = f"Unknown queue of {counted(len(unplaced), 'task')}"
    answer = await host.ask(FormDialog("Retry", [field], notes=[f"{note}: {names}"]))
    if answer is None:
        return None
    queue = answer.values["queue"]
    return tuple(
        msgspec.structs.replace(one, call=msgspec.structs.replace(one.call, queue=queue))
        if one.call.queue is None
        else one
        for one in originals
    )


async def rerun(host: Host) -> None:
    """Open the form with what is known of the selected task, to send it as a new one."""
    task = one_selected(host, Task, "task")
    if task is None:
        return
    found = await _recover(host, (task.id,))
    if found:
        await trigger(host, found[0], task.id)


async def _recover(host: Host, ids: Sequence[str]) -> tuple[Recovered, ...] | None:
    what = "the original message" if len(ids) == 1 else f"{len(ids):,} original messages"
    search = host.context.session.lookups.recover_calls(ids, for_retry=True)
    found = await wait_for(host, f"Looking for {what}", search)
    for one in found or ():
        host.context.unrecoverable.add(host.context.live.tasks.get(one.id), one)
    return found


def _unrecoverable(lost: Sequence[Unrecoverable]) -> tuple[str, ...]:
    if len(lost) == 1:
        return (f"{short_id(lost[0].id)}: {lost[0].reason}",)
    return counted_reasons(each.reason for each in lost)


def _explained(lost: Sequence[Unrecoverable], key: str) -> str:
    lines = shortened([f"{each.id}: {each.reason}" for each in lost], MAX_EXPLAINED_TASKS)
    advice = f" Press {key} to edit the known arguments and send a new task." if key else ""
    return "\n".join([*lines, "", f"Nothing was sent.{advice}"])
