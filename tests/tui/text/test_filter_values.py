"""Values that are offered while a filter is typed."""

from __future__ import annotations

import pytest
from celtop.model.query.completion import completions
from celtop.model.state import ClusterState
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tui.text.filter_values import filter_values


@pytest.mark.parametrize("field", ["error", "exception"])
def test_exceptions_are_completed_to_classes_that_occurred(field: str) -> None:
    state = ClusterState()
    feed(state, task_events(1, "billing.charge", at=NOW - 20, end="failed", exception="Refused()"))
    state.take_changes()
    (group,) = state.failures
    assert group.error
    found = [one.text for one in completions(f"{field}:", filter_values(state))]
    assert found == [f"{field}:{group.error}"]
