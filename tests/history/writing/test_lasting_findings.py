from __future__ import annotations

from celtop.history.rows import StoredFinding
from celtop.history.writing.lasting_findings import LastingFindings
from celtop.tests.history.rows import CLUSTER, NOW


def finding(code: str, began_at: float, ended_at: float | None = None) -> StoredFinding:
    return StoredFinding(CLUSTER, code, "w", began_at, ended_at, "warning", code, "wait")


def test_the_row_of_the_writer_before_is_continued() -> None:
    known = LastingFindings()
    assert known.take([finding("lost", NOW)]) == (finding("lost", NOW),)
    stored = finding("lost", NOW - 60)
    assert known.resume(CLUSTER, [stored], NOW) == (stored,)
    assert known.resume("other", [], NOW) == ()
    ended = known.take([finding("lost", NOW, NOW + 5)])
    assert ended == (finding("lost", NOW - 60, NOW + 5),)
    assert known.take(ended) == ended
    again = finding("lost", NOW + 9)
    assert known.take([again]) == (again,), "another one of the same code"


def test_what_is_gone_ended_with_the_writer_before() -> None:
    known = LastingFindings()
    known.take([finding("late", NOW), finding("late", NOW, NOW + 1)])
    rows = known.resume(CLUSTER, [finding("late", NOW - 9)], NOW - 5)
    assert rows == (finding("late", NOW - 9, NOW - 5),)
