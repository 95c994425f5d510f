"""Operations on workers: the marked ones, or the one at the cursor or on the page.

The workers are those that were selected when the key was pressed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...model.confirm.targets import known_queues
from ...model.entities.worker import Worker
from ...model.operations import commands as commands
from ..dialogs.forms.workers import autoscale_form, consumer_form, pools, resize_form
from ..dialogs.menu import Menu
from ..host import Host
from .run import run, run_form

if TYPE_CHECKING:
    from ...model.operations.commands import WorkerOperation
    from ..dialogs.forms.base import Filled


def selected_workers(host: Host) -> tuple[str, ...]:
    """Return the names of the selected workers; show a message if there are none."""
    names = tuple(worker.name for worker in host.selection(Worker))
    if not names:
        host.say("No worker selected", "warning")
    return names


async def run_on_workers(host: Host, operation: Callable[..., WorkerOperation]) -> None:
    """Run an operation that needs nothing but its workers."""
    names = selected_workers(host)
    if names:
        await run(host, operation(workers=names))


async def grow(host: Host) -> None:
    """Add processes to pools."""
    await _resize(host, grow=True)


async def shrink(host: Host) -> None:
    """Remove processes from pools."""
    await _resize(host, grow=False)


async def _resize(host: Host, *, grow: bool) -> None:
    names = selected_workers(host)
    if not names:
        return
    operation = commands.PoolGrow if grow else commands.PoolShrink
    await run_form(
        host,
        lambda before: resize_form(names, host.context.live, grow=grow).typed(before),
        lambda answer: operation(workers=names, by=answer.values["by"]),
    )


async def autoscale(host: Host) -> None:
    """Set the limits of pools that scale by load."""
    names = selected_workers(host)
    if names:
        await run_form(
            host,
            lambda before: autoscale_form(names, host.context.live).typed(before),
            lambda answer: commands.Autoscale(
                workers=names, most=answer.values["most"], least=answer.values["least"]
            ),
        )


async def change_consumers(host: Host) -> None:
    """Add or cancel a consumer: start or stop consuming a queue."""
    names = selected_workers(host)
    if not names:
        return
    state = host.context.live
    consumed: dict[str, int] = {}
    for name in names:
        worker = state.workers.get(name)
        for queue in (worker.queues or ()) if worker is not None else ():
            consumed[queue.name] = consumed.get(queue.name, 0) + 1
    known = [queue for queue in known_queues(state) if consumed.get(queue, 0) < len(names)]
    choices = [("add", "Consume a queue ...", "")]
    choices += [
        (f"cancel {queue}", f"Stop consuming {queue}", f"{number:,} of {len(names):,} consume it")
        for queue, number in sorted(consumed.items())
    ]
    chosen = await host.ask(Menu(f"Queues of {pools(names, 'worker')}", choices))
    if chosen is None:
        return
    if chosen != "add":
        queue_name = chosen.removeprefix("cancel ")
        await run(host, commands.CancelConsumer(workers=names, queue=queue_name))
        return

    def add_consumer(answer: Filled) -> commands.Operation:
        values = answer.values
        plain = not values["exchange"] and values["type"] == "direct"
        return commands.AddConsumer(
            workers=names,
            queue=values["queue"],
            exchange=values["exchange"] or (None if plain else values["queue"]),
            exchange_type=None if plain else values["type"],
            routing_key=values["routing_key"] or None,
        )

    await run_form(host, lambda before: consumer_form(names, known).typed(before), add_consumer)
