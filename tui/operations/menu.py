"""All that can be done from a screen, as keys and the menu offer it; and why not what cannot."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ...bindings.keys import key_name
from ...model.confirm import targets
from ...model.confirm.dispatch import confirm
from ...model.entities.queue import Queue
from ...model.entities.task import Task
from ...model.entities.task_type import TaskType
from ...model.entities.worker import Worker
from ...model.operations import commands as commands
from .policy import READ_ONLY, READING

if TYPE_CHECKING:
    from ...model.operations.commands import Operation
    from ..screens.base import MonitorScreen
    from .runner import ActingApp

Start: TypeAlias = "Callable[[MonitorScreen], Coroutine[Any, Any, object]]"


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One act that a screen may have."""

    id: str
    label: str
    why_not: str | None = None
    """Why it cannot be done just now; None if it can."""


def handler(what: str) -> Start:
    """Return what begins an act: it asks, and carries it out."""
    if what == "task.trigger":
        from .send import open_trigger

        return open_trigger
    kind = what.partition(".")[0]
    starters = {
        "task": _task_starters,
        "pool": _worker_starters,
        "worker": _worker_starters,
        "queue": _queue_starters,
        "type": _type_starters,
    }
    return starters[kind]()[what]


def _task_starters() -> dict[str, Start]:
    from . import tasks

    return {
        "task.retry": tasks.retry,
        "task.rerun": tasks.rerun,
        "task.revoke": tasks.revoke,
        "task.terminate": tasks.terminate,
        "task.workflow": tasks.revoke_workflow,
        "task.stamp": tasks.revoke_stamped,
        "task.revoke_listed": tasks.revoke_listed,
        "task.terminate_listed": tasks.terminate_listed,
        "task.retry_listed": tasks.retry_listed,
    }


def _worker_starters() -> dict[str, Start]:
    from . import workers

    return {
        "pool.grow": workers.grow,
        "pool.shrink": workers.shrink,
        "pool.restart": workers.restart,
        "pool.autoscale": workers.autoscale,
        "worker.consumer": workers.consumer,
        "worker.heartbeat": workers.heartbeat,
        "worker.ping": workers.ping,
        "worker.events_on": workers.events_on,
        "worker.events_off": workers.events_off,
        "worker.drain": workers.drain,
        "worker.shutdown": workers.shutdown,
    }


def _queue_starters() -> dict[str, Start]:
    from . import queues

    return {
        "queue.look": queues.look_into,
        "queue.pause": queues.pause,
        "queue.resume": queues.resume,
        "queue.purge": queues.purge,
        "queue.purge_task": queues.purge_task,
    }


def _type_starters() -> dict[str, Start]:
    from . import task_limits

    return {"type.limit": task_limits.limits}


async def choose(app: ActingApp, screen: MonitorScreen) -> None:
    """Let the user choose from the acts of a screen, and begin the one that was chosen."""
    from ..dialogs.menu import Menu

    found = offers(app, screen)
    keys = {action.id: action.keys[0] for action in app.context.keymap.actions if action.keys}
    here = {offer.id: keys[offer.id] for offer in found if offer.id in keys}
    names = {id_: key_name(key, ascii_only=app.context.ascii) for id_, key in here.items()}
    width = max(map(len, names.values()), default=1)
    choices = [
        (offer.id, f"{names.get(offer.id, ''):{width}}  {offer.label}", offer.why_not or "")
        for offer in found
    ]
    off = {offer.id for offer in found if offer.why_not is not None}
    chosen: str | None = await app.push_screen_wait(Menu("Act", choices, off=off, keys=here))
    if chosen is not None:
        await handler(chosen)(screen)


def offers(app: ActingApp, screen: MonitorScreen) -> list[MenuItem]:
    """Return all that the screen is for, whether or not it can be done just now."""
    found = []
    contexts = screen.CONTEXTS
    if "tasks" in contexts:
        found += _on_tasks(app, screen)
    if "workers" in contexts:
        found += _on_workers(app, screen)
    if "queues" in contexts:
        found += _on_queues(app, screen)
    if "types" in contexts:
        types = screen.chosen(TaskType)
        found.append(_few("type.limit", "Limit", types, "task type"))
    found.append(MenuItem("task.trigger", "Trigger a new task ..."))
    if app.session.read_only:
        return [
            offer if offer.id in READING else MenuItem(offer.id, offer.label, READ_ONLY)
            for offer in found
        ]
    return found


