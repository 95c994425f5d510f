"""The metrics server of commands: what it needs."""

from __future__ import annotations

import sys

import pytest
from celtop.cli.exit_codes import InvalidUsage
from celtop.cli.metrics_server import read_listen


def test_a_missing_prometheus_client_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(InvalidUsage, match=r"pip install 'celtop\[metrics\]'"):
        read_listen("127.0.0.1:0")
