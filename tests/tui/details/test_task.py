from __future__ import annotations

import pytest
from celtop.model.entities.states import FROM_HISTORY
from celtop.model.entities.task import Task, TaskExtra
from celtop.tui.details.task import _sources


@pytest.mark.parametrize(
    ("share", "text"), [(None, "history"), (0.125, "history: 1 of 8 successes stored")]
)
def test_the_part_of_successes_that_is_stored_is_stated(share: float | None, text: str) -> None:
    task = Task("a", sources=FROM_HISTORY, extra=TaskExtra(stored_share=share))
    assert _sources(task) == text
