"""The settings in replies to `inspect conf`."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.model.wire.conf import MAX_PARTS, MAX_SETTINGS, parse_conf

DJANGO: dict[str, Any] = {
    "ALLOWED_HOSTS": [],
    "EMAIL_TIMEOUT": None,
    "CELERY_TASK_ACKS_LATE": True,
    "CELERY_BEAT_SCHEDULE": {"nightly": {"task": "shop.bill", "schedule": 30.0}},
    "CELERY_REDBEAT_LOCK_TIMEOUT": 60,
}


@pytest.mark.parametrize(
    ("reply", "conf"),
    [
        ({"task_acks_late": True, "own_key": 1}, {"task_acks_late": True, "own_key": 1}),
        (
            {"CELERY_ACKS_LATE": True, "BROKER_TRANSPORT_OPTIONS": {"a": 1}},
            {"task_acks_late": True, "broker_transport_options": {"a": 1}},
        ),
        (
            DJANGO,
            {
                "task_acks_late": True,
                "beat_schedule": {"nightly": {"task": "shop.bill", "schedule": 30.0}},
                "redbeat_lock_timeout": 60,
            },
        ),
        (
            {"DEBUG": False, "QUEUE_TASK_ACKS_LATE": True, "QUEUE_RESULT_EXTENDED": True},
            {"task_acks_late": True, "result_extended": True},
        ),
        ({}, {}),
        ({1: 2, "timezone": "UTC"}, {"timezone": "UTC"}),
    ],
    ids=["today", "old", "django", "namespace", "empty", "odd key"],
)
def test_names(reply: dict[Any, Any], conf: dict[str, Any]) -> None:
    assert parse_conf(reply) == conf


def test_values_are_plain_and_bounded() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    conf = parse_conf({"a": deep, "b": b"bytes", "c": list(range(2 * MAX_PARTS)), "d": "x" * 9_000})
    assert str(conf["a"]).count("[") < 20
    assert conf["b"] == "b'bytes'"
    assert len(conf["c"]) < MAX_PARTS
    assert len(conf["d"]) < 5_000
    assert len(parse_conf({f"key_{n}": n for n in range(2 * MAX_SETTINGS)})) == MAX_SETTINGS
