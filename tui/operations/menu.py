"""The operations that screens offer: one table for the menu and for the keys."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ...bindings.contexts import Context
from ...bindings.keys import key_name
from ...model.confirm import targets
from ...model.confirm.confirmation import task_line
from ...model.confirm.dispatch import confirm
from ...model.confirm.queues import why_unreadable
from ...model.entities.queue import Queue
from ...model.entities.task import Task
from ...model.entities.task_type import TaskType
from ...model.entities.worker import Worker
from ...model.health.tasks.schedule_status import EntryStatus
from ...model.observations import WaitingMessage
from ...model.operations import commands as commands
from ...model.text.phrases import counted, named, verb
from ..context import AppContext
from ..dialogs.menu import Menu, MenuContent
from ..host import Host
from . import queues, schedule, workers
from .tasks import retry, revoke
from .tasks.send import trigger
from .tasks.stored_groups import stored_groups
from .tasks.task_limits import change_limits
from .undo import NOTHING, undo, undoable
from .why import why

if TYPE_CHECKING:
    from ...model.operations.commands import Operation, WorkerOperation
    from ...model.state import ClusterState

MAX_COUNTED_TASKS: Final = 2_000
"""Listed tasks up to which the menu counts those that an operation is possible for: it must open at
once. The dialog counts them all."""

Handler: TypeAlias = "Callable[[Host], Coroutine[Any, Any, object]]"
Offer: TypeAlias = "tuple[str, str | None]"
"""What `{}` in a label stands for, and why the operation is unavailable (None if it is not)."""


def _always(host: Host) -> Offer:
    return "", None


@dataclass(frozen=True, slots=True)
class MenuItem:
    """An operation that a screen offers."""

    id: str
    """That of the action, if a key starts it as well."""
    label: str
    """`{}` stands for the selection."""
    handler: Handler
    """Asks, and starts the operation."""
    offer: Callable[[Host], Offer | None] = _always
    """Returns what can be done with the selection; None to hide the item."""
    read_only: bool = False
    """Whether it changes nothing, and is available in read-only mode."""

    def refused(self, context: AppContext) -> bool:
        """Return whether read-only mode makes it unavailable."""
        return context.session.read_only and not self.read_only


async def choose(host: Host) -> None:
    """Show the menu of a screen, and start the operation that is chosen."""
    keymap = host.context.keymap
    keys = {action.id: action.keys[0] for action in keymap.actions if action.keys}
    items = [item for context in (*host.contexts, "global") for item in MENU.get(context, ())]
    keys = {item.id: keys[item.id] for item in items if item.id in keys}
    content = partial(_content, host, items, keys)
    shown = content()
    keys = {choice: keys[choice] for choice, *_ in shown.choices if choice in keys}
    menu = Menu(shown.title, shown.choices, disabled=shown.disabled, keys=keys, present=content)
    chosen = await host.ask(menu)
    if chosen is not None:
        await menu_item(chosen).handler(host)


def _content(host: Host, items: Sequence[MenuItem], keys: Mapping[str, str]) -> MenuContent:
    """Return the operations for the selection, and why some are unavailable."""
    offers = [(item, offer) for item in items if (offer := item.offer(host)) is not None]
    ascii_only = host.context.ascii
    names = {
        item.id: key_name(keys[item.id], ascii_only=ascii_only)
        for item, _ in offers
        if item.id in keys
    }
    width = max(map(len, names.values()), default=1)
    choices = []
    unavailable = set()
    for item, (what, why_not) in offers:
        if item.refused(host.context):
            why_not = host.context.read_only_reason
        if why_not is not None:
            unavailable.add(item.id)
        label = f"{names.get(item.id, ''):{width}}  {item.label.format(what)}"
        choices.append((item.id, label, why_not or ""))
    title = " on ".join(filter(None, ("Operations", _subject(host))))
    return MenuContent(title, choices, unavailable)


def _subject(host: Host) -> str:
    """Return the name of the selection; empty if nothing is selected."""
    found = host.selection(Task)
    if found:
        state = host.context.live
        return task_line(state, found[0].id) if len(found) == 1 else _counted(len(found))
    names = [worker.id for worker in host.selection(Worker)]
    names += [queue.id for queue in host.selection(Queue)]
    names += [one.id for one in host.selection(TaskType)]
    names += [one.id for one in host.selection(EntryStatus)]
    return named(names) if names else ""


def menu_item(id_: str) -> MenuItem:
    """Return the menu item of an id."""
    return next(item for items in MENU.values() for item in items if item.id == id_)


# Tasks


def _revocable(state: ClusterState, found: Sequence[Task]) -> targets.Selection:
    return targets.revocable(found)


def _explained(kind: type) -> Callable[[Host], Offer | None]:
    """Return the offer to explain a selected task or queue; on a queue's page, the queue."""

    def offer(host: Host) -> Offer | None:
        found: list[object] = host.selection(kind)
        if not found or (kind is Task and host.selection(Queue)):
            return None
        noun = "task" if kind is Task else "queue"
        return f"the {noun}", _why_not_one(found, noun)

    return offer


