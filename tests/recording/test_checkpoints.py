"""Copies of the model that a replay goes back to."""

from __future__ import annotations

import pytest
from celtop.model.observations import LogMessage
from celtop.model.state import ClusterState
from celtop.recording import checkpoints
from celtop.recording.checkpoints import Checkpoints


def test_a_copy_goes_on_without_the_original() -> None:
    state, kept = ClusterState(), Checkpoints()
    state.observe(LogMessage("info", "x", "before", 100.0))
    kept.add(state, 100.0, 1, checkpoints.MIN_SECONDS)
    state.observe(LogMessage("info", "x", "after", 101.0))
    found = kept.before(100.5)
    assert found is not None and (found.at, found.records) == (100.0, 1)
    copy = found.state()
    copy.observe(LogMessage("info", "x", "again", 102.0))
    assert [entry.text for entry in copy.log] == ["before", "again"]
    assert [entry.text for entry in found.state().log] == ["before"]
    assert kept.before(99.0) is None


@pytest.mark.parametrize("limit", ["MAX_CHECKPOINTS", "MAX_BYTES"])
def test_they_are_bounded_and_spread(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state, kept = ClusterState(), Checkpoints()
    monkeypatch.setattr(checkpoints, "MIN_SHARE", 0.0)
    kept.add(state, 0.0, 0, 1.0)
    size = len(kept._kept[0].copy)
    monkeypatch.setattr(checkpoints, limit, 4 if limit == "MAX_CHECKPOINTS" else 4 * size)
    for number in range(1, 100):
        kept.add(state, float(number), number, 1.0)
    at = [one.at for one in kept._kept]
    assert 2 <= len(at) <= 4
    assert at[0] < 50 < at[-1]


def test_what_was_applied_again_is_not_kept_twice() -> None:
    state, kept = ClusterState(), Checkpoints()
    for number in (5, 9, 7, 9):
        kept.add(state, float(number), number, 60.0)
    assert [one.records for one in kept._kept] == [5, 9]
