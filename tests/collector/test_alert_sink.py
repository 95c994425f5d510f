"""Alerts without a screen: delivered by the command of the rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celtop.collector.alert_sink import AlertSink
from celtop.model.entities.changes import Changes
from celtop.model.entities.fault import Fault
from celtop.model.entities.limits.alert_rules import AlertRules
from celtop.model.health.finding import Finding
from celtop.model.health.findings import findings
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.tests.servers import until

NOW = 1_800_000_000.0
UNCHANGED = Changes({}, [], False)
FAULT = Fault("refused", "the broker is down", "start it")

Start = Callable[..., AlertSink]


@pytest.fixture
def lost() -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 10))
    state.observe(ConnectionChanged("lost", NOW - 5, FAULT))
    return state


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a sink that appends a line to a file for each delivery."""
    started = []

    def start(**arguments: object) -> AlertSink:
        rules = AlertRules(command=("sh", "-c", f"cat >> {tmp_path}/alerts"), after=5)
        sink = AlertSink(rules, "prod", print, **arguments)  # type: ignore[arg-type]
        sink.start()
        started.append(sink)
        return sink

    yield start
    for sink in started:
        sink.stop()


def delivered(folder: Path) -> list[tuple[str, str]]:
    """Return the cluster and the code of each delivered alert."""
    path = folder / "alerts"
    lines = path.read_text().splitlines() if path.exists() else []
    documents = [json.loads(line) for line in lines]
    return [(one["cluster"], alert["code"]) for one in documents for alert in one["alerts"]]


def test_a_finding_that_lasts_is_delivered_once(
    tmp_path: Path, start: Start, lost: ClusterState
) -> None:
    codes = [("prod", finding.code) for finding in findings(lost, NOW)]
    assert codes
    sink = start()
    sink.update(lost, UNCHANGED, NOW)
    for seconds in (6, 12, 18):
        sink.update(lost, UNCHANGED, NOW + seconds)
    until(lambda: delivered(tmp_path), what="an alert")
    assert delivered(tmp_path) == codes


def test_an_acknowledged_finding_is_not_delivered(
    tmp_path: Path, start: Start, lost: ClusterState
) -> None:
    asked: list[Finding] = []

    def quiets(finding: Finding) -> bool:
        asked.append(finding)
        return True

    quiet = start(quiets=quiets)
    for seconds in (0, 6):
        quiet.update(lost, UNCHANGED, NOW + seconds)
    assert asked
    loud = start()
    for seconds in (0, 6):
        loud.update(lost, UNCHANGED, NOW + seconds)
    until(lambda: delivered(tmp_path), what="the alert of the other sink")
    assert len(delivered(tmp_path)) == len(findings(lost, NOW))


def test_a_collector_that_stands_by_delivers_none_until_it_leads(
    tmp_path: Path, start: Start, lost: ClusterState
) -> None:
    leading = False
    sink = start(leads=lambda: leading)
    for seconds in (0, 6, 12):
        sink.update(lost, UNCHANGED, NOW + seconds)
    leading = True
    sink.update(lost, UNCHANGED, NOW + 20)
    assert delivered(tmp_path) == []
    sink.update(lost, UNCHANGED, NOW + 26)
    until(lambda: delivered(tmp_path), what="an alert")
    assert len(delivered(tmp_path)) == len(findings(lost, NOW))
