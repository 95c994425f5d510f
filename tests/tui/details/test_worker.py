"""The fields of a worker."""

from __future__ import annotations

from celtop.model.entities.worker import Worker
from celtop.tui.details.worker import total_fields, worker_fields
from celtop.widgets.table.column import Frame

NOW = 1_790_000_000.0


def test_the_tasks_processed_by_type_are_those_with_the_most_first() -> None:
    worker = Worker("celery@web-1")
    worker.registered = ("mail.send", "add", "geo.convert")
    worker.totals = {"geo.convert": 1_200, "celery.backend_cleanup": 3}
    assert [(field.label, field.value) for field in total_fields(worker)] == [
        ("geo.convert", "1,200"),
        ("celery.backend_cleanup", "3"),
        ("add", "0"),
        ("mail.send", "0"),
    ]


def test_a_worker_that_shut_down_without_tasks_is_no_error() -> None:
    worker = Worker("celery@web-1", last_seen_at=NOW - 2, left_at=NOW - 2)
    assert worker_fields(worker, "offline", Frame(NOW))[0].style == "warn"
    worker.left_at, worker.lost_at = None, NOW - 2
    assert worker_fields(worker, "offline", Frame(NOW))[0].style == "bad"


def test_a_name_of_several_workers_is_beside_their_pids() -> None:
    worker = Worker("celery@web-1", pid=7, pids={7: NOW, 5: NOW}, pid_returns=9)
    (pid,) = (
        field for field in worker_fields(worker, "online", Frame(NOW)) if field.label == "PID"
    )
    assert (pid.value, pid.style) == ("5 and 7: several workers have this name", "bad")


def test_a_pool_with_autoscale_has_slots_up_to_its_limit() -> None:
    worker = Worker("celery@web-1", pool="prefork", processes=(7,), max_processes=4)
    fields = {field.label: field.value for field in worker_fields(worker, "online", Frame(NOW))}
    assert fields["Pool"] == "prefork, up to 4 slots"
