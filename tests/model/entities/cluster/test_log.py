"""The log keeps the newest entries and never reuses a serial number."""

from __future__ import annotations

from celtop.model.entities.cluster.log import EventLog


def test_old_entries_are_dropped() -> None:
    log = EventLog(size=3)
    for number in range(5):
        log.add(float(number), "info", "worker", f"line {number}")
    assert [entry.text for entry in log] == ["line 2", "line 3", "line 4"]
    assert [entry.id for entry in reversed(log)] == ["5", "4", "3"]
    assert (len(log), log.version, log[-1].serial) == (3, 5, 5)