def _one_task(host: Host) -> Offer:
    return "", _why_not_one(host.selection(Task), "task")


def _retry(host: Host) -> Offer:
    if groups := stored_groups(host):
        return _counted(sum(group.count for group in groups)), None
    found = host.selection(Task)
    if not found:
        return _counted(0), "no task selected"
    return _counted(len(found)), host.context.unrecoverable.common_reason(found)


def _revoke(host: Host, *, terminate: bool = False) -> Offer:
    found, state = host.selection(Task), host.context.live
    selection = (targets.terminable if terminate else _revocable)(state, found)
    what = _counted(len(selection.kept))
    if not selection.kept:
        return what, next((reason for _, reason in selection.skipped), "no task selected")
    ids, present = targets.ids(selection.kept), state.present_workers(host.context.clock())
    operation = commands.Revoke(ids=ids, workers=present, terminate=terminate)
    return what, _refusal(host, operation)


def _terminate(host: Host) -> Offer:
    return _revoke(host, terminate=True)


def _listed_item(
    id_: str,
    verb: str,
    done: str,
    handler: Handler,
    select: Callable[[ClusterState, Sequence[Task]], targets.Selection],
) -> MenuItem:
    """Return the row of an operation on all tasks that pass the filter.

    `done` is the verb's past participle.
    """

    def offer(host: Host) -> Offer | None:
        listed = host.listed()
        if listed is None:
            return None
        if len(listed) > MAX_COUNTED_TASKS:
            return f"up to {len(listed):,}", None
        number = len(select(host.context.live, listed).kept)
        empty = f"none of the listed tasks can be {done}" if listed else "no tasks listed"
        return f"{number:,} of {len(listed):,}", None if number else empty

    return MenuItem(id_, f"{verb} all listed: {{}} ...", handler, offer)


def _counted(number: int) -> str:
    return f"{number:,} task{'s' * (number != 1)}" if number else "tasks"


# Workers


def _worker_item(
    id_: str,
    label: str,
    operation: Callable[..., WorkerOperation] | None,
    handler: Handler | None = None,
) -> MenuItem:
    """Return the row of an operation on workers.

    Without a handler it needs nothing but its workers; without an operation it is always offered.
    """
    if handler is None:
        assert operation is not None
        handler = partial(workers.run_on_workers, operation=operation)

    def offer(host: Host) -> Offer:
        selected = host.selection(Worker)
        names = tuple(worker.name for worker in selected)
        what = names[0] if len(names) == 1 else f"{len(names):,} workers" if names else "workers"
        if not names:
            return what, "no worker selected"
        refusal = None if operation is None else _refusal(host, operation(workers=names))
        if refusal is None and operation not in _PROBES:
            refusal = _why_no_reply(host, selected)
        return what, refusal

    read_only = getattr(operation, "read_only", False)
    return MenuItem(id_, label, handler, offer, read_only)


def _why_no_reply(host: Host, selected: Sequence[Worker]) -> str | None:
    """Return that no reply is expected if all of these workers are offline."""
    if not all(map(host.context.is_offline, selected)):
        return None
    names = [worker.name for worker in selected]
    return f"{verb(names, 'is', 'are')} offline; no reply is expected"


_PROBES: Final = (commands.Ping, commands.Heartbeat)
"""The operations that show whether a worker that seems to be offline is."""
_autoscale = partial(commands.Autoscale, most=1, least=1)


# Queues and task types


def _queue_item(
    id_: str,
    label: str,
    handler: Handler,
    why_not: Callable[[Host, str], str | None],
    read_only: bool = False,
) -> MenuItem:
    """Return the row of an operation on one queue."""

    def offer(host: Host) -> Offer:
        found = host.selection(Queue)
        reason = _why_not_one(found, "queue")
        if reason is not None:
            return "the queue", reason
        return found[0].name, why_not(host, found[0].name)

    return MenuItem(id_, label, handler, offer, read_only)


def _on_message(host: Host) -> Offer:
    found = host.selection(WaitingMessage)
    why_not = None if found else "no message selected"
    if found and host.context.live.broker.family == "amqp":
        why_not = "supported with Redis only"
    return counted(len(found), "message"), why_not


def _why_no_list(host: Host, queue: str) -> str | None:
    return why_unreadable(host.context.live)


def _why_no_peek(host: Host, queue: str) -> str | None:
    peekable = host.context.live.broker.family in ("redis", "unknown")
    return None if peekable else "supported with Redis only"


def _why_no_pause(host: Host, queue: str) -> str | None:
    consumers, _ = queues.consumers_of(host.context.live, queue, host.context.clock())
    refusal = _refusal(host, commands.PauseQueue(queue, consumers))
    if refusal is not None and queue in host.context.session.paused_queues():
        return "already paused"
    return refusal


