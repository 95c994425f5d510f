from __future__ import annotations

from celtop.metrics.families import OTHER, Family
from celtop.metrics.task_metrics import MAX_EVENT_TYPES, MAX_TASK_NAMES, TaskMetrics
from celtop.model.state import ClusterState
from celtop.tests.metrics.values import histograms_of, values_of
from celtop.tests.model.streams import CLIENT, WORKER, Fields, Script, decode_fields, play


def counted(events: list[Fields], state: ClusterState | None = None) -> list[Family]:
    """Return what is counted of events that arrive one by one."""
    state = state or ClusterState()
    metrics = TaskMetrics(state)
    play(events, state)
    return list(metrics.families())


def succeeded(id_: str = "t1") -> Script:
    return Script(id_).sent().received().started().succeeded()


def test_flowers_counter_has_every_event_by_worker_type_and_task() -> None:
    families = counted(succeeded("a").events + succeeded("b").events)
    assert values_of(families, "flower_events") == {
        (OTHER, "task-sent", "shop.bill"): 2,
        (WORKER, "task-received", "shop.bill"): 2,
        (WORKER, "task-started", "shop.bill"): 2,
        (WORKER, "task-succeeded", "shop.bill"): 2,
    }
    assert CLIENT not in {labels[0] for labels in values_of(families, "flower_events")}


def test_events_of_no_task_are_not_counted_though_they_have_an_id() -> None:
    others = ("order-shipped", "worker-heartbeat")
    events = [{"type": kind, "hostname": WORKER, "timestamp": 1.0, "uuid": "x"} for kind in others]
    assert not values_of(counted(events), "flower_events")


def test_a_repeated_event_is_a_second_event_but_no_second_outcome() -> None:
    events = Script("t1").received().started().failed().events
    families = counted([*events, events[-1]])
    assert values_of(families, "flower_events")[WORKER, "task-failed", "shop.bill"] == 2
    assert values_of(families, "celtop_tasks")["shop.bill", "", "failed"] == 1
    assert values_of(families, "celtop_task_failures") == {("shop.bill", "Oops"): 1}


def test_run_time_and_queue_wait_by_task_and_queue() -> None:
    script = Script("t1", step=0.5).sent(queue="mail").received().started().succeeded()
    families = counted(script.events)
    (ran,) = histograms_of(families, "celtop_task_runtime_seconds").items()
    (waited,) = histograms_of(families, "celtop_task_queue_wait_seconds").items()
    (flower,) = histograms_of(families, "flower_task_runtime_seconds").items()
    assert (ran[0], ran[1].total, sum(ran[1].counts)) == (("shop.bill", "mail"), 0.5, 1)
    assert (waited[0], waited[1].total) == (("shop.bill", "mail"), 1.0)
    assert (flower[0], flower[1].total) == ((WORKER, "shop.bill"), 0.5)


def test_the_model_and_the_histograms_count_the_same_durations() -> None:
    state = ClusterState()
    metrics = TaskMetrics(state)
    for number in range(20):
        play(Script(f"t{number}", step=0.1 * number).sent().received().started().events, state)
        play(Script(f"t{number}").succeeded(runtime=None if number % 2 else 0.3).events, state)
    kind = state.types["shop.bill"]
    families = list(metrics.families())
    (waits,) = histograms_of(families, "celtop_task_queue_wait_seconds").values()
    (runs,) = histograms_of(families, "celtop_task_runtime_seconds").values()
    assert (sum(waits.counts), round(waits.total, 6)) == (
        kind.wait.count,
        round(kind.wait.total, 6),
    )
    assert (sum(runs.counts), runs.total) == (kind.runtime.count, kind.runtime.total)


def test_every_attempt_is_counted_though_all_events_are_in_one_message() -> None:
    script = Script("t1").received().started().retried().received(1).started().failed()
    state = ClusterState()
    metrics = TaskMetrics(state)
    state.observe(decode_fields(script.events))
    counts = values_of(list(metrics.families()), "celtop_tasks")
    assert {labels[2]: count for labels, count in counts.items()} == {
        "received": 2,
        "started": 2,
        "retried": 1,
        "failed": 1,
    }


def test_counters_survive_the_eviction_of_their_tasks() -> None:
    state = ClusterState(max_tasks=10)
    metrics = TaskMetrics(state)
    for number in range(200):
        state.observe(decode_fields(succeeded(f"t{number}").events))
    assert len(state.tasks) <= 10
    counts = values_of(metrics.families(), "celtop_tasks")
    assert set(counts.values()) == {200}


def test_the_prefetch_time_is_that_of_the_latest_start_and_0_after_its_end() -> None:
    script = Script("t1").received().started()
    running = values_of(counted(script.events), "flower_task_prefetch_time_seconds")
    ended = values_of(counted(script.succeeded().events), "flower_task_prefetch_time_seconds")
    assert (running, ended) == ({(WORKER, "shop.bill"): 1.0}, {(WORKER, "shop.bill"): 0.0})


def test_a_task_with_an_eta_has_no_prefetch_time() -> None:
    script = Script("t1").received(eta="2030-01-01T00:00:00+00:00").started()
    assert values_of(counted(script.events), "flower_task_prefetch_time_seconds") == {}


def test_a_task_of_which_only_the_end_was_seen_has_no_name() -> None:
    families = counted(Script("t1").succeeded().events)
    assert values_of(families, "flower_events") == {(WORKER, "task-succeeded", ""): 1}
    assert values_of(families, "celtop_tasks") == {("", "", "succeeded"): 1}


def test_endless_names_do_not_make_endless_series() -> None:
    events = []
    for number in range(MAX_TASK_NAMES + 100):
        events += Script(f"t{number}").received(name=f"name{number}").events
        events += Script(f"t{number}").say(f"step{number}").events
    families = counted(events)
    events_by = values_of(families, "flower_events")
    assert len({labels[2] for labels in events_by}) == MAX_TASK_NAMES + 1
    assert len({labels[1] for labels in events_by}) == MAX_EVENT_TYPES + 1
    assert sum(events_by.values()) == len(events), "none is missing"


def test_series_of_a_worker_can_be_forgotten() -> None:
    state = ClusterState()
    metrics = TaskMetrics(state)
    play(succeeded().events, state)
    metrics.forget_workers(frozenset({WORKER}))
    families = list(metrics.families())
    assert set(values_of(families, "flower_events")) == {(OTHER, "task-sent", "shop.bill")}
    assert histograms_of(families, "flower_task_runtime_seconds") == {}
    assert sum(values_of(families, "celtop_tasks").values()) == 4, "those have no worker"
