"""Alerts ring, name themselves in the title, and leave the title as it was."""

from __future__ import annotations

import pytest
from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.settings import load_settings
from celtop.tests.tui.app_under_test import Clock, make_app
from celtop.tui.app.alerting import alerting_of


def test_the_terminal_shows_an_alert_until_it_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-kitty")
    clock = Clock()
    app, session = make_app(ClusterState(), clock)
    rules = {"for": "10s", "bell": True, "title": True, "notification": "auto"}
    app.context.settings = load_settings({"alerts": rules}, environ={})
    written: list[str] = []
    alerting = alerting_of(app.context, written.append)
    assert alerting is not None
    alerting.start()
    assert written == ["\x1b[22;2t"]
    session.state.observe(ConnectionChanged("lost", clock(), Fault("refused", "no route", "")))
    for _ in range(3):
        alerting.tick()
        clock.now += 5
    text = "".join(written)
    assert text.count("\a") == 1
    assert "\x1b]99;i=celtop;celtop: broker" in text
    assert "\x1b]2;(1) celtop: broker" in text
    del written[:]
    session.state.observe(ConnectionChanged("live", clock()))
    for _ in range(4):
        alerting.tick()
        clock.now += 5
    text = "".join(written)
    assert "Resolved: broker" in text and "\a" not in text
    assert written[-1] == "\x1b]2;celtop\x1b\\"
    alerting.stop()
    assert written[-1] == "\x1b[23;2t"


def test_by_default_nothing_is_raised() -> None:
    app, _ = make_app(ClusterState(), Clock())
    assert alerting_of(app.context, print) is None
