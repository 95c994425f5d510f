"""The readings as a table, and as JSON with the machine and the versions."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psutil
from celtop.demo.server import find_server

from .lines import LINES, Line, Reading
from .subjects.programs import Name

RESULTS = Path(__file__).resolve().parent / "results"
OTHERS: tuple[Name, ...] = ("hello", "DataTable")
PEERS: tuple[Name, ...] = ("flower", "celery events", *OTHERS)
PACKAGES = (*("celtop", "celery", "kombu", "redis", "flower", "textual", "rich", "msgspec"),)
HEADINGS = (
    "what",
    "budget",
    "celtop",
    "flower",
    "celery events",
    "other",
    "against the best",
    "met",
)


def table(readings: Sequence[Reading]) -> str:
    """Return one row for each line that was measured, then every note."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    notes: list[str] = []
    for line in LINES:
        own = {reading.subject: reading for reading in readings if reading.line == line.id}
        if not own:
            continue
        rows.append(
            (
                line.what,
                f"{'<=' if line.better == 'less' else '>='} {_number(line.budget)} {line.unit}",
                *(_cell(own.get(name)) for name in ("celtop", "flower", "celery events")),
                next((f"{name} {_cell(own[name])}" for name in OTHERS if name in own), "-"),
                _ratio(line, own),
                _verdict(line, own.get("celtop")),
            )
        )
        notes += [
            f"  {line.id}, {reading.subject}: {reading.note}"
            for reading in own.values()
            if reading.note
        ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([*lines, "", *notes])


def store(readings: Sequence[Reading], begun: float, quick: bool) -> Path:
    """Write everything to `results/<UTC time>.json`; return the file's path."""
    RESULTS.mkdir(exist_ok=True)
    at = datetime.fromtimestamp(begun, UTC)
    path = RESULTS / f"{at:%Y-%m-%dT%H%M%SZ}.json"
    record = {
        "schema": "celtop.benchmark/1",
        "taken_at": at.isoformat().replace("+00:00", "Z"),
        "took_s": round(time.time() - begun, 1),
        "quick": quick,
        "machine": machine(),
        "versions": versions(),
        "lines": [
            asdict(line)
            | {
                "met": _verdict(line, _find(readings, line, "celtop")),
                "readings": [asdict(reading) for reading in readings if reading.line == line.id],
            }
            for line in LINES
            if any(reading.line == line.id for reading in readings)
        ],
    }
    path.write_text(json.dumps(record, indent=1) + "\n")
    return path


def machine() -> dict[str, object]:
    """Return the machine, and how busy it was with other work."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_mib": psutil.virtual_memory().total >> 20,
        "load_1_5_15": [round(load, 2) for load in os.getloadavg()],
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, the server and the packages."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    answer = subprocess.run([find_server(os.environ), "--version"], capture_output=True, text=True)
    found["server"] = " ".join(answer.stdout.split()[:3])
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    names = [row.split(":", 1)[1].strip() for row in text.splitlines() if "model name" in row]
    return names[0] if names else platform.processor()


def _find(readings: Sequence[Reading], line: Line, subject: str) -> Reading | None:
    for reading in readings:
        if reading.line == line.id and reading.subject == subject:
            return reading
    return None


def _cell(reading: Reading | None) -> str:
    if reading is None:
        return "-"
    if reading.value is None:
        return "failed" if reading.note.startswith("failed") else "none"
    return _number(reading.value)


def _ratio(line: Line, own: Mapping[Name, Reading]) -> str:
    """Return how many times celtop is better than the best peer; below one it is worse."""
    celtop = own.get("celtop")
    peers = [own[name].value for name in PEERS if name in own and own[name].value is not None]
    values = [value for value in peers if value is not None]
    if celtop is None or not celtop.value or not values:
        return "-"
    if line.better == "less":
        return f"{min(values) / celtop.value:.2f} x"
    return f"{celtop.value / max(values):.2f} x"


def _verdict(line: Line, reading: Reading | None) -> str:
    if reading is None or reading.value is None:
        return "?"
    return "yes" if line.met(reading.value) else "NO"


def _number(value: float) -> str:
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
