"""The cost of a stream: CPU to merge it with the screen open, memory for what it leaves."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..lines import Reading, attempt
from ..load import server, stream
from ..load.stream import Message
from ..subjects.programs import Name, Running, SubjectFailed, running

SUBJECTS: tuple[Name, ...] = ("celtop", "flower", "celery events")
SETTLE = 6.0
"""Seconds that Flower is given before the stream: its first round of inspection takes five."""
MIB = 1 << 20


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `merged`, `cpu` and `memory`."""
    first_tasks, all_tasks = (5_000, 10_000) if quick else (30_000, 100_000)
    readings: list[Reading] = []
    with server.running() as url:
        first = stream.encode(url, first_tasks)
        rest: list[Message] = []
        if "memory" in wanted:
            rest = stream.encode(url, all_tasks - first_tasks, seed="rest")
        for name in SUBJECTS:
            readings += attempt(("merged", "memory"), _subject, name, url, first, rest)
    spent = {
        r.subject: float(str(r.details["cpu_s"]))
        for r in readings
        if r.line == "merged" and r.value
    }
    flower = spent.get("flower")
    for name, seconds in spent.items():
        share = 100 * seconds / flower if flower else None
        note = f"{seconds:.2f} CPU-s" if flower else "flower was not measured"
        readings.append(Reading("cpu", name, share, note))
    return readings


def _subject(
    name: Name, url: str, first: Sequence[Message], rest: Sequence[Message]
) -> list[Reading]:
    counts_all = name == "celery events"
    expected = stream.events_in(first) if counts_all else stream.task_events_in(first)
    with running(name, url) as subject:
        server.await_listener(url)
        time.sleep(SETTLE if name == "flower" else 0)
        if name == "celtop":
            subject.press("2")
        subject.await_quiet(30)
        empty = subject.memory()
        cpu = merge(subject, url, first, expected)
        details: dict[str, object] = {"cpu_s": cpu, "events": expected}
        readings = [Reading("merged", name, expected / cpu, f"all {expected:,} counted", details)]
        if rest and name != "celery events":
            merge(subject, url, rest, expected + stream.task_events_in(rest))
            held = subject.memory()
            note = f"{(held - empty) / MIB:.0f} more than empty"
            readings.append(Reading("memory", name, held / MIB, note, {"empty_mib": empty / MIB}))
        elif rest:
            readings.append(Reading("memory", name, None, "holds 10,000 tasks at most"))
        return readings


def merge(subject: Running, url: str, messages: Sequence[Message], expected: int) -> float:
    """Publish, wait until all is counted; the CPU-seconds that it took.

    Raises:
        SubjectFailed: It no longer counts, and has not counted all.
    """
    before = subject.cpu()
    stream.publish(url, messages)
    counted = -1
    while True:
        subject.await_quiet(180)
        spent = subject.cpu() - before
        was, counted = counted, _counted(subject)
        if counted == expected:
            return spent
        # If it grows it was starved of the processor, not done.
        if counted == was:
            raise SubjectFailed(f"counted {counted:,} of {expected:,} events")


def _counted(subject: Running) -> int:
    if subject.name != "celtop":
        return subject.task_events_counted()
    subject.press("1")
    time.sleep(1)
    counted = subject.task_events_counted()
    subject.press("2")
    return counted
