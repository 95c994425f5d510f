from __future__ import annotations

from pathlib import Path

from celtop.files.queue_marks import MAX_QUEUES, QueueMarks
from celtop.model.health.message_marks import Mark, Marks

MARKS = Marks((Mark("a", 1.0), Mark("b", 1.0, newest=True)), 0.5)


def test_queues_are_remembered_for_each_cluster(tmp_path: Path) -> None:
    path = tmp_path / "state" / "marks.json"
    QueueMarks("one", path).remember({"mail": MARKS})
    assert QueueMarks("one", path).of("mail") == MARKS
    assert QueueMarks("one", path).of("geo") == QueueMarks("two", path).of("mail") == Marks()
    assert path.stat().st_mode & 0o077 == 0


def test_queues_that_were_not_checked_for_longest_are_dropped(tmp_path: Path) -> None:
    marks = QueueMarks("one", tmp_path / "marks.json")
    marks.remember({"mail": MARKS, "old": MARKS})
    marks.remember({f"q{number}": MARKS for number in range(MAX_QUEUES - 1)} | {"mail": MARKS})
    assert marks.of("old") == Marks()
    assert marks.of("mail") == MARKS
