"""Operations on tasks: the marked ones, the one at the cursor, a workflow, or all that are listed.

The tasks are those that were selected when the key was pressed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, cast

from ...model.confirm import targets
from ...model.confirm.targets import Selection
from ...model.entities.task import Task
from ...model.operations.call import Recovered, SentTask, Unrecoverable
from ...model.operations.commands import SIGNALS, Retry, Revoke, RevokeStamped, Signal
from ...model.text.phrases import shortened
from ..dialogs.menu import Menu
from ..dialogs.prompt import Prompt
from ..dialogs.text import TextDialog
from ..dialogs.waiting import wait_for
from ..host import Host
from .run import one_selected, run
from .send import trigger

MAX_REASONS: Final = 3
"""Reasons for leaving tasks out that are listed in the dialog."""
MAX_EXPLAINED_TASKS: Final = 100
"""Tasks for which the dialog lists why they cannot be retried."""


def _listed(host: Host) -> Sequence[Task] | None:
    """Return all listed tasks; None, and say so, while the filter is being applied."""
    if host.filtering:
        host.say("The filter is still being applied; try again in a moment", "warning")
        return None
    return host.listed() or ()


def _known(host: Host, ids: Sequence[str]) -> tuple[list[Task], tuple[str, ...]]:
    """Return the tasks of some ids, and the ids that are not in the model."""
    known = host.context.state.tasks
    return [known[id_] for id_ in ids if id_ in known], tuple(i for i in ids if i not in known)


# Revoke and terminate


async def revoke(host: Host) -> None:
    """Revoke the selected tasks that have not started."""
    await _revoke(host, targets.revocable(host.selection(Task)))


async def revoke_workflow(host: Host) -> None:
    """Revoke the whole workflow of the selected task."""
    task = one_selected(host, Task, "task")
    if task is not None:
        await _revoke(host, targets.revocable(targets.workflow(host.context.state, task)))


async def revoke_listed(host: Host) -> None:
    """Revoke all listed tasks that have not started."""
    tasks = _listed(host)
    if tasks is not None:
        await _revoke(host, targets.revocable(tasks))


async def revoke_ids(host: Host, ids: Sequence[str]) -> None:
    """Revoke tasks by id, also those that are not in the model."""
    known, others = _known(host, ids)
    await _revoke(host, targets.revocable(known), others)


async def _revoke(host: Host, selection: Selection, others: tuple[str, ...] = ()) -> None:
    if not selection.kept and not others:
        host.say(f"Nothing to revoke: {why_none(selection)}", "warning")
        return
    workers = host.context.state.present_workers(host.context.now())
    operation = Revoke(ids=targets.ids(selection.kept) + others, workers=workers)
    await run(host, operation, left_out(selection.skipped))


async def terminate(host: Host) -> None:
    """Terminate the selected running tasks by a signal."""
    await _terminate(host, targets.terminable(host.context.state, host.selection(Task)))


async def terminate_listed(host: Host) -> None:
    """Terminate all listed running tasks by a signal."""
    tasks = _listed(host)
    if tasks is not None:
        await _terminate(host, targets.terminable(host.context.state, tasks))


async def terminate_ids(host: Host, ids: Sequence[str], signal: Signal | None) -> None:
    """Terminate tasks by id; without a signal, ask for one."""
    known, others = _known(host, ids)
    await _terminate(host, targets.terminable(host.context.state, known), others, signal)


async def _terminate(
    host: Host,
    selection: Selection,
    others: tuple[str, ...] = (),
    signal: Signal | None = None,
) -> None:
    if not selection.kept and not others:
        host.say(f"Nothing to terminate: {why_none(selection)}", "warning")
        return
    # Taken before the menu: the selection may change while the user looks at the signals.
    ids = targets.ids(selection.kept) + others
    workers = host.context.state.present_workers(host.context.now())
    if signal is None:
        signals = [(name, name, text) for name, text in SIGNALS.items()]
        chosen = await host.ask(Menu("Signal (process pools)", signals, "SIGTERM"))
        signal = cast("Signal | None", chosen)
    if signal is not None:
        operation = Revoke(ids=ids, workers=workers, terminate=True, signal=signal)
        await run(host, operation, left_out(selection.skipped))


async def revoke_stamped(host: Host) -> None:
    """Ask for a stamp, and revoke all tasks that carry it."""
    hint = "HEADER=VALUE, as set by the application"
    stamp = await host.ask(Prompt("Revoke by stamp", hint, stamp_problem))
    if stamp:
        await revoke_stamp(host, stamp)


async def revoke_stamp(host: Host, stamp: str) -> None:
    """Revoke all tasks that carry a stamp, written `HEADER=VALUE`."""
    header, _, value = stamp.partition("=")
    workers = host.context.state.present_workers(host.context.now())
    operation = RevokeStamped(header=header.strip(), values=(value.strip(),), workers=workers)
    await run(host, operation)


def stamp_problem(stamp: str) -> str | None:
    """Return what is wrong with `HEADER=VALUE`, with an example; None if nothing is."""
    header, equals, value = stamp.partition("=")
    valid = equals and header.strip() and value.strip()
    return None if valid else "not HEADER=VALUE; for example tenant=42"


# Retry


async def retry(host: Host) -> None:
    """Send the selected tasks again, exactly as they were sent."""
    await _retry(host, targets.retriable(host.selection(Task)))


async def retry_listed(host: Host) -> None:
    """Send all listed tasks again."""
    tasks = _listed(host)
    if tasks is not None:
        await _retry(host, targets.retriable(tasks))


async def retry_ids(host: Host, ids: Sequence[str]) -> None:
    """Send tasks again by id, also those that are not in the model."""
    known, others = _known(host, ids)
    await _retry(host, targets.retriable(known), others)


async def _retry(host: Host, selection: Selection, others: tuple[str, ...] = ()) -> None:
    if not selection.kept and not others:
        host.say(f"Nothing to retry: {why_none(selection)}", "warning")
        return
    found = await _recover(host, targets.ids(selection.kept) + others)
    if found is None:
        return
    originals = tuple(each for each in found if isinstance(each, SentTask))
    lost = [each for each in found if isinstance(each, Unrecoverable)]
    if not originals:
        key = host.context.keymap.key("task.rerun", ascii_only=host.context.ascii)
        await host.ask(TextDialog("Cannot retry", _explained(lost, key)))
        return
    links = False
    if await asyncio.to_thread(lambda: any(map(host.context.session.has_links, originals))):
        choices = [
            ("alone", "Only the task", "without its callbacks and the rest of its chain"),
            ("links", "With its links", "its callbacks and the rest of its chain"),
        ]
        chosen = await host.ask(Menu("Retry", choices))
        if chosen is None:
            return
        links = chosen == "links"
    notes = [*left_out(selection.skipped), *_unrecoverable(lost)]
    await run(host, Retry(originals=originals, with_links=links), notes)


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
    return await wait_for(host, f"Looking for {what}", host.context.session.recover_calls(ids))


# Reasons


def why_none(selection: Selection) -> str:
    """Return why no task of a selection is left."""
    return "; ".join(left_out(selection.skipped)) or "no task selected"


def left_out(skipped: Sequence[tuple[Task, str]]) -> tuple[str, ...]:
    """Return why tasks of a selection are left out: each reason with the number of tasks."""
    return _counted([reason for _, reason in skipped])


def _counted(reasons: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(reasons)
    if counts.total() == 1:
        return tuple(counts)
    lines = [f"{number:,}: {reason}" for reason, number in counts.most_common(MAX_REASONS)]
    more = len(counts) - MAX_REASONS
    return (*lines, f"and {more:,} other reasons") if more > 0 else tuple(lines)


def _unrecoverable(lost: Sequence[Unrecoverable]) -> tuple[str, ...]:
    if len(lost) == 1:
        return (f"{lost[0].id[:8]}: {lost[0].reason}",)
    return _counted(each.reason for each in lost)


def _explained(lost: Sequence[Unrecoverable], key: str) -> str:
    lines = shortened([f"{each.id}: {each.reason}" for each in lost], MAX_EXPLAINED_TASKS)
    advice = f" Press {key} to edit what is known of a task and send it." if key else ""
    return "\n".join([*lines, "", f"Nothing was sent.{advice}"])
