"""Alerts reach a program and a real Alertmanager; a problem is reported, never raised."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.alerts.sender import AlertSender
from celtop.alerts.tracker import Alert, Raised
from celtop.demo.server import free_port
from celtop.model.entities.limits.alert_rules import AlertRules
from celtop.model.health.finding import Finding
from celtop.tests.servers import Child, answers, clean_environment, until

CONFIGURATION = """
route:
  receiver: unused
receivers:
  - name: unused
"""
MAIL = Finding("queue-no-consumers", "error", "queue", "no consumers; $(id) `id`", "mail")


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the API of an Alertmanager without peers."""
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_port()
    (folder / "config.yml").write_text(CONFIGURATION)
    child = Child(
        [
            "prometheus-alertmanager",
            f"--config.file={folder / 'config.yml'}",
            f"--storage.path={folder}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        folder / "alertmanager.log",
        clean_environment(),
    )
    until(lambda: answers(port) or not child.alive, what="Alertmanager listens")
    assert child.alive, child.output
    yield f"http://127.0.0.1:{port}/api/v2/alerts"
    child.kill()


def alerts_of(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(url, timeout=5) as reply:
        found: list[dict[str, Any]] = json.load(reply)
    return found


class Sending:
    def __init__(self, rules: AlertRules) -> None:
        self.problems: list[str] = []
        self.sender = AlertSender(rules, "redis://host/0", self.problems.append)
        self.sender.start()

    def raised(self, change: Any = "raised", **fields: Any) -> None:
        alert = Alert(MAIL, time.time() - 60, **fields)
        active = [] if change == "resolved" else [alert]
        self.sender.deliver([Raised(alert, change)], active, time.time())


@pytest.fixture
def sending() -> Iterator[Any]:
    made: list[Sending] = []

    def make(**rules: Any) -> Sending:
        made.append(Sending(AlertRules(**rules)))
        return made[-1]

    yield make
    for one in made:
        one.sender.stop()


def test_alertmanager_takes_and_resolves_an_alert(alertmanager: str, sending: Any) -> None:
    on = sending(webhook=alertmanager, labels={"team": "ops"})
    on.raised()
    (alert,) = until(lambda: alerts_of(alertmanager))
    assert alert["labels"] == {
        "alertname": "queue-no-consumers",
        "severity": "error",
        "cluster": "redis://host/0",
        "subject": "queue mail",
        "team": "ops",
    }
    assert alert["annotations"]["summary"].startswith("queue mail: no consumers")
    assert alert["status"]["state"] == "active"
    on.raised("resolved", ended_at=time.time())
    until(lambda: not alerts_of(alertmanager))
    assert on.problems == []


def test_a_program_reads_the_alerts_and_no_shell_does(tmp_path: Path, sending: Any) -> None:
    written = tmp_path / "alerts.json"
    code = f"import sys; open({str(written)!r}, 'w').write(sys.stdin.read())"
    on = sending(command=(sys.executable, "-c", code))
    on.raised()
    until(lambda: written.exists() and written.read_text().endswith("}"))
    document = json.loads(written.read_text())
    assert document["schema"] == "celtop.alerts/1"
    (alert,) = document["alerts"]
    assert (alert["change"], alert["code"], alert["text"]) == (
        "raised",
        "queue-no-consumers",
        "no consumers; $(id) `id`",
    )
    assert on.problems == []


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"command": ("/nonexistent/program",)}, "No such file"),
        ({"command": ("sh", "-c", "echo no disk >&2; exit 3")}, "(exit code 3): no disk"),
    ],
)
def test_a_program_that_fails_is_reported(
    rules: dict[str, Any], problem: str, sending: Any
) -> None:
    on = sending(**rules)
    on.raised()
    until(lambda: on.problems)
    assert problem in on.problems[0]


def test_a_refused_post_is_reported_without_the_password(alertmanager: str, sending: Any) -> None:
    url = alertmanager.replace("//", "//me:secret@").replace("alerts", "nothing")
    on = sending(webhook=url)
    on.raised()
    until(lambda: on.problems)
    assert "HTTP 404" in on.problems[0]
    assert "secret" not in on.problems[0]
