from __future__ import annotations

import pytest
from celtop.lists.attempts import countdown


@pytest.mark.parametrize(
    ("now", "known_until", "text"),
    [(95.0, 95.0, "in 5.0 s"), (103.0, 103.0, "3.0 s late"), (109.0, 103.0, "3.0 s late"),
     (109.0, 90.0, "due")],
)  # fmt: skip
def test_a_task_is_late_only_for_as_long_as_that_is_known(
    now: float, known_until: float, text: str
) -> None:
    assert countdown(100.0, now, known_until) == text
