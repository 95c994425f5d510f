"""What is done to tasks: the marked ones, the cursor's, a workflow's, or all that are listed.

Each begins with a key. What it is about is frozen there, before anything is waited for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, cast

from ...model.confirm import targets
from ...model.confirm.targets import Selection
from ...model.entities.task import Task
from ...model.operations.call import Recovered, SentTask, Unrecoverable
from ...model.operations.commands import SIGNALS, Retry, Revoke, RevokeStamped, Signal
from ..dialogs.menu import Menu
from ..dialogs.prompt import Prompt
from ..dialogs.text import TextDialog
from ..dialogs.waiting import wait_for
from .run import carry_out

if TYPE_CHECKING:
    from ..screens.base import MonitorScreen
    from .runner import ActingApp

REASONS: Final = 3
"""Reasons that are named of those why tasks are left out."""
EXPLAINED: Final = 100
"""Tasks of which the dialog tells why they cannot be retried."""


def _app(screen: MonitorScreen) -> ActingApp:
    return cast("ActingApp", screen.app)


def _listed(screen: MonitorScreen) -> Sequence[Task] | None:
    """Return all tasks that are listed; a filter that has not seen all of them yet is told of."""
    if getattr(screen, "busy", False):
        _app(screen).say("The filter still looks through the tasks: in a moment", "warning")
        return None
    return screen.listed() or ()


# Revoke


async def revoke(screen: MonitorScreen) -> None:
    """Revoke what is chosen and has not started."""
    await _revoke(_app(screen), targets.revocable(screen.chosen(Task)))


async def terminate(screen: MonitorScreen) -> None:
    """End what is chosen and runs, by a signal."""
    await _terminate(_app(screen), targets.terminable(screen.context.state, screen.chosen(Task)))


async def revoke_workflow(screen: MonitorScreen) -> None:
    """Revoke all of the workflow that the chosen task belongs to."""
    tasks = screen.chosen(Task)
    if len(tasks) != 1:
        _app(screen).say("One task at a time: its workflow is revoked", "warning")
        return
    members = targets.workflow(screen.context.state, tasks[0])
    await _revoke(_app(screen), targets.revocable(members))


async def revoke_listed(screen: MonitorScreen) -> None:
    """Revoke everything that the filter lets through and has not started."""
    tasks = _listed(screen)
    if tasks is not None:
        await _revoke(_app(screen), targets.revocable(tasks))


async def terminate_listed(screen: MonitorScreen) -> None:
    """End everything that the filter lets through."""
    tasks = _listed(screen)
    if tasks is not None:
        await _terminate(_app(screen), targets.terminable(screen.context.state, tasks))


async def revoke_stamped(screen: MonitorScreen) -> None:
    """Ask for a stamp, and revoke whatever carries it."""
    app = _app(screen)
    typed = await app.push_screen_wait(
        Prompt("Revoke by a stamp", "HEADER=VALUE, as the application stamped it", no_stamp)
    )
    if typed:
        await stamped(app, typed)


async def stamped(app: ActingApp, text: str) -> None:
    """Revoke whatever carries a stamp, written `HEADER=VALUE`."""
    header, _, value = text.partition("=")
    workers = app.context.state.present_workers(app.context.now())
    await carry_out(
        app, RevokeStamped(header=header.strip(), values=(value.strip(),), workers=workers)
    )


def no_stamp(text: str) -> str | None:
    """Return what is wrong with `HEADER=VALUE`; None if nothing is."""
    header, equals, value = text.partition("=")
    return None if equals and header.strip() and value.strip() else "as tenant=42"


async def _revoke(app: ActingApp, selection: Selection, others: tuple[str, ...] = ()) -> None:
    if not selection.kept and not others:
        app.say(f"Nothing to revoke: {why_none(selection)}", "warning")
        return
    workers = app.context.state.present_workers(app.context.now())
    command = Revoke(ids=targets.ids(selection.kept) + others, workers=workers)
    await carry_out(app, command, notes=left_out(selection.skipped))


async def _terminate(
    app: ActingApp,
    selection: Selection,
    others: tuple[str, ...] = (),
    signal: Signal | None = None,
) -> None:
    if not selection.kept and not others:
        app.say(f"Nothing to terminate: {why_none(selection)}", "warning")
        return
    # Frozen before the menu: who runs what may change while the user looks at the signals.
    ids = targets.ids(selection.kept) + others
    workers = app.context.state.present_workers(app.context.now())
    if signal is None:
        signals = [(name, name, text) for name, text in SIGNALS.items()]
        title = "Signal, for pools of processes"
        signal = cast("Signal | None", await app.push_screen_wait(Menu(title, signals, "SIGTERM")))
    if signal is not None:
        command = Revoke(ids=ids, workers=workers, terminate=True, signal=signal)
        await carry_out(app, command, notes=left_out(selection.skipped))


async def revoke_ids(app: ActingApp, ids: Sequence[str]) -> None:
    """Revoke tasks by id, whether or not celtop has heard of them."""
    held, others = _held(app, ids)
    await _revoke(app, targets.revocable(held), others)


async def terminate_ids(app: ActingApp, ids: Sequence[str], signal: Signal | None) -> None:
    """End tasks by id; without a signal, that is asked for."""
    held, others = _held(app, ids)
    await _terminate(app, targets.terminable(app.context.state, held), others, signal)


def _held(app: ActingApp, ids: Sequence[str]) -> tuple[list[Task], tuple[str, ...]]:
    held = app.context.state.tasks
    return [held[id_] for id_ in ids if id_ in held], tuple(id_ for id_ in ids if id_ not in held)


# Send again


async def retry_ids(app: ActingApp, ids: Sequence[str]) -> None:
    """Send tasks again by id, whether or not celtop has heard of them."""
    held, others = _held(app, ids)
    await _retry(app, targets.retriable(held), others)


async def retry(screen: MonitorScreen) -> None:
    """Send what is chosen again, exactly as it was sent."""
    await _retry(_app(screen), targets.retriable(screen.chosen(Task)))


async def retry_listed(screen: MonitorScreen) -> None:
    """Send everything that the filter lets through again."""
    tasks = _listed(screen)
    if tasks is not None:
        await _retry(_app(screen), targets.retriable(tasks))


async def _retry(app: ActingApp, selection: Selection, others: tuple[str, ...] = ()) -> None:
    if not selection.kept and not others:
        app.say(f"Nothing to retry: {why_none(selection)}", "warning")
        return
    found = await _recovered(app, targets.ids(selection.kept) + others)
    if found is None:
        return
    originals = tuple(each for each in found if isinstance(each, SentTask))
    lost = [each for each in found if isinstance(each, Unrecoverable)]
    if not originals:
        await app.push_screen_wait(TextDialog("Cannot be retried", _explained(lost)))
        return
    links = False
    if await asyncio.to_thread(lambda: any(map(app.session.has_links, originals))):
        chosen = await app.push_screen_wait(
            Menu(
                "Retry",
                [
                    ("alone", "Only the task", "no callbacks, and not the rest of its chain"),
                    ("links", "With what follows it", "callbacks and the rest of its chain"),
                ],
            )
        )
        if chosen is None:
            return
        links = chosen == "links"
    notes = [*left_out(selection.skipped), *_lost(lost)]
    await carry_out(app, Retry(originals=originals, with_links=links), notes=notes)


async def rerun(screen: MonitorScreen) -> None:
    """Open the form with what was sent, as far as that is known, to be sent as a new task."""
    from .send import open_trigger

    app = _app(screen)
    tasks = screen.chosen(Task)
    if len(tasks) != 1:
        app.say("Edit and run again: one task at a time", "warning")
        return
    found = await _recovered(app, (tasks[0].id,))
    if found:
        await open_trigger(screen, found[0], tasks[0].id)


async def _recovered(app: ActingApp, ids: Sequence[str]) -> tuple[Recovered, ...] | None:
    what = "what was sent" if len(ids) == 1 else f"what was sent of {len(ids):,} tasks"
    return await wait_for(app, f"Looking for {what}", app.session.recover_calls(ids))


# Words


def why_none(selection: Selection) -> str:
    """Return why nothing is left of a selection."""
    if not selection.skipped:
        return "no task is chosen"
    number = len(selection.skipped)
    if number == 1:
        return f"it {selection.skipped[0][1]}"
    return "; ".join(_counted(reason for _, reason in selection.skipped))


def left_out(skipped: Iterable[tuple[Task, str]]) -> tuple[str, ...]:
    """Return which tasks of a selection are left out, by reason."""
    return tuple(_counted(reason for _, reason in skipped))


def _counted(reasons: Iterable[str]) -> list[str]:
    counts = Counter(reasons)
    lines = [f"{number:,}: {reason}" for reason, number in counts.most_common(REASONS)]
    more = len(counts) - REASONS
    return [*lines, f"and {more:,} other reasons"] if more > 0 else lines


def _lost(lost: Sequence[Unrecoverable]) -> list[str]:
    if len(lost) == 1:
        return [f"{lost[0].id[:8]}: {lost[0].reason}"]
    return _counted(each.reason for each in lost)


def _explained(lost: Sequence[Unrecoverable]) -> str:
    lines = [f"{each.id}: {each.reason}" for each in lost[:EXPLAINED]]
    if len(lost) > EXPLAINED:
        lines.append(f"and {len(lost) - EXPLAINED:,} more")
    return "\n".join([*lines, "", "Nothing was sent. E opens a form with what is known of a task."])
