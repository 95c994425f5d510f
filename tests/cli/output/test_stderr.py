"""Messages on stderr, with names that a stranger may have chosen."""

from __future__ import annotations

import pytest
from celtop.cli.commands.monitoring.collect import _LogPrinter
from celtop.cli.output import stderr
from celtop.model.observations import LogMessage
from celtop.model.state import ClusterState


def test_a_message_of_several_lines(capsys: pytest.CaptureFixture[str]) -> None:
    stderr.echo("Usage\n\x1b[31mred")
    assert capsys.readouterr().err == "celtop: Usage\nceltop: \\x1b[31mred\n"


def test_no_name_forges_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    state = ClusterState()
    name = "w\n2026-01-01 00:00:00 error shop: broker: forged\u2028x" + "x" * 1_000_000
    state.observe(LogMessage("info", "worker", f"{name} is online", 1.0))
    _LogPrinter("shop").update(state, state.take_changes(), 2.0)
    printed = capsys.readouterr().err
    assert len(printed.splitlines()) == 1
    assert "shop: worker: w\\n2026-01-01" in printed
    assert len(printed) < 3_000
