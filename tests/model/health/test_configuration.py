from __future__ import annotations

from typing import Any

from celtop.model.health.configuration import configuration_findings
from celtop.model.state import ClusterState
from celtop.tests.model.health.fleet import fleet, item
from celtop.tests.model.streams import NOW, Script, play

BACKEND = {"result_backend": "redis://h/1"}


def codes(state: ClusterState) -> list[tuple[str, str]]:
    return [(one.code, one.name) for one in configuration_findings(state, NOW)]


def test_settings_of_results_are_one_finding_for_all_workers() -> None:
    state = fleet(w1={"conf": BACKEND}, w2={"conf": BACKEND})
    assert codes(state) == [("result-extended-off", "")]
    state.workers["w1@h"].events_enabled = False
    (_, track) = configuration_findings(state, NOW)
    assert (track.code, track.evidence["workers"]) == ("track-started-off", ["w1@h"])
    assert codes(fleet(w1={"conf": {}})) == []
    assert codes(fleet(w1={})) == []


def runs(seconds: float, **conf: Any) -> ClusterState:
    state = fleet(w1={"conf": conf})
    script = Script("a", NOW - 9, worker="w1@h").received().started()
    return play(script.succeeded(runtime=seconds).events, state, NOW)


def test_runs_longer_than_the_visibility_timeout() -> None:
    assert codes(runs(4_000.0, task_acks_late=True)) == [("visibility-timeout-short", "shop.bill")]
    assert codes(runs(4_000.0)) == []
    assert codes(runs(400.0, task_acks_late=True)) == []
    options = {"visibility_timeout": 300}
    found = runs(400.0, task_acks_late=True, broker_transport_options=options)
    assert codes(found) == [("visibility-timeout-short", "shop.bill")]


def test_an_eta_beyond_the_visibility_timeout() -> None:
    def scheduled(eta: str, transport: str = "redis") -> ClusterState:
        entry = {"eta": eta, "request": item("a")}
        return fleet(transport=transport, w1={"scheduled": [entry]})

    late, soon = "2023-11-15T12:00:00+00:00", "2023-11-14T22:30:00+00:00"
    assert codes(scheduled(late)) == [("eta-beyond-visibility-timeout", "w1@h")]
    assert codes(scheduled(soon)) == []
    assert codes(scheduled(late, "amqp")) == []
