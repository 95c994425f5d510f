"""A process that writes a flood of tasks into a history: `python -m ... LOCATION TASKS`.

Each tick of the clock has the same tasks in every such process, as if all saw the same cluster.
"""

from __future__ import annotations

import sys
import time
from typing import Final

import msgspec
from celtop.history.rows import Batch, Run
from celtop.history.writing.writer import HistoryWriter, Retention
from celtop.tests.history.rows import CLUSTER, row

TICK: Final = 0.2
"""Seconds from one batch to the next."""


def tick_of(at: float) -> int:
    """Return the number of a time's tick."""
    return int(at / TICK)


def ids_of(tick: int, count: int) -> set[str]:
    """Return the ids of the tasks of a tick."""
    return {f"{tick}-{number}" for number in range(count)}


def main(location: str, count: int) -> None:
    """Write until killed; each line is whether this process leads."""
    writer = HistoryWriter(
        location, Retention(), lambda level, text, problem: print(text, flush=True)
    )
    writer.start()
    began_at = time.time()
    tick = tick_of(began_at)
    template = row("", queue="celery")
    while True:
        time.sleep(max(0.0, (tick + 1) * TICK - time.time()))
        now = (tick + 1) * TICK
        tasks = tuple(
            msgspec.structs.replace(template, id=id_, at=now) for id_ in ids_of(tick, count)
        )
        writer.put(Batch(tasks=tasks, runs=(Run(CLUSTER, f"flood:{began_at}", began_at, now),)))
        tick += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
