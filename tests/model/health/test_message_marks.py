from __future__ import annotations

from celtop.model.health.message_marks import MAX_MARKS, AgeBounds, Marks, read_marks
from celtop.model.observations import WaitingMessage
from celtop.tests.model.streams import NOW


def messages(ids: str, **etas: float) -> list[WaitingMessage]:
    return [WaitingMessage(one, "shop.bill", "mail", eta_at=etas.get(one)) for one in ids]


def run(*queues: tuple[float, str], complete: bool = True, **etas: float) -> AgeBounds:
    """Return the bounds after the last of some runs, each with its time and the messages."""
    marks, bounds = Marks(), AgeBounds()
    for at, ids in queues:
        marks, bounds = read_marks(marks, messages(ids, **etas), NOW + at, complete=complete)
    return bounds


def test_the_first_run_has_no_marks_of_messages() -> None:
    assert run((0, "abc")) == AgeBounds(0.0, None)
    assert run((0, "")) == AgeBounds(0.0, 0.0)


def test_a_message_that_was_there_before_has_waited_since_then() -> None:
    assert run((0, "abc"), (60, "abcd")) == AgeBounds(60.0, None)
    # The newest of the first run is the next one now.
    assert run((0, "abc"), (60, "cde"), (90, "cde")) == AgeBounds(90.0, None)


def test_if_the_newest_one_is_gone_all_others_are_newer() -> None:
    assert run((0, "abc"), (60, "def")) == AgeBounds(0.0, 60.0)
    assert run((0, "abc"), (60, "def"), (120, "efg")) == AgeBounds(60.0, 120.0)
    assert run((0, ""), (60, "abc"), (90, "abc")) == AgeBounds(30.0, 90.0)


def test_a_long_queue_is_read_in_part() -> None:
    assert run((0, "abc"), (60, "def"), complete=False) == AgeBounds(0.0, None)
    assert run((0, "abc"), (60, "abc"), complete=False) == AgeBounds(60.0, None)


def test_a_message_waits_since_its_eta() -> None:
    assert run((0, "a"), (60, "a"), a=NOW + 50) == AgeBounds(10.0, None)
    assert run((0, "a"), (60, "a"), a=NOW + 90) == AgeBounds(0.0, None)


def test_the_number_of_marks_is_bounded() -> None:
    marks = Marks()
    for number in range(5 * MAX_MARKS):
        queue = messages("first") + [
            WaitingMessage(f"m{one}", "shop.bill", "mail") for one in range(number + 1)
        ]
        marks, bounds = read_marks(marks, queue, NOW + number, complete=True)
        assert len(marks.marks) <= MAX_MARKS
        assert bounds == AgeBounds(float(number), None)
