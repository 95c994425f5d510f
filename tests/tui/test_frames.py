from __future__ import annotations

from celtop.tui.frames import Frames


def test_the_first_frame_is_due_at_once() -> None:
    assert Frames(4).due(0.0)


def test_changes_are_painted_at_the_rate_and_never_faster() -> None:
    frames = Frames(4)
    frames.painted(100.0)
    frames.wanted = True
    assert not frames.due(100.2)
    assert frames.due(100.25)


def test_without_changes_one_frame_a_second() -> None:
    frames = Frames(4)
    frames.painted(100.0)
    assert not frames.due(100.9)
    assert frames.due(101.0)


def test_a_slow_rate_is_kept_without_changes_too() -> None:
    frames = Frames(0.2)
    frames.painted(100.0)
    assert not frames.due(104.0)
    assert frames.due(105.0)
