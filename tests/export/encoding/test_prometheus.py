"""Documents as gauges, read by the parser of prometheus_client."""

from __future__ import annotations

from collections.abc import Mapping

from celtop.export.encoding.prometheus import encode
from celtop.export.lists.document import list_document
from celtop.lists.listing import LISTINGS
from celtop.model.query.language import EVERY_TASK
from celtop.model.state import ClusterState
from celtop.tests.export.conftest import HOSTILE, context, run_task
from prometheus_client.parser import text_string_to_metric_families


def gauges(state: ClusterState, name: str, text: str = "") -> Mapping[str, dict[str, float]]:
    """Return the values of each gauge, by the values of its labels."""
    state.take_changes()
    listed, shown = LISTINGS[name], context(state)
    rows = listed.rows(shown, text or EVERY_TASK, listed.order_by(shown))
    made = encode(list_document(name, shown, rows)).decode()
    return {
        family.name: {"/".join(one.labels.values()): one.value for one in family.samples}
        for family in text_string_to_metric_families(made)
    }


def test_only_the_listed_workers_and_queues_have_gauges(state: ClusterState) -> None:
    state.broker.lost_at = None
    assert gauges(state, "queues")["celtop_queue_waiting"] == {"celery": 0, "idle": 7}
    assert gauges(state, "queues", "idle")["celtop_queue_waiting"] == {"idle": 7}
    assert gauges(state, "workers", "w1")["celtop_worker_up"] == {"w1@a": 1}
    assert not [name for name in gauges(state, "workers") if name.startswith("process_")]


def test_tasks_and_failures_are_counted(state: ClusterState) -> None:
    for number in (1, 2):
        run_task(state, number, {"type": "task-failed", "exception": "Boom()", "traceback": "T"})
    run_task(state, 3, {}, name=HOSTILE)
    counts = gauges(state, "tasks")["celtop_listed_tasks"]
    assert counts.pop("FAILURE/app.add") == 2
    ((name, count),) = counts.items()
    assert name.isprintable() and count == 1
    assert gauges(state, "types")["celtop_listed_tasks"] == {"FAILURE/app.add": 2, name: 1}
    (failed,) = gauges(state, "failures")["celtop_listed_failures"].items()
    assert failed[0].startswith("Boom/") and failed[1] == 2
