"""Event streams for the tests of the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from celtop.model.observations import ConnectionProved
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch, decode

WORKER = "celery@one"
OTHER = "celery@two"
CLIENT = "gen17@web"
NOW = 1_700_000_000.0

Fields = dict[str, Any]


@dataclass
class Script:
    """Writes the events of one task, each a second after the one before."""

    uuid: str
    at: float = NOW
    step: float = 1.0
    worker: str = WORKER
    events: list[Fields] = field(default_factory=list)

    def say(self, subject: str, **fields: Any) -> Script:
        self.at += self.step
        hostname = CLIENT if subject == "sent" else self.worker
        common = {"type": f"task-{subject}", "uuid": self.uuid, "hostname": hostname}
        clock = {"timestamp": self.at, "utcoffset": 0, "pid": 7, "clock": int(self.at - NOW)}
        self.events.append({**common, **clock, **fields})
        return self

    def on(self, worker: str) -> Script:
        self.worker = worker
        return self

    def sent(self, **fields: Any) -> Script:
        route = {"queue": "celery", "exchange": "", "routing_key": "celery"}
        return self.say("sent", **{**self._described(0), **route, **fields})

    def received(self, retries: int = 0, **fields: Any) -> Script:
        return self.say("received", **{**self._described(retries), **fields})

    def started(self) -> Script:
        return self.say("started")

    def succeeded(self, **fields: Any) -> Script:
        return self.say("succeeded", **{"result": "42", "runtime": 0.5, **fields})

    def failed(self, **fields: Any) -> Script:
        return self.say("failed", **{"exception": "Oops()", "traceback": "tb", **fields})

    def retried(self, **fields: Any) -> Script:
        return self.say("retried", **{"exception": "Again()", "traceback": "tb", **fields})

    def revoked(self, **fields: Any) -> Script:
        details = {"terminated": False, "signum": None, "expired": False}
        return self.say("revoked", **{**details, **fields})

    def rejected(self) -> Script:
        return self.say("rejected", requeue=False)

    def progress(self, **fields: Any) -> Script:
        return self.say("progress", **fields)

    def _described(self, retries: int) -> Fields:
        return {
            "name": "shop.bill",
            "args": f"({self.uuid!r},)",
            "kwargs": "{}",
            "root_id": self.uuid,
            "parent_id": None if not retries else self.uuid,
            "retries": retries,
            "eta": None,
            "expires": None,
        }


def event(fields: Fields) -> Event:
    """Decode one event as the wire would bring it."""
    batch = decode_fields([fields])
    assert not batch.malformed
    return batch.events[0]


def decode_fields(events: list[Fields], at: float = NOW) -> EventBatch:
    return decode(msgspec.json.encode(events), at)


def play(events: list[Fields], state: ClusterState | None = None, at: float = NOW) -> ClusterState:
    """Apply events one by one, received at a local time, and return the state."""
    state = state or ClusterState()
    for fields in events:
        state.observe(EventBatch((event(fields),), at))
    return state


def tick(state: ClusterState, at: float) -> None:
    """Let time pass on a connection that is proved to work."""
    state.observe(ConnectionProved(at))
    state.tick(at)
