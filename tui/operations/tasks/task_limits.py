"""Rate and time limits of a task type, in all workers that have it registered.

A worker keeps them until it restarts. The limits that were first seen can be restored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ....lists.limits import VARIES, limits_text
from ....model.entities.task_type import TaskType
from ....model.entities.worker import UNLIMITED, Limits, Worker
from ....model.operations.commands import Operation, RateLimit, TimeLimit
from ...dialogs.forms.workers import rate_form, time_form
from ...dialogs.menu import Menu
from ...host import Host
from ..run import run, run_form

if TYPE_CHECKING:
    from ....model.state import ClusterState


def workers_with(state: ClusterState, task: str, names: Iterable[str]) -> list[Worker]:
    """Return the named workers that have a type registered, or may have."""
    workers = [state.workers[name] for name in names if name in state.workers]
    return [one for one in workers if one.registered is None or task in one.registered]


async def change_limits(host: Host, task: str | None = None) -> None:
    """Set or restore the limits of a type: the named one, or the selected one."""
    if task is None:
        types = host.selection(TaskType)
        if len(types) != 1:
            host.say("Select one task type", "warning")
            return
        task = types[0].name
    state = host.context.live
    workers = workers_with(state, task, state.present_workers(host.context.clock()))
    names = tuple(worker.name for worker in workers)
    if not names:
        host.say(f"No known worker has {task} registered", "warning")
        return
    # The limits of a worker that was not inspected yet are unknown.
    current: dict[str, Limits | None] = dict.fromkeys(names)
    initial: dict[str, Limits | None] = dict.fromkeys(names)
    for worker in workers:
        if worker.initial_limits is not None:
            current[worker.name] = worker.limits.get(task, UNLIMITED)
            initial[worker.name] = worker.initial_limits.get(task, UNLIMITED)
    chosen = await host.ask(_menu(task, current, initial))
    if chosen == "rate":
        await run_form(
            host,
            lambda before: rate_form(task, current).typed(before),
            lambda answer: RateLimit(workers=names, task=task, rate=answer.values["rate"]),
        )
    elif chosen == "time":
        await run_form(
            host,
            lambda before: time_form(task, current).typed(before),
            lambda answer: TimeLimit(
                workers=names, task=task, soft=answer.values["soft"], hard=answer.values["hard"]
            ),
        )
    elif chosen == "restore":
        for operation in restoring(task, current, initial):
            if not await run(host, operation):
                return


def restoring(
    task: str, current: Mapping[str, Limits | None], initial: Mapping[str, Limits | None]
) -> list[Operation]:
    """Return the operations that restore the initial limits: one for each value."""
    rates: dict[str, list[str]] = {}
    times: dict[tuple[float | None, float | None], list[str]] = {}
    for name, before in initial.items():
        after = current[name]
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


def _menu(
    task: str, current: Mapping[str, Limits | None], initial: Mapping[str, Limits | None]
) -> Menu:
    changed = bool(restoring(task, current, initial))
    rates = _summary(current, lambda each: Limits(rate=each.rate))
    times = _summary(current, lambda each: Limits(soft=each.soft, hard=each.hard))
    return Menu(
        f"Limits of {task} on {len(current):,} worker{'s' * (len(current) != 1)}",
        [
            ("rate", "Rate limit ...", rates),
            ("time", "Soft and hard time limit ...", times),
            (
                "restore",
                "Restore the original limits",
                _summary(initial) if changed else "not changed since celtop started",
            ),
        ],
        disabled=() if changed else ("restore",),
    )


def _summary(
    limits: Mapping[str, Limits | None], part: Callable[[Limits], Limits] = lambda each: each
) -> str:
    texts = {limits_text(None if each is None else part(each)) for each in limits.values()}
    return texts.pop() if len(texts) == 1 else VARIES
