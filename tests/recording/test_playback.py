"""The position moves with real time times the speed."""

from __future__ import annotations

from celtop.recording.playback import Playback


def test_the_target_moves_with_the_speed_once_the_model_has_caught_up() -> None:
    playback = Playback(1000.0, 50.0)
    assert playback.advance(5.0) == 1000.0
    assert playback.advance(5.5) == 1025.0
    assert playback.advance(5.6) == 1025.0, "the model is behind"
    playback.position = 1025.0
    assert playback.advance(5.75) > 1025.0


def test_a_blocked_screen_leaps_by_a_second_at_most() -> None:
    playback = Playback(0.0, 2.0)
    playback.advance(0.0)
    assert playback.advance(100.0) == 2.0


def test_it_stands_still_while_paused() -> None:
    playback = Playback(0.0, paused=True)
    playback.advance(0.0)
    assert playback.advance(0.5) == 0.0
    playback.toggle()
    assert playback.advance(1.0) == 0.5


def test_speeds_are_chosen_in_steps() -> None:
    playback = Playback(0.0)
    playback.change_speed(1)
    assert playback.speed == 2.0
    playback.change_speed(-1)
    playback.change_speed(-1)
    assert playback.speed == 0.5
    playback.speed = 3.0
    playback.change_speed(1)
    assert playback.speed == 5.0
    playback.speed = 3.0
    playback.change_speed(-1)
    assert playback.speed == 2.0
    playback.speed = 500.0
    playback.change_speed(1)
    assert playback.speed == 500.0
