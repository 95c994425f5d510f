from __future__ import annotations

from celtop.widgets.table.cursor_trail import MAX_ROWS, CursorTrail


def test_a_key_is_meant_for_the_row_that_was_painted_when_it_went_down() -> None:
    trail = CursorTrail()
    trail.add("a", 1.0)
    trail.add("a", 2.0)
    trail.add("b", 3.0)
    assert [trail.at(at) for at in (0.5, 1.0, 2.9, 3.0, 9.0)] == [None, "a", "a", "b", "b"]


def test_a_row_that_the_user_chose_is_meant_by_all_keys() -> None:
    trail = CursorTrail()
    trail.add("a", 1.0)
    trail.add("b", 3.0)
    trail.restart("c")
    assert trail.at(1.0) == trail.at(9.0) == "c"


def test_a_key_before_the_first_row_is_meant_for_none() -> None:
    trail = CursorTrail()
    trail.add(None, 1.0)
    trail.restart(None)
    trail.restart("a")
    trail.add("a", 2.0)
    trail.restart("b")
    assert [trail.at(at) for at in (0.5, 1.9, 2.0)] == [None, None, "b"]


def test_old_rows_are_forgotten() -> None:
    trail = CursorTrail()
    for number in range(2 * MAX_ROWS):
        trail.add(str(number), float(number))
    assert trail.at(MAX_ROWS - 1.0) is None
    assert trail.at(float(MAX_ROWS)) == str(MAX_ROWS)
