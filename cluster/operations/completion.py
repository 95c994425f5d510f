"""Who and what an act is about, and that each of them ends with a verdict, whatever happened."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ...model.operations import commands as commands
from ...model.operations.commands import AnyOperation
from ...model.operations.outcome import Answer, Outcome


def workers_of(command: AnyOperation) -> tuple[str, ...]:
    """Return the workers that are expected to answer."""
    if isinstance(command, commands.PauseQueue | commands.ResumeQueue):
        return tuple(dict.fromkeys(one.worker for one in command.consumers))
    if isinstance(command, commands.ToWorkers | commands.Revoke | commands.RevokeStamped):
        return command.workers
    return ()


def targets_of(command: AnyOperation) -> tuple[str, ...]:
    """Return what is to have a verdict in the end: task ids, workers, a queue.

    Tasks that are yet to be sent have no id: of these only their sender knows.
    """
    match command:
        case commands.Revoke():
            return command.ids
        case commands.RevokeStamped():
            return tuple(f"{command.header}={value}" for value in command.values)
        case commands.Retry():
            return tuple(original.id for original in command.originals)
        case commands.Trigger():
            return ()
        case commands.PauseQueue() | commands.ResumeQueue() | commands.Purge():
            return (command.queue,)
        case _:
            return command.workers


def completed(outcome: Outcome, answer: Answer, unsure: Iterable[str] = ()) -> Outcome:
    """Return an outcome in which whoever has no verdict yet has this one.

    Of a command to workers these are its targets as well: what they said counts for both.

    Args:
        outcome: As it stands at the end.
        answer: What is true of all that were not reached.
        unsure: Those of which nobody knows whether they were.
    """
    unknown = Answer("unsure", answer.text)
    doubtful = set(unsure)

    def filled(names: tuple[str, ...], known: dict[str, Answer]) -> dict[str, Answer]:
        missing = (name for name in names if name not in known)
        return known | {name: unknown if name in doubtful else answer for name in missing}

    command = outcome.command
    workers = filled(workers_of(command), outcome.workers)
    known = (
        {**workers, **outcome.targets}
        if isinstance(command, commands.ToWorkers)
        else (outcome.targets)
    )
    return msgspec.structs.replace(
        outcome, workers=workers, targets=filled(targets_of(command), known)
    )
