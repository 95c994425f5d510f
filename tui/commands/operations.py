"""Commands that act on the cluster, typed after `:`. They ask as keys do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast, get_args

from ...model.operations.call import Call
from ...model.operations.commands import Purge, Signal
from ..operations.policy import READ_ONLY
from .base import Command, CommandError, Run

if TYPE_CHECKING:
    from ..app import CeltopApp

Act: TypeAlias = "Callable[[CeltopApp, str], Coroutine[Any, Any, object]]"

FULL_ID: Final = 36
"""Characters of a UUID: such an id need not be one that celtop has heard of."""


def _acting(act: Act) -> Run:
    def run(app: CeltopApp, argument: str) -> None:
        if app.session.read_only:
            raise CommandError(READ_ONLY)
        app.begin(act(app, argument))

    return run


def _needing(what: str, act: Act) -> Run:
    start = _acting(act)

    def run(app: CeltopApp, argument: str) -> None:
        if not argument:
            raise CommandError(f"{what}, please")
        start(app, argument)

    return run


def ids(app: CeltopApp, text: str) -> tuple[str, ...]:
    """Return the ids that words are, or are the only beginning of.

    Raises:
        CommandError: One is the beginning of several, or of none.
    """
    held = app.context.state.tasks
    found = []
    for word in text.split():
        if word in held or len(word) == FULL_ID:
            found.append(word)
            continue
        near = [id_ for id_ in held if id_.startswith(word)]
        if len(near) != 1:
            raise CommandError(f"{len(near) or 'no'} tasks begin with {word}")
        found.append(near[0])
    if not found:
        raise CommandError("the id of a task, or how it begins, please")
    return tuple(dict.fromkeys(found))


def _revoke(app: CeltopApp, argument: str) -> None:
    from ..operations import tasks

    found = ids(app, argument)
    _acting(lambda app, _: tasks.revoke_ids(app, found))(app, argument)


def _terminate(app: CeltopApp, argument: str) -> None:
    from ..operations import tasks

    words = argument.split()
    signal: Signal | None = None
    if words and (named := _signal(words[-1])) is not None:
        signal = named
        words.pop()
    found = ids(app, " ".join(words))
    _acting(lambda app, _: tasks.terminate_ids(app, found, signal))(app, argument)


def _signal(word: str) -> Signal | None:
    name = word.upper() if word.upper().startswith("SIG") else f"SIG{word.upper()}"
    return cast("Signal", name) if name in get_args(Signal) else None


def _retry(app: CeltopApp, argument: str) -> None:
    from ..operations import tasks

    found = ids(app, argument)
    _acting(lambda app, _: tasks.retry_ids(app, found))(app, argument)


async def _stamp(app: CeltopApp, argument: str) -> None:
    from ..operations import tasks

    await tasks.stamped(app, argument)


def _stamped(app: CeltopApp, argument: str) -> None:
    from ..operations.tasks import no_stamp

    problem = no_stamp(argument)
    if problem is not None:
        raise CommandError(f"HEADER=VALUE, please, {problem}")
    _acting(_stamp)(app, argument)


async def _pause(app: CeltopApp, queue: str) -> None:
    from ..operations.queues import pause_queue

    await pause_queue(app, queue)


async def _resume(app: CeltopApp, queue: str) -> None:
    from ..operations.queues import resume_queue

    await resume_queue(app, queue)


async def _purge(app: CeltopApp, queue: str) -> None:
    from ..operations.run import carry_out

    await carry_out(app, Purge(queue=queue))


async def _trigger(app: CeltopApp, name: str) -> None:
    from ..operations.send import open_trigger

    screen = app.monitor_screen
    if screen is not None:
        await open_trigger(screen, Call(name) if name else None)


async def _limit(app: CeltopApp, name: str) -> None:
    from ..operations.task_limits import limits

    screen = app.monitor_screen
    if screen is not None:
        await limits(screen, name)


def _acts(app: CeltopApp, argument: str) -> None:
    app.action_view("log")
    app.call_after_refresh(app.action_filter_by, "operation")


def _tasks(app: CeltopApp) -> Iterable[str]:
    return (task.id for task in reversed(app.context.state.tasks.values()) if not task.finished)


def _any_tasks(app: CeltopApp) -> Iterable[str]:
    return reversed(app.context.state.tasks)


def _names(app: CeltopApp) -> Iterable[str]:
    from ...model.confirm.targets import task_names

    return task_names(app.context.state)


def _queues(app: CeltopApp) -> Iterable[str]:
    return app.context.state.queues


def _paused(app: CeltopApp) -> Iterable[str]:
    return app.session.paused_queues()


ACT_COMMANDS: Final[tuple[Command, ...]] = (
    Command("revoke", "Have workers skip a task that has not started", _revoke, "ID...", _tasks),
    Command("terminate", "End a task that runs", _terminate, "ID... [SIGNAL]", _tasks),
    Command("retry", "Send a task again as it was sent", _retry, "ID...", _any_tasks),
    Command("trigger", "Send a new task: a form", _acting(_trigger), "[NAME]", _names),
    Command("pause", "Stop consuming a queue", _needing("a queue", _pause), "QUEUE", _queues),
    Command("resume", "Consume it again", _needing("a queue", _resume), "QUEUE", _paused),
    Command("purge", "Delete all that waits", _needing("a queue", _purge), "QUEUE", _queues),
    Command("limit", "Limit a task type", _needing("a task name", _limit), "NAME", _names),
    Command("stamp", "Revoke whatever carries a stamp", _stamped, "HEADER=VALUE"),
    Command("ro", "Refuse to change the cluster", lambda app, _: app.set_read_only(True)),
    Command("rw", "Allow to change the cluster", lambda app, _: app.set_read_only(False)),
    Command("acts", "What was done, in the log", _acts),
)
