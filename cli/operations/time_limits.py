"""Soft and hard time limits on the command line; a limit that is not given keeps its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from ..arguments import read_duration
from ..exit_codes import CommandError, InvalidUsage

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...model.entities.worker import Limits
    from ...model.operations.commands import TimeLimit

UNCHANGED: Final = "unchanged"


def read_limit(ctx: click.Context, option: click.Parameter, value: str) -> float | str | None:
    """Return seconds, None for no limit, or UNCHANGED.

    Raises:
        BadParameter: It is none of these.
    """
    text = value.lower()
    if text == UNCHANGED:
        return UNCHANGED
    return None if text == "none" else read_duration(ctx, option, value)


def time_limits(
    session: Session,
    task: str,
    workers: tuple[str, ...],
    soft: float | str | None,
    hard: float | str | None,
) -> TimeLimit:
    """Return the operation with both limits: workers remove a limit that is not sent.

    Raises:
        CommandError: The current limits are unknown.
        InvalidUsage: They differ between these workers.
    """
    from ...model.operations.commands import TimeLimit

    if UNCHANGED in (soft, hard):
        current = _current(session, task, workers)
        soft = current.soft if soft == UNCHANGED else soft
        hard = current.hard if hard == UNCHANGED else hard
    assert not isinstance(soft, str)
    assert not isinstance(hard, str)
    return TimeLimit(workers=workers, task=task, soft=soft, hard=hard)


def _current(session: Session, task: str, workers: tuple[str, ...]) -> Limits:
    from ...model.entities.worker import UNLIMITED

    known = [session.state.workers.get(name) for name in workers]
    found = {
        worker.limits.get(task, UNLIMITED)
        for worker in known
        if worker is not None and worker.initial_limits is not None
    }
    if not found or any(worker is None or worker.initial_limits is None for worker in known):
        raise CommandError("The current time limits are unknown; pass both --soft and --hard")
    times = {(limits.soft, limits.hard) for limits in found}
    if len(times) > 1:
        raise InvalidUsage(
            "The workers have different time limits; pass both --soft and --hard, or --worker"
        )
    return found.pop()
