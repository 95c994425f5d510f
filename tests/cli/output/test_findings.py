from __future__ import annotations

import pytest
from celtop.cli.output.findings import report_incomplete
from celtop.model.entities.fault import Fault
from celtop.model.observations import InspectReply, QuestionsFailed
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW


def test_findings_that_are_alike_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    state = ClusterState()
    names = tuple(f"w{number}@h" for number in range(1, 6))
    for name in names:
        state.observe(InspectReply(name, "stats", {}, NOW))
    report_incomplete(state, NOW)
    assert capsys.readouterr().err == ""
    fault = Fault("no-reply", "no reply", "")
    state.observe(QuestionsFailed("worker", ("active",), NOW, fault, names))
    report_incomplete(state, NOW)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "celtop: worker w1@h, w2@h, w3@h and 2 more: "
        "inspect active failed: no reply; its values are unknown\n"
    )
