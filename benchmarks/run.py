"""Measure every budget of celtop beside other monitors: `python -m benchmarks.run`.

Nothing is asserted: the table shows which budgets are kept, and what could not be measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from . import report
from .commands import operations, snapshot
from .history import collector, old_results, stored, stored_pages
from .lines import LINES, Reading
from .screen import fleet, flood, frame_cost, idle, kept, opening, pace, progress, startup

Measure = Callable[[frozenset[str], bool], list[Reading]]
PARTS: tuple[tuple[frozenset[str], Measure], ...] = (
    (frozenset({"merged", "cpu", "memory"}), flood.measure),
    (frozenset({"kept"}), kept.measure),
    (frozenset({"fleet-cpu", "fleet-memory"}), fleet.measure),
    (frozenset({"frame"}), frame_cost.measure),
    (frozenset({"opening", "opening-again"}), opening.measure),
    (frozenset({"key", "bytes"}), pace.measure),
    (frozenset({"first-frame", "first-data"}), startup.measure),
    (frozenset({"snapshot"}), snapshot.measure),
    (
        frozenset({"commands", "commands-overview", "commands-frugal", "idle-cpu"}),
        idle.measure,
    ),
    (
        frozenset({"progress", "progress-report", "progress-stranger", "progress-late"}),
        progress.measure,
    ),
    (
        frozenset({"history-frame", "history-data", "history-listed", "history-command"}),
        old_results.measure,
    ),
    (frozenset(collector.LINES), collector.measure),
    (frozenset({"stored-cpu", "stored-memory"}), stored.measure),
    (frozenset({"stored-page"}), stored_pages.measure),
    (frozenset({"revoke", "revoke-key", "revoke-line", "retry-line"}), operations.measure),
)


def main() -> None:
    """Run the wanted lines, print the table, store the record."""
    known = [line.id for line in LINES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=known,
        metavar="LINE",
        help=f"measure this line only; may be repeated: {', '.join(known)}",
    )
    parser.add_argument("--quick", action="store_true", help="short and rough: is all in order?")
    options = parser.parse_args()
    wanted = frozenset(options.only or known)
    begun = time.time()
    readings: list[Reading] = []
    for lines, measure in PARTS:
        if lines & wanted:
            names = ", ".join(sorted(lines & wanted))
            print(f"{time.time() - begun:4.0f} s  measuring {names} ...", file=sys.stderr)
            readings += measure(lines & wanted, options.quick)
    readings = [reading for reading in readings if reading.line in wanted]
    print(report.table(readings))
    path = report.store(readings, begun, options.quick)
    print(f"\n{time.time() - begun:.0f} s, stored in {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
