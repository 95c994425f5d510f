from __future__ import annotations

from celtop.history.rows import Run, StoredFinding
from celtop.history.writing.lasting_findings import LastingFindings
from celtop.model.health.first_found import MAX_GAP, SETTLED_AFTER
from celtop.tests.history.rows import CLUSTER, NOW

RUN = Run(CLUSTER, "h:1", NOW, NOW)


def finding(code: str, began_at: float, ended_at: float | None = None) -> StoredFinding:
    return StoredFinding(CLUSTER, code, "w", began_at, ended_at, "warning", code, "wait")


def test_the_row_of_the_writer_before_is_continued() -> None:
    known = LastingFindings()
    known.take([finding("lost", NOW)])
    assert known.continued([finding("lost", NOW)]) == (finding("lost", NOW),)
    stored = finding("lost", NOW - 60)
    assert known.resume(RUN, [stored], NOW) == (stored,)
    assert known.resume(Run("other", "h:1", NOW, NOW), [], NOW) == ()
    ended = known.continued([finding("lost", NOW, NOW + 5)])
    assert ended == (finding("lost", NOW - 60, NOW + 5),)
    assert known.continued(ended) == ended
    again = finding("lost", NOW + 9)
    assert known.continued([again]) == (again,), "another one of the same code"


def test_what_is_not_found_in_time_ended_with_the_writer_before() -> None:
    known = LastingFindings()
    known.take([finding("late", NOW), finding("late", NOW, NOW + 1)])
    stored = [finding("late", NOW - 9), finding("lost", NOW - 8)]
    assert known.resume(RUN, stored, NOW - 5) == ()
    known.forget_gone(NOW + SETTLED_AFTER - 1)
    assert known.gone(NOW + SETTLED_AFTER - 1) == ()
    found = finding("lost", NOW + 9)  # workers have to reply first
    known.take([found])
    assert known.continued([found]) == (finding("lost", NOW - 8),)
    assert known.gone(NOW + SETTLED_AFTER) == (finding("late", NOW - 9, NOW - 5),)
    known.forget_gone(NOW + SETTLED_AFTER)
    assert known.gone(NOW + SETTLED_AFTER) == ()


def test_after_a_long_gap_a_finding_is_another_one() -> None:
    known = LastingFindings()
    known.take([finding("late", NOW)])
    written_at = NOW - MAX_GAP - 1
    rows = known.resume(RUN, [finding("late", NOW - 9_999)], written_at)
    assert rows == (finding("late", NOW - 9_999, written_at), finding("late", NOW))


def test_of_two_rows_of_one_finding_one_goes_on() -> None:
    known = LastingFindings()
    known.take([finding("late", NOW)])
    stored = [finding("late", NOW - 9), finding("late", NOW - 8)]
    rows = known.resume(RUN, stored, NOW - 5)
    assert rows == (finding("late", NOW - 8, NOW - 5), finding("late", NOW - 9))
    (first,) = known.resume(RUN, stored[:1], NOW)
    assert first == finding("late", NOW - 9)
