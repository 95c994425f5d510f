"""Time limits as the command line gives them: one of two may be left as it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import click

from .exit_codes import Failure, Misuse

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.entities.worker import Limits
    from ..model.operations.commands import TimeLimit

UNCHANGED: Final = "unchanged"


def read_seconds(ctx: click.Context, option: click.Parameter, value: str) -> float | str | None:
    """Return a number of seconds above 0, None for no limit, or UNCHANGED.

    Raises:
        BadParameter: It is none of these.
    """
    text = value.lower()
    if text == UNCHANGED:
        return UNCHANGED
    if text == "none":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise click.BadParameter(
            f"{value!r} is no number of seconds above 0, nor none", ctx, option
        )
    return seconds


def time_limits(
    session: Session,
    task: str,
    workers: tuple[str, ...],
    soft: float | str | None,
    hard: float | str | None,
) -> TimeLimit:
    """Return the command: a worker takes a limit that is not sent along for "none".

    Raises:
        Failure: The present limits are not known.
        Misuse: They are not the same at all of these workers.
    """
    from ..model.operations.commands import TimeLimit

    if UNCHANGED in (soft, hard):
        present = _present(session, task, workers)
        soft = present.soft if soft == UNCHANGED else soft
        hard = present.hard if hard == UNCHANGED else hard
    assert not isinstance(soft, str)
    assert not isinstance(hard, str)
    return TimeLimit(workers=workers, task=task, soft=soft, hard=hard)


def _present(session: Session, task: str, workers: tuple[str, ...]) -> Limits:
    from ..model.entities.worker import UNLIMITED

    known = [session.state.workers.get(name) for name in workers]
    found = {
        worker.limits.get(task, UNLIMITED)
        for worker in known
        if worker is not None and worker.initial_limits is not None
    }
    if not found or any(worker is None or worker.initial_limits is None for worker in known):
        raise Failure("the present limits are not known: give both --soft and --hard")
    times = {(limits.soft, limits.hard) for limits in found}
    if len(times) > 1:
        raise Misuse("the workers have different limits: give both --soft and --hard, or --worker")
    return found.pop()
