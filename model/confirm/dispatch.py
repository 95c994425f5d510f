"""What a person is asked before an act: the same words in the dialog and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..operations import commands as commands
from ..operations.commands import Operation
from ..state import ClusterState
from . import pools, queues, sending, tasks, workers
from .confirmation import NAMED as NAMED
from .confirmation import TYPED_FROM as TYPED_FROM
from .confirmation import Confirmation as Confirmation

_ASKING: Final[dict[type, Callable[[Any, ClusterState, float], Confirmation]]] = {
    commands.Revoke: tasks.revoke,
    commands.RevokeStamped: tasks.revoke_stamped,
    commands.Retry: sending.retry,
    commands.Trigger: sending.trigger,
    commands.PoolGrow: pools.grow,
    commands.PoolShrink: pools.shrink,
    commands.PoolRestart: pools.restart,
    commands.Autoscale: pools.autoscale,
    commands.AddConsumer: queues.add_consumer,
    commands.CancelConsumer: queues.cancel_consumer,
    commands.RateLimit: workers.rate_limit,
    commands.TimeLimit: workers.time_limit,
    commands.Ping: workers.ping,
    commands.Heartbeat: workers.heartbeat,
    commands.EnableEvents: workers.enable_events,
    commands.DisableEvents: workers.disable_events,
    commands.Shutdown: workers.shutdown,
    commands.Drain: workers.drain,
    commands.PauseQueue: queues.pause,
    commands.ResumeQueue: queues.resume,
    commands.Purge: queues.purge,
}


def confirm(command: Operation, state: ClusterState, now: float) -> Confirmation:
    """Put an act into words, from what is known at `now` (epoch seconds, our clock).

    The command is carried out as it stands, whatever happens to its targets meanwhile; where it
    makes no sense as things are, `refusal` says why.
    """
    return _ASKING[type(command)](command, state, now)
