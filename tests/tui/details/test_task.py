from __future__ import annotations

import pytest
from celtop.model.entities.states import FROM_HISTORY
from celtop.model.entities.task import Task, TaskExtra
from celtop.tui.details.task import _sources, _times
from celtop.widgets.table.column import Frame


@pytest.mark.parametrize(
    ("share", "text"), [(None, "history"), (0.125, "history: 1 of 8 successes stored")]
)
def test_the_part_of_successes_that_is_stored_is_stated(share: float | None, text: str) -> None:
    task = Task("a", sources=FROM_HISTORY, extra=TaskExtra(stored_share=share))
    assert _sources(task) == text


def test_a_retried_task_shows_the_times_of_its_own_attempt() -> None:
    task = Task("a", state="RETRY", worker="w", sent_at=9.0, received_at=4.0, started_at=5.0)
    task.set_extra(sent_retries=1)
    frame = Frame(20.0, utc=True)
    assert labels(task, frame) == ["Received", "Started", "Retried"]
    task.finished_at = 9.5
    assert labels(task, frame) == ["Received", "Started", "Retried"]
    assert "00:00:09.500" in _times(task, frame)[2].value
    task.state = "SUCCESS"
    assert labels(task, frame) == ["Sent", "Received", "Started", "Finished"]


def test_without_the_event_of_the_retry_a_retried_task_shows_when_it_was_sent() -> None:
    task = Task("a", state="RETRY", worker="w", sent_at=3.0, received_at=4.0, started_at=5.0)
    assert labels(task, Frame(20.0, utc=True))[:3] == ["Sent", "Received", "Started"]


def labels(task: Task, frame: Frame) -> list[str]:
    names = ("Sent", "Received", "Started", "Retried", "Finished")
    return [field.label for field in _times(task, frame) if field.label in names]


@pytest.mark.parametrize(
    ("ahead", "text"),
    [(-3.0, "3.0 s ago"), (1.5, "0 s ago"), (3.6, "3.6 s ahead of this host's clock")],
)
def test_the_time_of_an_event_is_never_to_come(ahead: float, text: str) -> None:
    task = Task("a", state="SUCCESS", worker="w", started_at=1.0, finished_at=20.0 + ahead)
    finished = next(one for one in _times(task, Frame(20.0, utc=True)) if one.label == "Finished")
    assert finished.value.endswith(f"  {text}")
