"""The polling of one session: workers and queues, each over a connection or both over one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...model.entities.queue import Pause
from ..connection.broker import BrokerConnection
from ..events.open_tasks import OpenTasks
from ..events.receiver import Receiver
from ..events.roster import Roster
from ..inbox import Inbox
from .poller import Poller, PollThread, ScreenInterest
from .queues.queue_poller import QueuePoller
from .workers.inspector import Inspector

REFRESH_COMMANDS: Final = 20.0
"""Commands by which each further `refresh` extends the budget."""
REVOKED_COST: Final = 2.0
"""Commands that asking the workers for their revoked tasks takes."""


class Polling:
    """Polls the workers and queues of one cluster.

    Args:
        pauses: Returns the queues recorded as paused.
    """

    def __init__(
        self,
        broker: BrokerConnection,
        inbox: Inbox,
        roster: Roster,
        receiver: Receiver,
        interest: ScreenInterest,
        open_tasks: OpenTasks,
        pauses: Callable[[], dict[str, Pause]],
    ) -> None:
        shared = (broker, inbox, roster, receiver, interest)
        self.inspector = Inspector("inspector", *shared, open_tasks=open_tasks)
        self.queues = QueuePoller("queues", *shared)
        self.queues.pauses = pauses
        self.threads: tuple[PollThread, ...] = ()
        """The threads, once prepared; each has a connection of its own."""
        self._broker = broker
        self._receiver = receiver
        self._interest = interest
        self._inspects = False

    def prepare(self, *, inspect: bool) -> None:
        """Create the threads, which the caller starts.

        Args:
            inspect: Whether to inspect workers.
        """
        self._inspects = inspect
        pollers: list[Poller] = [self.queues]
        if inspect:
            # Their replies name queues, and show whose the unacknowledged messages are.
            pollers.insert(0, self.inspector)
        together = [pollers] if self._interest.one_shot else [[one] for one in pollers]
        self.threads = tuple(PollThread(self._broker, self._receiver, *them) for them in together)
        self._receiver.call_on_change = self._wake

    def _wake(self) -> None:
        for thread in self.threads:
            thread.wake()

    def refresh(self, *, workers: bool = True) -> None:
        """Measure queues and, if `workers`, inspect workers now."""
        if any(thread.is_alive() for thread in self.threads):
            self._broker.meter.allow(REFRESH_COMMANDS)
        if workers and self._inspects:
            self.inspector.wake(refresh=True)
        self.queues.wake(refresh=True)

    @property
    def refreshed(self) -> bool:
        """Whether every `refresh` is complete, or was given up."""
        return self.inspector.refreshed and self.queues.refreshed

    def inspect_revoked(self) -> bool:
        """Ask the workers for their revoked tasks; return False if the budget forbids it."""
        asked = self._inspects and self._broker.meter.spare >= REVOKED_COST
        if asked:
            self.inspector.inspect_revoked()
        return asked

    def watch(self, topics: frozenset[str]) -> bool:
        """Set the topics to poll more often; return whether they are others than before."""
        if topics == self._interest.topics:
            return False
        self._interest.topics = topics
        self.inspector.wake()
        self.queues.wake()
        return True
