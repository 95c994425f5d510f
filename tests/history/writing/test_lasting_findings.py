from __future__ import annotations

from celtop.history.rows import StoredFinding
from celtop.history.writing.lasting_findings import LastingFindings
from celtop.tests.history.rows import CLUSTER, NOW


def finding(code: str, began_at: float, ended_at: float | None = None) -> StoredFinding:
    return StoredFinding(CLUSTER, code, "w", began_at, ended_at, "warning", code, "wait")


def test_the_row_of_the_writer_before_is_continued() -> None:
    known = LastingFindings()
    known.take([finding("lost", NOW)])
    assert known.continued([finding("lost", NOW)]) == (finding("lost", NOW),)
    stored = finding("lost", NOW - 60)
    assert known.resume(CLUSTER, [stored], NOW) == (stored,)
    assert known.resume("other", [], NOW) == ()
    ended = known.continued([finding("lost", NOW, NOW + 5)])
    assert ended == (finding("lost", NOW - 60, NOW + 5),)
    assert known.continued(ended) == ended
    again = finding("lost", NOW + 9)
    assert known.continued([again]) == (again,), "another one of the same code"


def test_what_is_gone_ended_with_the_writer_before() -> None:
    known = LastingFindings()
    known.take([finding("late", NOW), finding("late", NOW, NOW + 1)])
    rows = known.resume(CLUSTER, [finding("late", NOW - 9)], NOW - 5)
    assert rows == (finding("late", NOW - 9, NOW - 5),)


def test_of_two_rows_of_one_finding_one_goes_on() -> None:
    known = LastingFindings()
    known.take([finding("late", NOW)])
    rows = known.resume(CLUSTER, [finding("late", NOW - 9), finding("late", NOW - 8)], NOW - 5)
    assert rows == (finding("late", NOW - 8, NOW - 5), finding("late", NOW - 9))
    assert known.resume(CLUSTER, [finding("late", NOW - 9)], NOW) == (finding("late", NOW - 9),)
