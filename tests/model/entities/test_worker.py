from __future__ import annotations

from celtop.model.entities.fact import Fact
from celtop.model.entities.worker import Worker

NOW = 1_000_000.0


def test_the_uptime_goes_on_after_the_reply_and_ends_when_the_worker_is_last_seen() -> None:
    worker = Worker("w", uptime=16.0, last_seen_at=NOW)
    assert worker.uptime_at(NOW + 240) == 16.0
    worker.facts["stats"] = Fact(answered_at=NOW)
    worker.last_seen_at = NOW + 239
    assert worker.uptime_at(NOW + 240) == 255.0
    assert worker.uptime_at(NOW + 200) == 216.0
