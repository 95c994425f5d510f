"""Operations run directly: without the policy and the audit of `Control`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.events.roster import Roster
from celtop.cluster.inbox import Inbox
from celtop.cluster.operations.running import OperationContext
from celtop.cluster.results.open import open_results
from celtop.model.operations.commands import Operation
from celtop.model.operations.outcome import KnownTargets, Outcome
from celtop.settings import Settings


class OperationRun:
    """One operation that is about to run.

    Args:
        url: The broker's URL.
        operation: The operation.
        roster: The known workers; that of a running session follows their events.
        known_targets: What is known about its tasks.
        settings: Settings besides the broker's URL.
    """

    def __init__(
        self,
        url: str,
        operation: Operation,
        roster: Roster | None = None,
        known_targets: KnownTargets | None = None,
        **settings: Any,
    ) -> None:
        self.outcomes: list[Outcome] = []
        """Every reported outcome, in order."""
        given = Settings(broker_url=url, **settings)
        self.context = OperationContext(
            Outcome(1, operation, time.time()),
            BrokerConnection(given),
            Inbox(1000),
            roster or Roster(),
            self.outcomes.append,
            known_targets or KnownTargets(),
            lambda: open_results(given),
        )

    def ended(self) -> Outcome:
        """Return the last outcome as `Control` would complete it."""
        return msgspec.structs.replace(self.context.outcome, ended_at=time.time())

    def run(self, perform: Callable[[Any, OperationContext], None]) -> Outcome:
        """Run the operation; return its last outcome."""
        perform(self.context.outcome.operation, self.context)
        return self.context.outcome


def run_operation(
    perform: Callable[[Any, OperationContext], None],
    url: str,
    operation: Operation,
    **settings: Any,
) -> Outcome:
    """Run an operation to its end; return its last outcome."""
    return OperationRun(url, operation, **settings).run(perform)
