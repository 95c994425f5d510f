"""One act carried out by hand: without policy and audit, which are `Control`'s."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.events.roster import Roster
from celtop.cluster.inbox import Inbox
from celtop.cluster.operations.running import OperationContext
from celtop.model.operations.commands import Operation
from celtop.model.operations.outcome import Outcome
from celtop.settings import Settings


class Performance:
    """An act that is about to be done.

    Args:
        url: The broker's.
        command: What to do.
        roster: Who is there; that of a running session hears what workers say.
        settings: Further ones.
    """

    def __init__(
        self, url: str, command: Operation, roster: Roster | None = None, **settings: Any
    ) -> None:
        self.outcomes: list[Outcome] = []
        """All that was told, in order."""
        self.doing = OperationContext(
            Outcome(1, command, time.time()),
            BrokerConnection(Settings(broker_url=url, **settings)),
            Inbox(1000),
            roster or Roster(),
            time.time,
            self.outcomes.append,
        )

    def run(self, perform: Callable[[OperationContext], None]) -> Outcome:
        """Do it; return its last outcome."""
        perform(self.doing)
        return self.doing.outcome
