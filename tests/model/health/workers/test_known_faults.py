from __future__ import annotations

from typing import Any

import pytest
from celtop.model.health.codes import CODES
from celtop.model.health.workers.known_faults import (
    KNOWN_FAULTS,
    known_fault_findings,
    parse_version,
)
from celtop.tests.model.health.fleet import fleet
from celtop.tests.model.streams import NOW


def faults(transport: str = "redis", **versions: str) -> dict[str, list[str]]:
    workers: dict[str, Any] = {name: {"version": its} for name, its in versions.items()}
    state = fleet(transport=transport, **workers)
    found = known_fault_findings(state, NOW)
    return {one.code: one.evidence["workers"] for one in found}


def test_the_newest_version_has_none() -> None:
    assert faults(w1="5.7.0", w2="5.7.1") == {}


def test_a_fault_names_the_workers_that_have_it() -> None:
    found = faults("amqp", w1="5.6.3", w2="5.7.0", w3="5.6.2")
    assert found["fault-revoke-overwrites-results"] == ["w1@h", "w3@h"]
    assert "fault-revoke-overwrites-results" not in faults(w1="5.5.3")


def test_faults_of_redis_are_none_of_rabbitmq() -> None:
    assert "fault-reconnect-stops-consuming" in faults(w1="5.2.7")
    assert faults("amqp", w1="5.2.7") == {}


def test_the_text_has_the_version_and_the_links() -> None:
    (found,) = (
        one
        for one in known_fault_findings(fleet(w1={"version": "5.4.0"}), NOW)
        if one.code == "fault-reconnect-stops-consuming"
    )
    assert found.text.startswith("after a reconnect to Redis, ")
    assert found.text.endswith("(Celery 5.4.0 on w1@h; celery#8030, celery#8384, kombu#2007)")
    assert "https://github.com/celery/kombu/issues/2007" in found.evidence["links"]


@pytest.mark.parametrize(
    ("text", "version"),
    [("5.6.3", (5, 6, 3)), ("5.7.0rc1", (5, 7, 0)), ("5.7", (5, 7, 0)), ("dev", None)],
)
def test_versions(text: str, version: tuple[int, ...] | None) -> None:
    assert parse_version(text) == version


def test_each_fault_has_a_code_of_its_own() -> None:
    codes = [fault.code for fault in KNOWN_FAULTS]
    assert len(set(codes)) == len(codes)
    assert {CODES[fault.code].severities for fault in KNOWN_FAULTS} == {("warning",), ("info",)}


def test_the_point_comes_before_the_names_of_workers() -> None:
    """In 80 columns the end of a finding is cut."""
    state = fleet(w1={"version": "5.6.3"}, w2={"version": "5.6.3"})
    for found in known_fault_findings(state, NOW):
        assert found.text.index("w1@h") > 40, found.text
