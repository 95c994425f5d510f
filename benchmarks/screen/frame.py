"""What one frame of a live table costs in CPU, however many rows there are.

    python -m benchmarks.screen.frame [ROWS] [CHANGED]

Each frame changes some of the visible rows, paints, and lets Textual repaint the screen; the CPU
time of the same wait without any change is taken off.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from celtop.model.entities.styles import state_style
from celtop.model.entities.task import Task
from celtop.widgets.table.cells import Cell
from celtop.widgets.table.column import Column, Frame
from celtop.widgets.table.live_table import LiveTable
from textual.app import App, ComposeResult

WIDTH, HEIGHT = 200, 50
FRAMES = 40
WAIT = 0.06
STATES = ("RECEIVED", "STARTED", "SUCCESS", "FAILURE", "RETRY")


class Tasks:
    """Tasks by arrival, the newest last."""

    def __init__(self, count: int) -> None:
        self.tasks = [self.make(number) for number in range(count)]
        self.places = {task.id: number for number, task in enumerate(self.tasks)}

    @staticmethod
    def make(number: int) -> Task:
        """Return a task."""
        return Task(
            id=f"{number:08x}-9a1c-4f5e-8d2b-5f3c9e7a1b2d",
            arrival=number,
            name=f"images.download_{number % 20}",
            state="RECEIVED",
            worker=f"celery@web-{number % 6}",
            args=f"('https://example.org/{number}.png', {number})",
            received_at=float(number),
        )

    def __len__(self) -> int:
        return len(self.tasks)

    def __getitem__(self, index: int) -> Task:
        return self.tasks[index]

    def index(self, row_id: str) -> int | None:
        """Return where a task is."""
        return self.places.get(row_id)

    def set_order(self, key: str, descending: bool) -> None:
        """Refuse: the order is that of arrival."""
        raise NotImplementedError(key)

    def append(self, count: int) -> None:
        """Let tasks arrive."""
        for number in range(len(self.tasks), len(self.tasks) + count):
            self.tasks.append(self.make(number))
            self.places[self.tasks[-1].id] = number


def columns() -> list[Column[Task]]:
    """Eight columns, as a task list has."""

    def state(task: Task, frame: Frame) -> Sequence[Cell]:
        style = state_style(task.state)
        return ((frame.glyphs.state(task.state), style), (" " + task.state, style))

    return [
        Column("id", "Id", 36, lambda task, _: (task.id, "muted")),
        Column("name", "Name", 24, lambda task, _: (task.name or "", "text"), grow=2),
        Column("state", "State", 11, state),
        Column("worker", "Worker", 16, lambda task, _: (task.worker or "", "text")),
        Column("args", "Args", 24, lambda task, _: (task.args or "", "text"), grow=3),
        Column("retries", "Retries", 7, lambda task, _: (str(task.retries), "muted")),
        Column(
            "elapsed",
            "Elapsed",
            9,
            lambda task, frame: (f"{task.elapsed(frame.now) or 0.0:.1f} s", "text"),
            justify="right",
            ticks=lambda task: task.running,
        ),
        Column(
            "version",
            "Version",
            7,
            lambda task, _: (str(task.version), "muted"),
            sort_key="arrival",
        ),
    ]


class Screen(App[None]):
    """A screen filled by one table."""

    def __init__(self, table: LiveTable[Task]) -> None:
        super().__init__()
        self.table = table

    def compose(self) -> ComposeResult:
        """Yield the table."""
        yield self.table


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of a frame."""

    paint: float
    whole: float
    lines: int


async def measure(tasks: Tasks, changed: int = 0, appended: int = 0) -> Cost:
    """Measure frames in which visible rows change, or new ones arrive and are followed."""
    table: LiveTable[Task] = LiveTable(
        columns(),
        tasks,
        row_id=lambda task: task.id,
        row_version=lambda task: task.version,
        sort=("version", False),
        follow=bool(appended),
    )
    app = Screen(table)
    async with app.run_test(size=(WIDTH, HEIGHT)):
        table.paint(Frame(0.0))
        table.action_move("bottom")
        await asyncio.sleep(0.3)
        idle = [await cpu(table, None) for _ in range(FRAMES // 2)]
        base = median(whole for _, whole, _ in idle)
        found = []
        for number in range(FRAMES):
            visible = tasks.tasks[-changed:] if changed else []
            for task in visible:
                task.version += 1
                task.state = STATES[(number + task.arrival) % len(STATES)]
            tasks.append(appended)
            found.append(await cpu(table, Frame(float(number))))
    return Cost(
        median(paint for paint, _, _ in found),
        median(whole for _, whole, _ in found) - base,
        round(median(lines for _, _, lines in found)),
    )


async def cpu(table: LiveTable[Task], frame: Frame | None) -> tuple[float, float, int]:
    """Return the CPU milliseconds of painting, those until all is repainted, and the lines."""
    start = time.process_time()
    lines = table.paint(frame) if frame is not None else 0
    painted = time.process_time()
    await asyncio.sleep(WAIT)
    return (painted - start) * 1000, (time.process_time() - start) * 1000, lines


def main() -> None:
    """Print a line for each kind of frame."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    changed = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    tasks = Tasks(rows)
    print(f"{rows:,} rows, {WIDTH}x{HEIGHT}: CPU ms a frame (median of {FRAMES})")
    print(f"{'':24}{'paint':>8}{'whole':>8}{'lines':>8}")
    for title, kind in (
        ("nothing changed", {}),
        ("5 rows changed", {"changed": 5}),
        (f"{changed} rows changed", {"changed": changed}),
        ("50 appended, followed", {"appended": 50}),
    ):
        cost = asyncio.run(measure(tasks, **kind))
        print(f"{title:24}{cost.paint:8.2f}{cost.whole:8.2f}{cost.lines:8}")


if __name__ == "__main__":
    main()
