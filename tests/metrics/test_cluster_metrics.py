from __future__ import annotations

from celtop.metrics.cluster_metrics import ClusterMetrics
from celtop.metrics.families import Labels
from celtop.metrics.gauges import WORKERS_KEPT
from celtop.model.observations import ConnectionChanged, InspectReply
from celtop.model.state import ClusterState
from celtop.tests.metrics.values import value, values_of
from celtop.tests.model.streams import CLIENT, NOW, OTHER, WORKER, Script, decode_fields, play


def live(*scripts: Script) -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 100))
    for script in scripts:
        state.observe(decode_fields(script.events))
    return state


def prefetched(metrics: ClusterMetrics) -> dict[Labels, float]:
    return dict(values_of(metrics.families(NOW), "flower_worker_prefetched_tasks"))


def test_prefetched_tasks_are_those_that_the_worker_has() -> None:
    state = live()
    metrics = ClusterMetrics(state)
    play(Script("t1").received().events, state)
    assert prefetched(metrics) == {}, "the worker has not been asked"
    state.observe(InspectReply(WORKER, "reserved", [{"id": "t1", "name": "shop.bill"}], NOW))
    play(Script("t2").received(name="shop.ship").events, state)
    assert prefetched(metrics) == {(WORKER, "shop.bill"): 1, (WORKER, "shop.ship"): 1}
    play(Script("t1", at=NOW + 9).started().events, state)
    assert prefetched(metrics) == {(WORKER, "shop.bill"): 0, (WORKER, "shop.ship"): 1}


def test_a_lost_start_does_not_count_for_ever() -> None:
    """Flower counts up and down: a lost event would leave one task for good."""
    state = live()
    metrics = ClusterMetrics(state)
    play(Script("t1").received().events, state)
    state.observe(InspectReply(WORKER, "reserved", [], NOW + 1))
    assert prefetched(metrics) == {(WORKER, "shop.bill"): 0}


def test_the_label_of_the_cluster_comes_first_where_it_is_wanted() -> None:
    state = live()
    named, unnamed = ClusterMetrics(state, "shop"), ClusterMetrics(state)
    play(Script("t1").received().events, state)
    assert value(named, "celtop_broker_up", "shop") == 1
    assert value(unnamed, "celtop_broker_up") == 1
    (family,) = (one for one in named.families(NOW) if one.name == "flower_events")
    assert family.label_names == ("cluster", "worker", "type", "task")
    assert set(family.samples) == {("shop", WORKER, "task-received", "shop.bill")}


def test_a_worker_that_is_gone_for_long_loses_its_series() -> None:
    state = live()
    metrics = ClusterMetrics(state)
    play(Script("t1").received().events, state)
    play(Script("t2").on(OTHER).received().events, state)
    state.workers[WORKER].left_at = NOW + 5

    for name in ("flower_events", "flower_worker_online"):
        for late, expected in ((0, {WORKER, OTHER}), (10, {OTHER})):
            found = values_of(metrics.families(NOW + WORKERS_KEPT + late), name)
            assert {labels[0] for labels in found} == expected, (name, late)
        play(Script("t3").on(WORKER).received().events, state)


def test_events_of_clients_are_kept() -> None:
    """A client is no worker that is gone, though it has a name of its own."""
    state = live()
    metrics = ClusterMetrics(state)
    events = Script("t1").received().events + Script("t1").progress(hostname=CLIENT).events
    play(events, state)
    for now in (NOW, NOW + 5):
        labels = ("other", "task-progress", "shop.bill")
        assert value(metrics, "flower_events", *labels, now=now) == 1
