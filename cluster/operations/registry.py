"""Which function carries out which command; each is loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from ...model.operations import commands as commands
from .running import OperationContext

Perform: TypeAlias = Callable[[OperationContext], None]
"""Carries out an operation and reports its outcome; whatever it raises ends it."""


def _revoke(doing: OperationContext) -> None:
    from .revoke import revoke

    revoke(doing)


def _revoke_stamped(doing: OperationContext) -> None:
    from .revoke import revoke_stamped

    revoke_stamped(doing)


def _broadcast(doing: OperationContext) -> None:
    from .remote import broadcast

    broadcast(doing)


def _retry(doing: OperationContext) -> None:
    from .send import retry

    retry(doing)


def _trigger(doing: OperationContext) -> None:
    from .send import trigger

    trigger(doing)


def _drain(doing: OperationContext) -> None:
    from .drain import drain

    drain(doing)


def _pause(doing: OperationContext) -> None:
    from .pause import pause

    pause(doing)


def _resume(doing: OperationContext) -> None:
    from .pause import resume

    resume(doing)


def _purge(doing: OperationContext) -> None:
    from .purge import purge

    purge(doing)


OPERATIONS: Final[Mapping[type[commands.Operation], Perform]] = {
    commands.Revoke: _revoke,
    commands.RevokeStamped: _revoke_stamped,
    commands.Retry: _retry,
    commands.Trigger: _trigger,
    commands.PoolGrow: _broadcast,
    commands.PoolShrink: _broadcast,
    commands.PoolRestart: _broadcast,
    commands.Autoscale: _broadcast,
    commands.AddConsumer: _broadcast,
    commands.CancelConsumer: _broadcast,
    commands.RateLimit: _broadcast,
    commands.TimeLimit: _broadcast,
    commands.Ping: _broadcast,
    commands.Heartbeat: _broadcast,
    commands.EnableEvents: _broadcast,
    commands.DisableEvents: _broadcast,
    commands.Shutdown: _broadcast,
    commands.Drain: _drain,
    commands.PauseQueue: _pause,
    commands.ResumeQueue: _resume,
    commands.Purge: _purge,
}
