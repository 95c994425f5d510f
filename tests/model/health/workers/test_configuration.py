from __future__ import annotations

from celtop.model.health.workers.configuration import configuration_findings
from celtop.model.state import ClusterState
from celtop.tests.model.health.fleet import fleet
from celtop.tests.model.streams import NOW

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
