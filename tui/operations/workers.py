"""What is done to workers: the marked ones, or the one that the cursor or the page is on.

Each begins with a key. The names are frozen there, before anything is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from ...model.confirm.targets import known_queues
from ...model.entities.worker import Worker
from ...model.operations import commands as commands
from ..dialogs.menu import Menu
from ..dialogs.worker_forms import autoscale_form, consumer_form, pools, resize_form
from .run import carry_out, filled

if TYPE_CHECKING:
    from ...model.operations.commands import WorkerOperation
    from ..dialogs.form import Filled
    from ..screens.base import MonitorScreen
    from .runner import ActingApp


def _app(screen: MonitorScreen) -> ActingApp:
    return cast("ActingApp", screen.app)


def _names(screen: MonitorScreen) -> tuple[str, ...]:
    """Return the names of the chosen workers; that there are none is told."""
    names = tuple(worker.name for worker in screen.chosen(Worker))
    if not names:
        _app(screen).say("No worker is chosen", "warning")
    return names


async def _do(screen: MonitorScreen, make: Callable[[tuple[str, ...]], WorkerOperation]) -> None:
    names = _names(screen)
    if names:
        await carry_out(_app(screen), make(names))


# Pools


async def grow(screen: MonitorScreen) -> None:
    """Add processes to pools."""
    await _resize(screen, grow=True)


async def shrink(screen: MonitorScreen) -> None:
    """Take processes from pools."""
    await _resize(screen, grow=False)


async def _resize(screen: MonitorScreen, *, grow: bool) -> None:
    names = _names(screen)
    if not names:
        return
    make = commands.PoolGrow if grow else commands.PoolShrink
    await filled(
        screen,
        lambda before: resize_form(names, screen.context.state, grow=grow).typed(before),
        lambda answer: make(workers=names, by=answer.values["by"]),
    )


async def autoscale(screen: MonitorScreen) -> None:
    """Set between which sizes pools scale."""
    names = _names(screen)
    if names:
        await filled(
            screen,
            lambda before: autoscale_form(names, screen.context.state).typed(before),
            lambda answer: commands.Autoscale(
                workers=names, most=answer.values["most"], least=answer.values["least"]
            ),
        )


async def restart(screen: MonitorScreen) -> None:
    """Restart pools."""
    await _do(screen, lambda names: commands.PoolRestart(workers=names))


# Queues


async def consumer(screen: MonitorScreen) -> None:
    """Have workers consume a queue, or one of those that they consume no more."""
    names = _names(screen)
    if not names:
        return
    app, state = _app(screen), screen.context.state
    consumed: dict[str, int] = {}
    for name in names:
        worker = state.workers.get(name)
        for queue in (worker.queues or ()) if worker is not None else ():
            consumed[queue.name] = consumed.get(queue.name, 0) + 1
    known = [queue for queue in known_queues(state) if consumed.get(queue, 0) < len(names)]
    choices = [("add", "Consume a queue ...", "")]
    choices += [
        (f"stop {queue}", f"Stop consuming {queue}", f"{number:,} of {len(names):,} do")
        for queue, number in sorted(consumed.items())
    ]
    title = f"What {pools(names, 'worker')} consume{'s' if len(names) == 1 else ''}"
    chosen: str | None = await app.push_screen_wait(Menu(title, choices))
    if chosen is None:
        return
    if chosen != "add":
        stopped = chosen.removeprefix("stop ")
        await carry_out(app, commands.CancelConsumer(workers=names, queue=stopped))
        return

    def make(answer: Filled) -> commands.Operation:
        values = answer.values
        plain = not values["exchange"] and values["type"] == "direct"
        return commands.AddConsumer(
            workers=names,
            queue=values["queue"],
            exchange=values["exchange"] or (None if plain else values["queue"]),
            exchange_type=None if plain else values["type"],
            routing_key=values["routing_key"] or None,
        )

    await filled(screen, lambda before: consumer_form(names, known).typed(before), make)


# Talking


async def ping(screen: MonitorScreen) -> None:
    """Ask workers whether they are there."""
    await _do(screen, lambda names: commands.Ping(workers=names))


async def heartbeat(screen: MonitorScreen) -> None:
    """Have workers send a heartbeat now."""
    await _do(screen, lambda names: commands.Heartbeat(workers=names))


async def events_on(screen: MonitorScreen) -> None:
    """Have workers send task events."""
    await _do(screen, lambda names: commands.EnableEvents(workers=names))


async def events_off(screen: MonitorScreen) -> None:
    """Have workers send no task events."""
    await _do(screen, lambda names: commands.DisableEvents(workers=names))


# Ending


async def shutdown(screen: MonitorScreen) -> None:
    """End workers warmly."""
    await _do(screen, lambda names: commands.Shutdown(workers=names))


async def drain(screen: MonitorScreen) -> None:
    """Let workers finish what they have, then end them; `d` and `u` take it back until then."""
    await _do(screen, lambda names: commands.Drain(workers=names))
