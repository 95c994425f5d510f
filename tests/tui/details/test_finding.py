"""The fields of a finding."""

from __future__ import annotations

from celtop.model.health.finding import Finding
from celtop.tests.tui.fake_session import NOW
from celtop.tui.details.finding import finding_fields
from celtop.tui.text.alerts import Alert
from celtop.widgets.table.column import Frame


def labels(since: float) -> list[str]:
    """Return the labels of a finding on a queue that celtop saw without consumers at `NOW`."""
    evidence = {"waiting": 12, "unconsumed_since_at": NOW}
    finding = Finding("queue-without-consumers", "error", "queue", "12", "q", "", evidence, since)
    return [field.label for field in finding_fields(Alert((finding,), "bad", ""), Frame(NOW))]


def test_the_start_of_celtop_is_not_when_a_queue_lost_its_consumers() -> None:
    assert "Unconsumed since" in labels(NOW)
    assert "Unconsumed since" not in labels(NOW - 600)
