from __future__ import annotations

import math
import time

import pytest
from celtop.cluster.connection.metering import ConnectionMeter


def test_a_budget_grows_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    meter = ConnectionMeter(40)
    meter.count(30)
    assert (meter.is_limited, meter.spare) == (True, 10)
    now = 160.0
    assert meter.spare == 10
    now = 160.0 + 180.0
    assert meter.spare == 40
    meter.allow(20)
    assert meter.spare == 60
    assert (ConnectionMeter().is_limited, ConnectionMeter().spare) == (False, math.inf)
