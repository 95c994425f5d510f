"""The calls that workers received, as the tasks of `tests/apps/exact.py` record them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from celtop.tests.servers import until


class ReceivedCalls:
    """The calls recorded by workers that run with `env`."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "received.jsonl"
        self.env = {"TEST_RECEIVED": str(self.path)}

    def lines(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def by(self, id_: str, timeout: float = 20.0) -> dict[str, Any]:
        """Wait until a task has run; return the call that it received."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.lines() if line["id"] == id_), None)

        return until(found, timeout, f"{id_} has run") or {}
