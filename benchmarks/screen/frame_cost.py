"""The cost of one frame at 100,000 rows: celtop's table beside Textual's own `DataTable`."""

from __future__ import annotations

import asyncio
import time
from statistics import median

from celtop.widgets.table.column import Frame
from textual.app import App, ComposeResult
from textual.widgets import DataTable

from ..lines import Reading, attempt
from ..subjects.programs import Name
from . import frame

ROWS, CHANGED = 100_000, 50
ROUNDS = 3


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Line `frame`."""
    del wanted
    rows = ROWS // 10 if quick else ROWS
    return [
        *attempt(("frame",), _celtop, "celtop", rows),
        *attempt(("frame",), _data_table, "DataTable", rows),
    ]


def _celtop(name: Name, rows: int) -> list[Reading]:
    cost = asyncio.run(frame.measure(frame.Tasks(rows), changed=CHANGED))
    note = f"{cost.paint:.1f} ms of it in the table; {cost.lines} lines repainted"
    details: dict[str, object] = {"rows": rows, "paint_ms": cost.paint, "lines": cost.lines}
    return [Reading("frame", name, cost.whole, note, details)]


def _data_table(name: Name, rows: int) -> list[Reading]:
    spent = median(asyncio.run(_frames_of_data_table(rows)))
    return [Reading("frame", name, spent, "one cell changed in each row", {"rows": rows})]


class _Screen(App[None]):
    """A screen filled by Textual's table."""

    def compose(self) -> ComposeResult:
        """Yield the table."""
        yield DataTable()


async def _frames_of_data_table(rows: int) -> list[float]:
    """CPU milliseconds of each frame in which visible rows change."""
    tasks = frame.Tasks(rows)
    spent = []
    async with _Screen().run_test(size=(frame.WIDTH, frame.HEIGHT)) as pilot:
        table: DataTable[str] = pilot.app.query_one(DataTable)
        titles = [column.title for column in frame.columns()]
        table.add_columns(*((title, title) for title in titles))
        now = Frame(0.0)
        for task in tasks.tasks:
            texts = (column.cell(task, now) for column in frame.columns())
            table.add_row(*(_text(cell) for cell in texts), key=task.id)
        await pilot.pause()
        for number in range(ROUNDS):
            begun = time.process_time()
            for task in tasks.tasks[:CHANGED]:
                table.update_cell(task.id, "State", frame.STATES[number])
            await pilot.pause()
            await asyncio.sleep(frame.WAIT)
            spent.append((time.process_time() - begun) * 1_000)
    return spent


def _text(cell: object) -> str:
    first = cell[0] if isinstance(cell, tuple) else ""
    return first if isinstance(first, str) else "".join(part[0] for part in cell)  # type: ignore[attr-defined]