def _on_tasks(app: ActingApp, screen: MonitorScreen) -> list[MenuItem]:
    state, now = app.context.state, app.context.now()
    chosen = screen.chosen(Task)
    none = None if chosen else "no task is chosen"
    one = none or (None if len(chosen) == 1 else "one task at a time")
    workers = state.present_workers(now)

    def refusal(selection: targets.Selection, terminate: bool) -> str | None:
        if not selection.kept:
            return none or next((reason for _, reason in selection.skipped), "nothing is listed")
        ids = targets.ids(selection.kept)
        command = commands.Revoke(ids=ids, workers=workers, terminate=terminate)
        return confirm(command, state, now).refusal

    waiting, live = targets.revocable(chosen), targets.terminable(state, chosen)
    sendable = targets.retriable(chosen)
    found = [
        MenuItem("task.revoke", f"Revoke {_count(waiting)}", refusal(waiting, False)),
        MenuItem("task.terminate", f"Terminate {_count(live)} ...", refusal(live, True)),
        MenuItem("task.retry", f"Retry {_count(sendable)} ...", none),
        MenuItem("task.rerun", "Edit and run again ...", one),
        MenuItem("task.workflow", "Revoke the whole workflow", one),
        MenuItem("task.stamp", "Revoke by a stamp ..."),
    ]
    listed = screen.listed()
    if listed is not None:
        total = len(listed)
        empty = "nothing is listed" if not total else "none of them"
        for id_, verb, kept in (
            ("task.revoke_listed", "Revoke all listed", targets.revocable(listed)),
            ("task.terminate_listed", "Terminate all listed", targets.terminable(state, listed)),
            ("task.retry_listed", "Retry all listed", targets.retriable(listed)),
        ):
            number = len(kept.kept)
            label = f"{verb}: {number:,} of {total:,} ..."
            found.append(MenuItem(id_, label, None if number else empty))
    return found


def _on_workers(app: ActingApp, screen: MonitorScreen) -> list[MenuItem]:
    workers = screen.chosen(Worker)
    names = tuple(worker.name for worker in workers)
    who = _who(names, "worker")
    state, now = app.context.state, app.context.now()

    def offer(id_: str, label: str, command: Operation | None = None) -> MenuItem:
        refusal = None if names else "no worker is chosen"
        if refusal is None and command is not None:
            refusal = confirm(command, state, now).refusal
        return MenuItem(id_, label, refusal)

    return [
        offer("pool.grow", f"Grow the pool of {who} ...", commands.PoolGrow(workers=names)),
        offer("pool.shrink", f"Shrink the pool of {who} ...", commands.PoolShrink(workers=names)),
        offer("pool.autoscale", f"Autoscale {who} ...", commands.Autoscale(names, most=1, least=1)),
        offer("pool.restart", f"Restart the pool of {who}", commands.PoolRestart(workers=names)),
        offer("worker.consumer", "Consume a queue, or no more ..."),
        offer("worker.ping", f"Ping {who}", commands.Ping(workers=names)),
        offer("worker.heartbeat", "Ask for a heartbeat", commands.Heartbeat(workers=names)),
        offer("worker.events_on", "Turn events on", commands.EnableEvents(workers=names)),
        offer("worker.events_off", "Turn events off", commands.DisableEvents(workers=names)),
        offer("worker.drain", f"Drain {who}, then shut down", commands.Drain(workers=names)),
        offer("worker.shutdown", f"Shut down {who} warmly", commands.Shutdown(workers=names)),
    ]


def _on_queues(app: ActingApp, screen: MonitorScreen) -> list[MenuItem]:
    from .queues import consumers_of

    queues = screen.chosen(Queue)
    one = None if len(queues) == 1 else "one queue at a time" if queues else "no queue is chosen"
    name = queues[0].name if len(queues) == 1 else "the queue"
    paused = app.session.paused_queues() if queues else {}
    is_paused = any(queue.name in paused for queue in queues)
    look = app.context.state.broker.family in ("redis", "unknown")
    state, now = app.context.state, app.context.now()
    pause = purge = one
    if one is None:
        consumers, _ = consumers_of(state, name, now)
        pause = confirm(commands.PauseQueue(name, consumers), state, now).refusal
        purge = confirm(commands.Purge(queue=name), state, now).refusal
        if is_paused and pause is not None:
            pause = "it is paused"
    blind = one or (None if look else "only a Redis broker lets one look into a queue")
    return [
        MenuItem("queue.look", f"List what waits in {name}", blind),
        MenuItem("queue.pause", f"Pause {name} on all workers", pause),
        MenuItem(
            "queue.resume",
            f"Resume {name}",
            one or (None if is_paused else "it was not paused by celtop"),
        ),
        MenuItem("queue.purge", f"Purge {name} ...", purge),
        MenuItem(
            "queue.purge_task",
            f"Purge one task name from {name} ...",
            blind,
        ),
    ]


def _few(id_: str, verb: str, rows: Sequence[object], what: str) -> MenuItem:
    if len(rows) == 1:
        return MenuItem(id_, f"{verb} {getattr(rows[0], 'id', what)} ...")
    return MenuItem(
        id_, f"{verb} a {what} ...", f"one {what} at a time" if rows else "none is chosen"
    )


def _count(selection: targets.Selection) -> str:
    number = len(selection.kept)
    if not number:
        return "tasks"
    return "it" if number == 1 and not selection.skipped else f"{number:,}"


def _who(names: Sequence[str], what: str) -> str:
    return names[0] if len(names) == 1 else f"{len(names):,} {what}s"
