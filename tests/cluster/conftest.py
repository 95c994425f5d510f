"""A running session without a screen: a test that waits for something pumps it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from celtop.cluster.session import Session
from celtop.model.state import ClusterState
from celtop.settings import Settings
from celtop.tests.servers import until

T = TypeVar("T")


class RunningSession:
    """A running session."""

    def __init__(self, broker_url: str, **settings: Any) -> None:
        self.session = Session(Settings(broker_url=broker_url, **settings))
        self.session.start()

    @property
    def state(self) -> ClusterState:
        return self.session.state

    @property
    def log(self) -> list[str]:
        return [entry.text for entry in self.state.log]

    def pump(self) -> None:
        while self.session.pump(time.time(), 0.1).more:
            pass
        self.changes = self.state.take_changes()  # as each frame does

    def until(self, condition: Callable[[], T], timeout: float = 20.0, what: str = "") -> T:
        """Pump until the condition holds; return what it returned."""

        def pumped() -> T:
            self.pump()
            return condition()

        return until(pumped, timeout, what)

    def until_live(self, timeout: float = 20.0) -> None:
        self.until(lambda: self.state.broker.phase == "live", timeout, "the session is live")

    def until_fault(self, kind: str, timeout: float = 20.0) -> str:
        """Wait for a fault of a kind; return its words."""

        def found() -> str | None:
            fault = self.state.broker.fault
            return str(fault) if fault is not None and fault.kind == kind else None

        try:
            return str(self.until(found, timeout))
        except AssertionError:
            raise AssertionError(f"no fault {kind!r}, but {self.state.broker.fault}") from None


OpenSession = Callable[..., RunningSession]


@pytest.fixture
def open_session() -> Iterator[OpenSession]:
    """`open_session(url, **settings)`: a running session, stopped after the test."""
    opened: list[RunningSession] = []

    def start(broker_url: str, **settings: Any) -> RunningSession:
        live = RunningSession(broker_url, **settings)
        opened.append(live)
        return live

    yield start
    for live in opened:
        live.session.stop()
