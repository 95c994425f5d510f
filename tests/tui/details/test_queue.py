"""The fields of a queue on RabbitMQ."""

from __future__ import annotations

from celtop.model.entities.messages.delayed import Due
from celtop.model.entities.queue import Queue
from celtop.tui.details.queue import queue_fields
from celtop.widgets.table.column import Frame

NOW = 1_790_000_000.0


def fields(queue: Queue, *delayed: Due) -> dict[str, str]:
    return {field.label: field.value for field in queue_fields(queue, (), Frame(NOW), delayed)}


def test_the_age_of_what_only_the_management_api_reports() -> None:
    queue = Queue(
        "billing",
        waiting=3,
        unacked=2,
        kind="quorum",
        message_bytes=2048,
        max_priority=5,
        measured_at=NOW - 1,
        statistics_at=NOW - 3,
    )
    found = fields(queue)
    assert found["Unacknowledged"] == "2 (up to 8.0 s old)"
    assert found["Kind"] == "quorum, 2.0 KiB of message bodies"
    assert found["Priorities"] == "0 to 5, counted together"
    assert "Delayed" not in found


def test_many_consumers_are_not_all_named() -> None:
    names = tuple(f"celery@worker-{number}" for number in range(83))
    queue = Queue("billing", waiting=3, consumer_count=83, known_consumers=names)
    first = "celery@worker-0, celery@worker-1, celery@worker-2"
    assert fields(queue)["Consumers"] == f"{first} and 80 more"


def test_the_due_times_of_its_delayed_messages() -> None:
    own = [Due(NOW + left, NOW + left, 1, "billing") for left in (20, 45)]
    others = Due(NOW, NOW + 127, 4)
    assert fields(Queue("billing"), *own)["Delayed"] == "2: in 20 s, in 45 s"
    assert fields(Queue("celery"), *own, others)["Delayed"] == "0; 4 for unknown queues"


def test_processes_that_keep_up_and_empty_it_are_named_once() -> None:
    queue = Queue("mail", waiting=1, in_per_s=1.1, out_per_s=1.0, runtime=1.0, slots_total=1)
    assert fields(queue)["More processes"] == "1: keeps up, empty in 5 m"
    queue.waiting = 1_000
    assert fields(queue)["More processes"] == "1: keeps up; 4: empty in 5 m"
