"""What a person who was asked would have read in the question, told where nobody is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..model.operations.commands import Retry, Revoke, Trigger

if TYPE_CHECKING:
    from ..model.operations.commands import Operation
    from ..model.state import ClusterState

ALIVE: Final = ("queue", "unacked", "worker")
"""Where only what has not ended is found."""


def doubts(command: Operation, state: ClusterState) -> list[str]:
    """Return why an act may not come to what is meant by it, in sentences."""
    if isinstance(command, Revoke):
        return _of_revoking(command, state)
    if isinstance(command, Trigger):
        return _of_sending(command, state)
    return _of_retrying(command, state) if isinstance(command, Retry) else []


def _of_revoking(command: Revoke, state: ClusterState) -> list[str]:
    from ..model.confirm.targets import handed_over

    tasks = state.tasks
    late = handed_over(state, (tasks[id_] for id_ in command.ids if id_ in tasks))
    if not late:
        return []
    return [
        f"{len(late):,} will run all the same: a pool of threads has them already, and asks no"
        " more whether they are revoked"
    ]


def _of_sending(command: Trigger, state: ClusterState) -> list[str]:
    from ..model.confirm.targets import deserted, registered

    names = registered(state)
    strange = sorted({call.name for call in command.calls} - names) if names else []
    told = [f"no worker that answered has registered {name}" for name in strange]
    queues = deserted(state, (call.queue for call in command.calls if call.queue))
    return told + [f"nobody is known to consume {name}: it waits there" for name in queues]


def _of_retrying(command: Retry, state: ClusterState) -> list[str]:
    alive = sum(
        (task is not None and not task.finished) or (task is None and one.source in ALIVE)
        for one in command.originals
        for task in (state.tasks.get(one.id),)
    )
    if not alive:
        return []
    verb = "has" if alive == 1 else "have"
    return [f"{alive:,} {verb} not ended yet, as far as is known: the work may be done twice"]
