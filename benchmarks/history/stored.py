"""The cost of writing the history: the same stream with and without it, on the same screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..lines import Reading, attempt
from ..load import server, stream
from ..load.stream import Message
from ..screen.flood import MIB, merge
from ..subjects import core_speed
from ..subjects.programs import Name, running

ROUNDS = 3
"""How often each is measured, in turns; the cheapest counts."""


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `stored-cpu` and `stored-memory`."""
    with server.running() as url:
        messages = stream.encode(url, 10_000 if quick else 30_000)
        rounds = 1 if quick else ROUNDS
        return attempt(("stored-cpu", "stored-memory"), _compare, "celtop", url, messages, rounds)


def _compare(name: Name, url: str, messages: Sequence[Message], rounds: int) -> list[Reading]:
    without: list[_Cost] = []
    with_it: list[_Cost] = []
    for _ in range(rounds):
        without.append(_cost(name, url, messages, "--no-history"))
        with_it.append(_cost(name, url, messages))
    cpu, cpu_with = (min(cost.cpu for cost in one) for one in (without, with_it))
    even, even_with = (min(cost.at_reference for cost in one) for one in (without, with_it))
    memory, memory_with = (min(cost.memory for cost in one) for one in (without, with_it))
    note = f"{cpu_with:.2f} s against {cpu:.2f} s"
    note += f"; {even_with:.2f} s against {even:.2f} s at the reference speed"
    return [
        Reading("stored-cpu", name, cpu_with / cpu, note, {"at_reference": even_with / even}),
        Reading(
            "stored-memory",
            name,
            (memory_with - memory) / MIB,
            f"{memory_with / MIB:.0f} MiB against {memory / MIB:.0f} MiB",
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Cost:
    cpu: float
    """CPU-seconds."""
    at_reference: float
    """CPU-seconds on the reference core."""
    memory: int


def _cost(name: Name, url: str, messages: Sequence[Message], *arguments: str) -> _Cost:
    """Return the CPU time that the stream takes, and the memory after it."""
    with running(name, url, arguments=arguments) as subject:
        server.await_listener(url)
        subject.press("2")
        subject.await_quiet(30)
        with core_speed.sampled() as core:
            cpu = merge(subject, url, messages, stream.task_events_in(messages))
        return _Cost(cpu, core.at_reference(cpu), subject.memory())
