"""How long an acknowledged finding stays quiet."""

from __future__ import annotations

import msgspec
import pytest
from celtop.model.health.acknowledgement import acknowledgement
from celtop.model.health.finding import Finding

NOW = 1_700_000_000.0
FINDING = Finding(
    "queue-without-consumers", "warning", "queue", "88 waiting", "mail",
    evidence={"waiting": 88, "oldest_s": 5, "measured_at": NOW, "consumers": []},
    common="no consumers",
)  # fmt: skip


def with_waiting(waiting: int | None) -> Finding:
    return msgspec.structs.replace(FINDING, evidence={**FINDING.evidence, "waiting": waiting})


@pytest.mark.parametrize("waiting", [0, 88, 170, None])
def test_a_finding_that_is_about_as_bad_stays_quiet(waiting: int | None) -> None:
    assert acknowledgement(FINDING, NOW).quiets(with_waiting(waiting))


def test_a_finding_with_twice_the_amount_has_become_worse() -> None:
    assert not acknowledgement(FINDING, NOW).quiets(with_waiting(176))
    few = acknowledgement(with_waiting(1), NOW)
    assert few.quiets(with_waiting(9))
    assert not few.quiets(with_waiting(11))


def test_ages_and_durations_grow_by_themselves() -> None:
    older = {**FINDING.evidence, "oldest_s": 5_000, "measured_at": 2 * NOW}
    assert acknowledgement(FINDING, NOW).quiets(msgspec.structs.replace(FINDING, evidence=older))


def test_a_worse_severity_or_another_problem_is_a_change() -> None:
    held = acknowledgement(FINDING, NOW)
    assert not held.quiets(msgspec.structs.replace(FINDING, severity="error"))
    assert held.quiets(msgspec.structs.replace(FINDING, severity="info"))
    assert not held.quiets(msgspec.structs.replace(FINDING, common="not consumed"))
