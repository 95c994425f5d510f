"""The fields of a worker."""

from __future__ import annotations

from celtop.model.entities.worker import Worker
from celtop.tui.details.worker import total_fields


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
