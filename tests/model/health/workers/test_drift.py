from __future__ import annotations

from typing import Any

import pytest
from celtop.model.health.workers.drift import drift_findings
from celtop.tests.model.health.fleet import REPLIES, fleet
from celtop.tests.model.streams import NOW


def differences(w1: dict[str, Any], w2: dict[str, Any]) -> list[str]:
    found = [one.evidence["differences"] for one in drift_findings(fleet(w1=w1, w2=w2), NOW)]
    assert len(found) <= 1
    return found[0] if found else []


@pytest.mark.parametrize(
    ("w1", "w2", "expected"),
    [
        ({}, {}, []),
        ({}, {"version": "5.6.3"}, ["Celery 5.6.3 on w2@h, 5.7.0 on w1@h"]),
        ({}, {"registered": ["shop.bill", "shop.new"]}, ["shop.new not registered on w1@h"]),
        (
            {"conf": {"task_acks_late": True}},
            {"conf": {}},
            ["task_acks_late is True on w1@h, False on w2@h"],
        ),
        ({"conf": {"worker_concurrency": 4}}, {"conf": {}}, []),
        (
            {"conf": {"accept_content": "{'json', 'pickle'}", "own": "<X object at 0x7f1>"}},
            {"conf": {"accept_content": "{'pickle', 'json'}", "own": "<X object at 0x8aa>"}},
            [],
        ),
        ({}, {"active_queues": [{"name": "other"}], "version": "5.6.3"}, []),
        ({}, {"version": "5.6.3", "stats": {**REPLIES["stats"], "uptime": 5}}, []),
    ],
    ids=["equal", "version", "registered", "setting", "own", "order", "queues", "deployment"],
)
def test_workers_of_one_queue(w1: dict[str, Any], w2: dict[str, Any], expected: list[str]) -> None:
    assert differences(w1, w2) == expected


def test_many_settings_are_counted() -> None:
    conf = {f"own_{number}": number for number in range(9)}
    found = differences({"conf": conf}, {"conf": {}})
    assert len(found) == 4 and found[-1] == "6 other settings"


def test_equal_replies_share_one_copy() -> None:
    state = fleet(w1={}, w2={"conf": {}}, w3={"conf": dict(REPLIES["conf"])})
    first, second, third = state.workers.values()
    assert first.conf is third.conf and first.conf is not second.conf
    assert first.registered is second.registered
