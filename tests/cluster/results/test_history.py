"""Which queues are read again."""

from __future__ import annotations

import pytest
from celtop.cluster.results import history


def test_each_queue_is_read_once_and_without_consumers_when_it_changed() -> None:
    added = {"mail": 3, "bill": 0}
    assert history._unread({}, added, {}) == added
    assert history._unread({"mail": 1}, added, {}) == {"bill": 0}
    assert history._unread({"mail": 3, "x": 5}, {}, {"mail": 3, "x": 6, "y": 1}) == {"x": 6, "y": 1}


def test_of_too_many_queues_only_those_are_read_that_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_QUEUES", 2)
    assert history._unread({}, {"a": 1, "b": 1, "c": 1}, {}) == {"a": 1, "b": 1}
    assert history._unread({"a": 1, "b": 1}, {"c": 1}, {"a": 2, "d": 1}) == {"a": 2}
