"""Revokes and terminates tasks: those selected, a workflow, or all that are listed.

The tasks are those that were selected when the key was pressed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, cast

from ....model.confirm import targets
from ....model.confirm.confirmation import task_line
from ....model.confirm.targets import Selection
from ....model.entities.task import Task
from ....model.operations.commands import SIGNALS, Revoke, RevokeStamped, Signal
from ....model.text.phrases import counted
from ...dialogs.menu import Menu, MenuContent
from ...dialogs.prompt import Prompt
from ...host import Host
from ..run import one_selected, run

MAX_REASONS: Final = 3
"""Reasons for leaving tasks out that are listed in the dialog."""


def all_listed(host: Host) -> Sequence[Task] | None:
    """Return all listed tasks; None, with a message, while the filter is being applied."""
    if host.filtering:
        host.say("The filter is still being applied; try again in a moment", "warning")
        return None
    return host.listed() or ()


def _known(host: Host, ids: Sequence[str]) -> tuple[list[Task], tuple[str, ...]]:
    """Return the tasks of some ids, and the ids that are not in the model."""
    known = host.context.live.tasks
    return [known[id_] for id_ in ids if id_ in known], tuple(i for i in ids if i not in known)


# Revoke and terminate


async def revoke(host: Host) -> None:
    """Revoke the selected tasks that have not started."""
    await _revoke(host, targets.revocable(host.selection(Task)))


async def revoke_workflow(host: Host) -> None:
    """Revoke the whole workflow of the selected task."""
    task = one_selected(host, Task, "task")
    if task is not None:
        await _revoke(host, targets.revocable(targets.workflow(host.context.live, task)))


async def revoke_listed(host: Host) -> None:
    """Revoke all listed tasks that have not started."""
    tasks = all_listed(host)
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
    workers = host.context.live.present_workers(host.context.clock())
    operation = Revoke(ids=targets.ids(selection.kept) + others, workers=workers)
    await run(host, operation, left_out(selection.skipped))


async def terminate(host: Host) -> None:
    """Terminate the selected running tasks by a signal."""
    await _terminate(host, targets.terminable(host.context.live, host.selection(Task)))


async def terminate_listed(host: Host) -> None:
    """Terminate all listed running tasks by a signal."""
    tasks = all_listed(host)
    if tasks is not None:
        await _terminate(host, targets.terminable(host.context.live, tasks))


async def terminate_ids(host: Host, ids: Sequence[str], signal: Signal | None) -> None:
    """Terminate tasks by id; without a signal, ask for one."""
    known, others = _known(host, ids)
    await _terminate(host, targets.terminable(host.context.live, known), others, signal)


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
    workers = host.context.live.present_workers(host.context.clock())
    if signal is None:
        content = partial(_signals, host, ids)
        shown = content()
        chosen = await host.ask(Menu(shown.title, shown.choices, "SIGTERM", present=content))
        signal = cast("Signal | None", chosen)
    if signal is not None:
        operation = Revoke(ids=ids, workers=workers, terminate=True, signal=signal)
        await run(host, operation, left_out(selection.skipped))


def _signals(host: Host, ids: Sequence[str]) -> MenuContent:
    """Return the menu of signals; none can be chosen once all of the tasks have finished."""
    state, number = host.context.live, len(ids)
    target = task_line(state, ids[0]) if number == 1 else f"{number:,} tasks"
    known, others = _known(host, ids)
    ended = known and not others and all(task.finished for task in known)
    disabled = tuple(SIGNALS) if ended else ()
    title = f"Terminate {target}: " + ("already finished" if ended else "signal (process pools)")
    return MenuContent(title, [(name, name, text) for name, text in SIGNALS.items()], disabled)


async def revoke_stamped(host: Host) -> None:
    """Ask for a stamp, and revoke all tasks that carry it."""
    hint = "HEADER=VALUE, as set by the application"
    stamp = await host.ask(Prompt("Revoke by stamp", hint, stamp_problem))
    if stamp:
        await revoke_stamp(host, stamp)


async def revoke_stamp(host: Host, stamp: str) -> None:
    """Revoke all tasks that carry a stamp, written `HEADER=VALUE`."""
    header, _, value = stamp.partition("=")
    workers = host.context.live.present_workers(host.context.clock())
    operation = RevokeStamped(header=header.strip(), values=(value.strip(),), workers=workers)
    await run(host, operation)


def stamp_problem(stamp: str) -> str | None:
    """Return what is wrong with `HEADER=VALUE`, with an example; None if nothing is."""
    header, equals, value = stamp.partition("=")
    valid = equals and header.strip() and value.strip()
    return None if valid else "not HEADER=VALUE; for example tenant=42"


# Reasons


def why_none(selection: Selection) -> str:
    """Return why no task of a selection is left."""
    reasons = {reason for _, reason in selection.skipped}
    number = len(selection.skipped)
    if len(reasons) == 1 and number > 1:
        return f"all {number:,} {reasons.pop()}"
    return "; ".join(left_out(selection.skipped)) or "no task selected"


def left_out(skipped: Sequence[tuple[Task, str]]) -> tuple[str, ...]:
    """Return why tasks of a selection are left out: each reason with the number of tasks."""
    return counted_reasons([reason for _, reason in skipped])


def counted_reasons(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return each reason with the number of its tasks; one alone without a number."""
    counts = Counter(reasons)
    if counts.total() == 1:
        return tuple(counts)
    lines = [
        f"{counted(number, 'task')}: {reason}" for reason, number in counts.most_common(MAX_REASONS)
    ]
    more = len(counts) - MAX_REASONS
    return (*lines, f"and {more:,} other reasons") if more > 0 else tuple(lines)
