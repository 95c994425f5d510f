"""One thread that polls several things."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.events.roster import Roster
from celtop.cluster.inbox import Inbox
from celtop.cluster.polling.poller import Poller, PollThread, ScreenInterest
from celtop.settings import Settings


class Failing(Poller):
    """What the broker does not allow."""

    def poll(self, connection: Any) -> float:
        """Fail."""
        raise PermissionError


class Counting(Poller):
    """What it does."""

    polled = 0

    def poll(self, connection: Any) -> float:
        """Count, and end the thread."""
        self.polled += 1
        self._stopping.set()
        return 0.0


def test_a_failing_poller_does_not_keep_the_next_one_waiting(monkeypatch: Any) -> None:
    live = threading.Event()
    live.set()
    receiver = cast("Any", SimpleNamespace(live=live))
    broker = BrokerConnection(Settings(broker_url="redis://localhost:1/0"))
    monkeypatch.setattr(broker, "connection", lambda: nullcontext(None))
    monkeypatch.setattr("celtop.cluster.polling.poller.backoff", lambda *_: 0.0)
    pollers = [
        kind("test", broker, Inbox(10), Roster(), receiver, ScreenInterest(frugal=False))
        for kind in (Failing, Counting)
    ]
    thread = PollThread(broker, receiver, *pollers)
    thread.start()
    thread.join(5.0)
    thread.stop()
    assert cast("Counting", pollers[1]).polled == 1
