from __future__ import annotations

from celtop.history.retention_clock import CONFIRMED_AFTER, MAX_JUMP, RetentionClock
from celtop.tests.history.rows import NOW

YEAR = 365 * 86_400.0


def test_the_clock_is_followed() -> None:
    clock = RetentionClock(NOW - 10)
    assert clock.now(NOW, 100.0) == NOW
    assert clock.now(NOW + 60, 160.0) == NOW + 60
    assert clock.now(NOW - 500, 220.0) == NOW - 500, "it was set back"
    assert clock.now(NOW + 280, 280.0) == NOW + 280, "and right again"


def test_a_new_history_has_no_time_before() -> None:
    assert RetentionClock(None).now(NOW, 5.0) == NOW


def test_a_jump_is_left_out_until_it_is_confirmed() -> None:
    clock = RetentionClock(NOW)
    assert clock.now(NOW, 0.0) == NOW
    assert clock.now(NOW + YEAR, 60.0) == NOW + 60
    assert clock.now(NOW + YEAR + 60, 120.0) == NOW + 120
    later = 60.0 + CONFIRMED_AFTER
    assert clock.now(NOW + YEAR + later, later) == NOW + YEAR + later
    assert clock.now(NOW + YEAR + later + 60, later + 60) == NOW + YEAR + later + 60


def test_a_jump_that_is_corrected_is_forgotten() -> None:
    clock = RetentionClock(NOW)
    assert clock.now(NOW + YEAR, 0.0) == NOW
    assert clock.now(NOW + 60, 60.0) == NOW + 60
    later = CONFIRMED_AFTER + 60
    assert clock.now(NOW + YEAR, later) == NOW + later, "it begins again"


def test_a_jump_between_two_runs() -> None:
    assert RetentionClock(NOW - MAX_JUMP - 5).now(NOW, 0.0) == NOW - MAX_JUMP - 5