def _why_no_resume(host: Host, queue: str) -> str | None:
    return None if queue in host.context.session.paused_queues() else "not paused by celtop"


def _why_no_purge(host: Host, queue: str) -> str | None:
    return _refusal(host, commands.Purge(queue=queue))


def _on_type(host: Host) -> Offer:
    found = host.selection(TaskType)
    why_not = _why_not_one(found, "task type")
    if why_not is None and not host.context.live.present_workers(host.context.clock()):
        why_not = "no workers are online"
    return (found[0].id if len(found) == 1 else "a task type"), why_not


def _switch(host: Host) -> Offer:
    found = host.selection(EntryStatus)
    if not found:
        return "Enable or disable", "no periodic task selected"
    operation = schedule.switched(found)
    phrase = operation.phrase()
    return f"{phrase.infinitive} {phrase.object}", _refusal(host, operation)


def _undo(host: Host) -> Offer:
    found = undoable(host)
    return (f": {found[0].text}", None) if found else ("", NOTHING)


def _refusal(host: Host, operation: Operation) -> str | None:
    return confirm(operation, host.context.live, host.context.clock()).refusal


def _why_not_one(selection: Sequence[object], what: str) -> str | None:
    if len(selection) == 1:
        return None
    return f"select one {what}" if selection else f"no {what} selected"


MENU: Final[Mapping[Context, tuple[MenuItem, ...]]] = {
    "tasks": (
        MenuItem("why", "Explain {}", why, _explained(Task), True),
        MenuItem("task.revoke", "Revoke {}", revoke.revoke, _revoke),
        MenuItem("task.terminate", "Terminate {} ...", revoke.terminate, _terminate),
        MenuItem("task.retry", "Retry {} ...", retry.retry, _retry),
        MenuItem("task.rerun", "Edit and run again ...", retry.rerun, _one_task),
        MenuItem("task.workflow", "Revoke the whole workflow", revoke.revoke_workflow, _one_task),
        MenuItem("task.stamp", "Revoke by stamp ...", revoke.revoke_stamped),
        _listed_item("task.revoke_listed", "Revoke", "revoked", revoke.revoke_listed, _revocable),
        _listed_item(
            "task.terminate_listed",
            "Terminate",
            "terminated",
            revoke.terminate_listed,
            targets.terminable,
        ),
        _listed_item("task.retry_listed", "Retry", "retried", retry.retry_listed, targets.every),
    ),
    "workers": (
        _worker_item("pool.grow", "Grow the pool of {} ...", commands.PoolGrow, workers.grow),
        _worker_item(
            "pool.shrink", "Shrink the pool of {} ...", commands.PoolShrink, workers.shrink
        ),
        _worker_item("pool.autoscale", "Autoscale {} ...", _autoscale, workers.autoscale),
        _worker_item("pool.restart", "Restart the pool of {}", commands.PoolRestart),
        _worker_item(
            "worker.consumer", "Add or cancel a consumer ...", None, workers.change_consumers
        ),
        _worker_item("worker.ping", "Ping {}", commands.Ping),
        _worker_item("worker.report", "Show the report of {}", commands.Report),
        _worker_item("worker.memdump", "Show the memory use of {}", commands.Memdump),
        _worker_item("worker.heartbeat", "Request a heartbeat", commands.Heartbeat),
        _worker_item("worker.events_on", "Enable task events", commands.EnableEvents),
        _worker_item("worker.events_off", "Disable task events", commands.DisableEvents),
        _worker_item("worker.drain", "Drain {}, then shut down", commands.Drain),
        _worker_item("worker.shutdown", "Warm shutdown of {}", commands.Shutdown),
    ),
    "queues": (
        MenuItem("why", "Explain {}", why, _explained(Queue), True),
        _queue_item("queue.look", "List the messages in {}", queues.peek, _why_no_list, True),
        _queue_item("queue.pause", "Pause {} on all workers", queues.pause, _why_no_pause),
        _queue_item("queue.resume", "Resume {}", queues.resume, _why_no_resume),
        _queue_item("queue.purge", "Purge {} ...", queues.purge, _why_no_purge),
        _queue_item(
            "queue.purge_task", "Purge one task name from {} ...", queues.purge_task, _why_no_peek
        ),
    ),
    "messages": (MenuItem("message.remove", "Delete {} ...", queues.remove_messages, _on_message),),
    "types": (MenuItem("type.limit", "Limit {} ...", change_limits, _on_type),),
    "schedule": (MenuItem("schedule.switch", "{}", schedule.switch_entries, _switch),),
    "global": (
        MenuItem("undo", "Undo{}", undo, _undo),
        MenuItem("task.trigger", "Trigger a new task ...", trigger),
    ),
}
"""Every operation that a key or a menu starts, by the context of the screens that offer it."""
