"""What tests of acts have in common: an act of its own, and what workers received."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.events.roster import Roster
from celtop.cluster.inbox import Inbox
from celtop.cluster.operations.running import OperationContext
from celtop.model.operations.commands import Operation
from celtop.model.operations.outcome import Outcome
from celtop.settings import Settings
from celtop.tests.servers import until


def doing(broker_url: str, command: Operation, **settings: Any) -> OperationContext:
    """Return an act that is about to begin."""
    broker = BrokerConnection(Settings(broker_url=broker_url, **settings))
    outcome = Outcome(1, command, time.time())
    return OperationContext(outcome, broker, Inbox(1000), Roster(), time.time, lambda outcome: None)


def carry_out(
    perform: Callable[[OperationContext], None],
    broker_url: str,
    command: Operation,
    **settings: Any,
) -> Outcome:
    """Carry out an act here and now; return what came of it."""
    act = doing(broker_url, command, **settings)
    perform(act)
    return act.outcome


class Received:
    """What the tasks of `tests/apps/exact.py` wrote down."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "received.jsonl"
        self.env = {"TEST_RECEIVED": str(self.path)}

    def lines(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def by(self, id_: str, timeout: float = 20.0) -> dict[str, Any]:
        """Wait until a task has run; return what it wrote."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.lines() if line["id"] == id_), None)

        return until(found, timeout, f"{id_} has run") or {}
