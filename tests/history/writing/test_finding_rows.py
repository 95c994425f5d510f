from __future__ import annotations

from celtop.history.rows import StoredFinding
from celtop.history.writing.finding_rows import FindingRows
from celtop.model.health.finding import Finding
from celtop.tests.history.rows import CLUSTER, NOW


def test_the_changed_text_of_a_finding_is_stored_once_a_minute() -> None:
    findings = FindingRows()
    rows: list[StoredFinding] = []
    for second in range(0, 130, 5):
        found = Finding("late", "error", "queues", f"{second} messages")
        rows += findings.rows(CLUSTER, (found,), NOW + second)
    assert [(row.text, row.began_at - NOW, row.described_at) for row in rows] == [
        ("0 messages", 0, NOW),
        ("60 messages", 0, NOW + 60),
        ("120 messages", 0, NOW + 120),
    ]


def test_another_severity_is_stored_at_once() -> None:
    findings = FindingRows()
    list(findings.rows(CLUSTER, (Finding("late", "warning", "queues", "late"),), NOW))
    (row,) = findings.rows(CLUSTER, (Finding("late", "error", "queues", "late"),), NOW + 5)
    assert (row.severity, row.began_at, row.described_at) == ("error", NOW, NOW + 5)
