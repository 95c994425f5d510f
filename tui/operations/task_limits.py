"""Limits of a task type: how often it starts, and how long it may run, in all workers that have it.

A worker keeps them until it restarts. What it first told is remembered, and can be put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, cast

from ...model.entities.task_type import TaskType
from ...model.entities.worker import UNLIMITED, Limits, Worker
from ...model.operations.commands import Operation, RateLimit, TimeLimit
from ..dialogs.menu import Menu
from ..dialogs.worker_forms import rate_form, time_form
from ..text.limits import DIFFER, limits_text
from .run import carry_out, filled

if TYPE_CHECKING:
    from ...model.state import ClusterState
    from ..screens.base import MonitorScreen
    from .runner import ActingApp


def limits_now(worker: Worker, task: str) -> Limits | None:
    """Return what a worker limits a type to; None if it has not told."""
    return None if worker.initial_limits is None else worker.limits.get(task, UNLIMITED)


def limits_first(worker: Worker, task: str) -> Limits | None:
    """Return what a worker limited a type to when it was first asked."""
    return None if worker.initial_limits is None else worker.initial_limits.get(task, UNLIMITED)


def having(state: ClusterState, task: str, names: Iterable[str]) -> list[Worker]:
    """Return the workers of some names that have a type registered, as far as they told."""
    workers = [state.workers[name] for name in names if name in state.workers]
    return [one for one in workers if one.registered is None or task in one.registered]


async def limits(screen: MonitorScreen, task: str | None = None) -> None:
    """Set, or put back, the limits of a type; of the chosen one, if none is named."""
    app = cast("ActingApp", screen.app)
    if task is None:
        types = screen.chosen(TaskType)
        if len(types) != 1:
            app.say("One task type at a time", "warning")
            return
        task = types[0].name
    state = screen.context.state
    workers = having(state, task, state.present_workers(screen.context.now()))
    names = tuple(worker.name for worker in workers)
    if not names:
        app.say("No worker is known that has it", "warning")
        return
    now = {worker.name: limits_now(worker, task) for worker in workers}
    first = {worker.name: limits_first(worker, task) for worker in workers}
    chosen = await app.push_screen_wait(_menu(task, now, first))
    if chosen == "rate":
        await filled(
            screen,
            lambda before: rate_form(task, now).typed(before),
            lambda answer: RateLimit(workers=names, task=task, rate=answer.values["rate"]),
        )
    elif chosen == "time":
        await filled(
            screen,
            lambda before: time_form(task, now).typed(before),
            lambda answer: TimeLimit(
                workers=names, task=task, soft=answer.values["soft"], hard=answer.values["hard"]
            ),
        )
    elif chosen == "back":
        for command in putting_back(task, now, first):
            if await carry_out(app, command) is None:
                return


def putting_back(
    task: str, now: Mapping[str, Limits | None], first: Mapping[str, Limits | None]
) -> list[Operation]:
    """Return the commands that bring workers back to their first limits: one for each value."""
    rates: dict[str, list[str]] = {}
    times: dict[tuple[float | None, float | None], list[str]] = {}
    for name, before in first.items():
        after = now[name]
        if before is None or after is None:
            continue
        if after.rate != before.rate:
            rates.setdefault(before.rate or "0", []).append(name)
        if (after.soft, after.hard) != (before.soft, before.hard):
            times.setdefault((before.soft, before.hard), []).append(name)
    found: list[Operation] = [
        RateLimit(workers=tuple(names), task=task, rate=rate) for rate, names in rates.items()
    ]
    found += [
        TimeLimit(workers=tuple(names), task=task, soft=soft, hard=hard)
        for (soft, hard), names in times.items()
    ]
    return found


def _menu(task: str, now: Mapping[str, Limits | None], first: Mapping[str, Limits | None]) -> Menu:
    back = putting_back(task, now, first)
    return Menu(
        f"Limits of {task} in {len(now):,} worker{'s' * (len(now) != 1)}",
        [
            ("rate", "Rate limit ...", _now(now, lambda each: Limits(rate=each.rate))),
            (
                "time",
                "Soft and hard time limit ...",
                _now(now, lambda each: Limits(soft=each.soft, hard=each.hard)),
            ),
            (
                "back",
                "Put back what was first seen",
                _now(first) if back else "they are what was first seen",
            ),
        ],
        off=() if back else ("back",),
    )


def _now(
    limits: Mapping[str, Limits | None], part: Callable[[Limits], Limits] = lambda each: each
) -> str:
    texts = {limits_text(None if each is None else part(each)) for each in limits.values()}
    return texts.pop() if len(texts) == 1 else DIFFER
