from __future__ import annotations

from typing import Any

from celtop.model.health.queues.holding import MIN_LIMITED, holding_findings
from celtop.model.observations import ConnectionProved, QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.model.health.fleet import REPLIES, W1, W2, beat, fleet, item
from celtop.tests.model.streams import NOW


def codes(state: ClusterState, at: float = NOW) -> list[tuple[str, str]]:
    return [(one.code, one.name) for one in holding_findings(state, at)]


def later(state: ClusterState, seconds: int = 60) -> float:
    """Let time pass in which all workers send heartbeats."""
    for second in range(1, seconds + 1):
        for name in state.workers:
            beat(state, name, NOW + second)
        state.observe(ConnectionProved(NOW + second))
        state.tick(NOW + second)
    return NOW + seconds


def busy(reserved: int, prefetch: int = 50) -> dict[str, Any]:
    return {
        "active": [item(f"run-{n}", time_start=NOW - 9) for n in range(2)],
        "reserved": [item(f"held-{n}") for n in range(reserved)],
        "stats": {**REPLIES["stats"], "prefetch_count": prefetch},
    }


def test_a_worker_that_hoards_while_another_is_free() -> None:
    state = fleet(w1=busy(12), w2={})
    at = later(state)
    (found,) = holding_findings(state, at)
    assert (found.code, found.name, found.evidence["free_workers"]) == ("worker-hoards", W1, [W2])
    assert found.next_step == "Lower worker_prefetch_multiplier (it is 25); 1 suits long tasks"
    assert found.text == "12 tasks reserved behind 2 busy processes, while w2@h has free ones"


def test_it_does_not_hoard_if_the_others_are_busy_or_have_other_queues() -> None:
    for other in (busy(0), {"active_queues": [{"name": "other"}]}):
        state = fleet(w1=busy(12), w2=other)
        assert codes(state, later(state)) == []


def test_more_reserved_than_the_prefetch_count_allows() -> None:
    assert codes(fleet(w1=busy(40, prefetch=8))) == [("worker-beyond-prefetch", W1)]
    assert codes(fleet(w1=busy(12, prefetch=8))) == []


def test_tasks_held_by_a_rate_limit() -> None:
    state = fleet(w1={"reserved": [item(f"t{n}") for n in range(MIN_LIMITED)]})
    for id_ in list(state.tasks):
        state.tasks[id_].set_extra(rate_limit="10/m")
        state.workers[W1].limited_ids[id_] = "10/m"
    assert codes(state) == [("type-rate-limited", "shop.bill")]
    state.workers[W1].limited_ids.popitem()
    assert codes(state) == []


def test_a_prefetch_full_of_tasks_with_a_rate_limit() -> None:
    state = fleet(w1={"reserved": [item(f"t{n}") for n in range(8)]})
    for id_ in list(state.tasks):
        state.tasks[id_].set_extra(rate_limit="1/m")
        state.workers[W1].limited_ids[id_] = "1/m"
    state.workers[W1].reserved_ids = {}
    assert codes(state) == []
    state.observe(QueueMeasured("mail", NOW, waiting=3))
    (found,) = holding_findings(state, NOW)
    assert (found.code, found.severity) == ("type-rate-limited", "warning")
    assert found.text.endswith("its prefetch is full, and 3 messages in mail cannot be received")
    state.workers[W1].prefetch = 9
    assert codes(state) == []


def test_a_prefetch_full_of_tasks_with_an_eta() -> None:
    entries = [{"eta": "2023-11-15T12:00:00+00:00", "request": item(f"t{n}")} for n in range(8)]
    state = fleet(w1={"scheduled": entries})
    assert codes(state) == []
    state.observe(QueueMeasured("mail", NOW, waiting=3))
    assert codes(state) == [("queue-blocked-by-eta", "mail")]
    taken = QueueMeasured("mail", NOW, 3, in_per_s=1.0, out_per_s=1.0, rates_are_final=True)
    state.observe(taken)
    assert codes(state) == [], "its prefetch count has been raised since"
    state.observe(QueueMeasured("mail", NOW, waiting=3))
    assert codes(state) == [("queue-blocked-by-eta", "mail")]
    state.workers[W1].prefetch = 9
    assert codes(state) == []
