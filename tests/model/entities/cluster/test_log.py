"""The log keeps the newest entries and never reuses a serial number."""

from __future__ import annotations

from celtop.model.entities.cluster.log import MAX_ENTRY_LENGTH, EventLog


def test_old_entries_are_dropped() -> None:
    log = EventLog(size=3)
    for number in range(5):
        log.add(float(number), "info", "worker", f"line {number}")
    assert [entry.text for entry in log] == ["line 2", "line 3", "line 4"]
    assert [entry.id for entry in reversed(log)] == ["5", "4", "3"]
    assert (len(log), log.version, log[-1].serial) == (3, 5, 5)


def test_a_long_text_is_cut() -> None:
    log = EventLog()
    assert log.add(0.0, "info", "x", "a" * MAX_ENTRY_LENGTH).text == "a" * MAX_ENTRY_LENGTH
    assert log.add(0.0, "info", "x", "a" * (MAX_ENTRY_LENGTH + 1_500)).text.endswith(
        "a… [1,500 more characters]"
    )
