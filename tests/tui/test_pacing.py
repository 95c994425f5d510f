from __future__ import annotations

from celtop.model.observations import LogMessage
from celtop.tests.tui.app_under_test import make_app
from celtop.tests.tui.fake_session import NOW
from celtop.tui.pacing import MAX_FRAME_CHARACTERS, MAX_FRAME_SECONDS, FramePacer


def test_the_first_frame_is_due_at_once() -> None:
    assert FramePacer(4).due(0.0)


def test_changes_are_painted_at_the_rate_and_never_faster() -> None:
    frames = FramePacer(4)
    frames.painted(99.75)
    frames.painted(100.0)
    frames.wanted = True
    assert not frames.due(100.2)
    assert frames.due(100.25)


def test_after_a_pause_two_frames_may_come_close() -> None:
    """Or news would wait for a quarter of a second because the clock has just moved on."""
    frames = FramePacer(4)
    frames.painted(99.0)
    frames.painted(100.0)
    frames.wanted = True
    assert not frames.due(100.04)
    assert frames.due(100.06)
    frames.painted(100.06)
    frames.wanted = True
    assert not frames.due(100.3)
    assert frames.due(100.32)


def test_a_flood_is_not_painted_more_often() -> None:
    frames, painted = FramePacer(4), 0
    for step in range(1_000):
        clock = 100.0 + step / 100
        frames.wanted = True
        if frames.due(clock):
            frames.painted(clock)
            painted += 1
    assert painted <= 10 * 4 + 1


def test_frames_that_take_long_are_painted_less_often() -> None:
    frames = FramePacer(4)
    for clock in (99.25, 99.5, 99.75, 100.0):
        frames.painted(clock)
        frames.took(2 * MAX_FRAME_SECONDS)
    frames.wanted = True
    assert not frames.due(100.4)
    assert frames.due(100.5)
    frames.took(0.001)  # a single long frame, such as that of a new page, changes nothing
    assert frames.due(100.25)


def test_drawing_a_frame_is_part_of_what_it_takes() -> None:
    frames = FramePacer(4)
    for clock in (99.25, 99.5, 99.75, 100.0):
        frames.painted(clock)
        frames.took(MAX_FRAME_SECONDS)
        frames.drew(MAX_FRAME_SECONDS)
        frames.drew(1.0)  # what a key has changed meanwhile
    frames.wanted = True
    assert not frames.due(100.4)
    assert frames.due(100.5)


def test_without_changes_one_frame_a_second() -> None:
    frames = FramePacer(4)
    frames.painted(100.0)
    assert not frames.due(100.9)
    assert frames.due(101.0)


def test_a_slow_rate_is_kept_without_changes_too() -> None:
    frames = FramePacer(0.2)
    frames.painted(100.0)
    assert not frames.due(104.0)
    assert frames.due(105.0)


def test_frames_that_send_much_are_followed_by_longer_pauses() -> None:
    frames = FramePacer(4)
    for second in (95.0, 96.0, 97.0, 98.0):
        frames.sent(1_000_000)
        frames.painted(second)
    frames.wanted = True
    frames.sent(MAX_FRAME_CHARACTERS)
    frames.sent(MAX_FRAME_CHARACTERS)
    assert not frames.due(98.45)
    assert frames.due(98.5)
    frames.sent(1_000_000)
    assert not frames.due(98.9)
    assert frames.due(99.0)


def test_the_large_frames_of_a_start_hold_nothing_up() -> None:
    """As at the start: the first data must not wait because the first screen was large."""
    frames = FramePacer(4)
    for second in (100.0, 100.1):
        frames.sent(1_000_000)
        frames.painted(second)
    frames.sent(1_000_000)
    frames.wanted = True
    assert frames.due(100.35)


def test_a_small_frame_ends_the_long_pauses() -> None:
    frames = FramePacer(4)
    for second in (97.0, 98.0, 99.0):
        frames.sent(1_000_000)
        frames.painted(second)
    frames.sent(100)
    frames.wanted = True
    assert frames.due(99.25)


async def test_a_frame_that_falls_between_two_screens_is_left_out() -> None:
    """At the very end, and while the mode changes, there is none: that must not be the last."""
    app, _ = make_app()
    assert app.screen_stack == []
    app.frame_loop.paint()
    assert app.monitor_screen is None


async def test_news_ends_the_rest() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        while session.wake is None:
            await pilot.pause(0.02)
        wake, session.wake = session.wake, None
        session.waiting.append(LogMessage("warning", "somebody", "news", NOW))
        wake()
        for _ in range(20):  # of the app's loop, which wakes up in a task of its own
            if not session.waiting:
                break
            await pilot.pause()
        assert not session.waiting
        assert any(entry.text == "news" for entry in session.state.log)


async def test_the_terminal_is_updated_soon_after_a_key() -> None:
    from celtop.tests.tui.app_under_test import run_app

    async with run_app() as on:
        timer = on.app.screen._update_timer
        assert timer._interval <= 0.005


def test_the_next_frame_is_due_when_it_is_announced() -> None:
    frames = FramePacer(4)
    for seconds in (0.3, 0.25, 0.9):
        frames.painted(100.0 - seconds)
        frames.painted(100.0)
        frames.wanted = True
        assert 100.0 < frames.next_at <= 100.25
        assert not frames.due(frames.next_at - 0.001)
        assert frames.due(frames.next_at)
