"""Typed commands that change the cluster. They ask first, as keys do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, TypeAlias, cast, get_args

from ...model.confirm.targets import known_queues, task_names
from ...model.operations.call import Call
from ...model.operations.commands import Purge, Signal
from ...model.query.language import parse_query, refusal
from ..host import Host
from ..navigation import Location
from ..operations import queues
from ..operations.results import purge_results
from ..operations.run import run as run_operation
from ..operations.tasks import retry, revoke
from ..operations.tasks.send import trigger
from ..operations.tasks.task_limits import change_limits
from ..operations.undo import undo
from .base import Command, CommandError, CommandHost, Run, known_task

Start: TypeAlias = "Callable[[Host, str], Coroutine[Any, Any, object]]"

UUID_CHARACTERS: Final = 36
"""An argument of this length is an id, whether or not the task is known."""


def _operation(start: Start, missing: str = "") -> Run:
    """Return what runs a command that starts an operation; `missing` names a required argument."""

    def run(host: CommandHost, argument: str) -> None:
        if host.context.session.read_only:
            raise CommandError(host.context.read_only_reason)
        if missing and not argument:
            raise CommandError(f"Missing argument: {missing}")
        host.begin(start(host, argument))

    return run


def task_ids(host: Host, text: str) -> tuple[str, ...]:
    """Return the task ids of an argument: one id, or words that are an id or begin a known one.

    Raises:
        CommandError: A word is the start of no known id, or of several.
    """
    known = host.context.live.tasks
    words = [text] if text in known else text.split() or [""]
    whole = (word in known or len(word) == UUID_CHARACTERS for word in words)
    return tuple(
        dict.fromkeys(
            word if is_whole else known_task(host, word)
            for word, is_whole in zip(words, whole, strict=True)
        )
    )


def _revoke(host: CommandHost, argument: str) -> None:
    ids = task_ids(host, argument)
    _operation(lambda host, _: revoke.revoke_ids(host, ids))(host, argument)


def _terminate(host: CommandHost, argument: str) -> None:
    words = argument.split()
    signal = _signal(words[-1]) if words else None
    ids = task_ids(host, " ".join(words[:-1] if signal else words))
    _operation(lambda host, _: revoke.terminate_ids(host, ids, signal))(host, argument)


def _signal(word: str) -> Signal | None:
    name = word.upper() if word.upper().startswith("SIG") else f"SIG{word.upper()}"
    return cast("Signal", name) if name in get_args(Signal) else None


def _retry(host: CommandHost, argument: str) -> None:
    ids = task_ids(host, argument)
    _operation(lambda host, _: retry.retry_ids(host, ids))(host, argument)


def _stamp(host: CommandHost, argument: str) -> None:
    problem = revoke.stamp_problem(argument)
    if problem is not None:
        raise CommandError(f"Invalid stamp: {problem}")
    _operation(revoke.revoke_stamp)(host, argument)


def _purge(host: CommandHost, queue: str) -> None:
    state = host.context.live
    if queue and queue not in known_queues(state) and state.fact("queues").is_answered:
        # Shown at once: a dialog for it would take the keys that are typed next.
        raise CommandError(f"Unknown queue {queue}; check the spelling, or name it with -Q")
    _operation(lambda host, queue: run_operation(host, Purge(queue=queue)), "a queue")(host, queue)


def _purge_results(host: CommandHost, argument: str) -> None:
    reason = refusal(parse_query(argument))
    if argument and reason is not None:
        raise CommandError(f"Invalid filter: {reason}")
    _operation(purge_results, "a filter")(host, argument)


async def _trigger(host: Host, name: str) -> None:
    await trigger(host, Call(name) if name else None)


def _operations(host: CommandHost, argument: str) -> None:
    host.go(Location("log"), filter_text="operation")


def _unfinished_tasks(host: Host) -> Iterable[str]:
    return (task.id for task in reversed(host.context.live.tasks.values()) if not task.finished)


def _tasks(host: Host) -> Iterable[str]:
    return reversed(host.context.live.tasks)


def _names(host: Host) -> Iterable[str]:
    return task_names(host.context.live)


def _queues(host: Host) -> Iterable[str]:
    return host.context.live.queues


def _paused(host: Host) -> Iterable[str]:
    return host.context.session.paused_queues()


_limit = _operation(change_limits, "a task name")
_pause = _operation(queues.pause_queue, "a queue")
_undo = _operation(lambda host, _: undo(host))
_resume = _operation(queues.resume_queue, "a queue")

OPERATION_COMMANDS: Final[tuple[Command, ...]] = (
    Command("revoke", "Revoke tasks that have not started", _revoke, "ID...", _unfinished_tasks),
    Command(
        "terminate", "Terminate running tasks", _terminate, "ID... [SIGNAL]", _unfinished_tasks
    ),
    Command("retry", "Send tasks again with the same arguments", _retry, "ID...", _tasks),
    Command("trigger", "Send a new task (opens a form)", _operation(_trigger), "[NAME]", _names),
    Command("pause", "Stop all workers from consuming a queue", _pause, "QUEUE", _queues),
    Command("resume", "Resume a paused queue", _resume, "QUEUE", _paused),
    Command("undo", "Undo a pause, a limit or a change of consumers", _undo),
    Command("purge", "Delete all messages in a queue", _purge, "QUEUE", _queues),
    Command(
        "results-purge",
        "Delete results in the result backend by filter",
        _purge_results,
        "FILTER",
        filters=True,
    ),
    Command("limit", "Set rate and time limits of a task type", _limit, "NAME", _names),
    Command("stamp", "Revoke all tasks that carry a stamp", _stamp, "HEADER=VALUE"),
    Command("ro", "Refuse changes to the cluster", lambda host, _: host.runner.set_read_only(True)),
    Command("rw", "Allow changes to the cluster", lambda host, _: host.runner.set_read_only(False)),
    Command("operations", "List the operations in the log", _operations, aliases=("acts",)),
)
