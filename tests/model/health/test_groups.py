from __future__ import annotations

from celtop.model.health.finding import Finding
from celtop.model.health.groups import group_text, grouped

NOW = 1_000_000.0


def lost(name: str, ago: float, running: int = 0) -> Finding:
    return Finding(
        "worker-lost", "error", "worker", f"lost {ago} s ago", name,
        evidence={"running": running}, since=NOW - ago, common="lost",
    )  # fmt: skip


def test_a_hundred_lost_workers_are_one_line_with_their_tasks() -> None:
    other = Finding("broker-unverified", "warning", "broker", "not verified")
    found = [other, *(lost(f"w{number}", 100 - number, 2) for number in range(100))]
    first, group = grouped(found)
    assert first == (other,)
    assert group_text(group, NOW) == (
        "lost, the latest 1.0 s ago, 200 running tasks: w0, w1, w2 and 97 more"
    )


def test_few_findings_and_those_of_another_kind_stay_single() -> None:
    alone = [Finding("task-lost", "error", "task", "lost", str(number)) for number in range(5)]
    found = [lost("a", 5), lost("b", 5), *alone]
    assert grouped(found) == [(one,) for one in found]
