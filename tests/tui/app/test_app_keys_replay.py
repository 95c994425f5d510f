"""What the keys and commands of a replay do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from celtop.bindings.keymap import Keymap
from celtop.recording.playback import Playback
from celtop.recording.reader import Recording
from celtop.recording.session import ReplaySession
from celtop.recording.settings import replay_settings
from celtop.settings import Settings
from celtop.tests.test_recording import RECORDING
from celtop.tests.tui.app_under_test import AppUnderTest, Clock, RecordingApp
from celtop.tests.tui.fake_session import FakeSession
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all
from celtop.tui.commands.base import CommandError
from celtop.tui.commands.replay import seek_time
from celtop.tui.replay import NOT_A_REPLAY

KEYS = {action.id: action.keys[0] for action in Keymap().actions if action.keys}


@asynccontextmanager
async def run_replay(
    at: float = 30.0, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[AppUnderTest, ReplaySession, Clock]]:
    """Run the app on the recording of the tests, paused some seconds after its beginning."""
    recording, clock = Recording(RECORDING), Clock(0.0)
    settings = replay_settings(Settings(timezone="utc", ascii=False), recording)
    playback = Playback(recording.header.started_at, paused=True)
    session = ReplaySession(settings, recording, playback, clock)
    session.seek(playback.begin + at)
    while session.pump(0.0, 1.0).more:
        pass
    app = RecordingApp(session, settings, playback.now)
    app.set_up_replay(session)
    async with app.run_test(size=size) as pilot:
        ui = AppUnderTest(app, FakeSession(), pilot)
        await ui.until(lambda: playback.end is not None and "paused" in ui.text)
        yield ui, session, clock


@checks(
    "replay.slower",
    "replay.faster",
    "replay.step_back",
    "replay.step",
    "replay.back",
    "replay.forward",
    sharing=True,
)
async def _only_in_a_replay(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert ui.said == [NOT_A_REPLAY]


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)


async def test_keys_move_the_recording_and_its_model() -> None:
    async with run_replay() as (ui, session, clock):
        playback, begin = session.playback, session.playback.begin
        assert "REPLAY" in ui.text

        async def shows(after: float) -> None:
            await ui.until(lambda: playback.position == pytest.approx(begin + after))

        await ui.press(KEYS["replay.step"])
        await shows(31.0)
        known = len(session.state.tasks)
        await ui.press(KEYS["replay.step_back"], KEYS["replay.step_back"])
        await shows(29.0)
        assert len(session.state.tasks) < known
        await ui.until(lambda: f"{len(session.state.tasks)} tasks" in ui.text)
        assert playback.end is not None
        leap = (playback.end - begin) * 0.05
        await ui.press(KEYS["replay.forward"])
        await shows(29.0 + leap)
        await ui.press(KEYS["replay.back"])
        await shows(29.0)
        await ui.press(KEYS["replay.faster"], KEYS["replay.faster"], KEYS["replay.slower"])
        assert playback.speed == 2.0
        await ui.press(KEYS["freeze"])
        assert not playback.paused and not ui.app.context.frozen
        clock.now += 0.5
        await shows(30.0)
        await ui.press(KEYS["freeze"])
        assert playback.paused


async def test_a_click_on_the_slider_goes_there() -> None:
    async with run_replay() as (ui, session, _):
        bar = ui.screen.replay_bar
        await ui.until(lambda: "█" in bar.render_line(0).text)
        begin = bar.render_line(0).text.index("█")
        await ui.pilot.click(bar, offset=(begin, 0))
        await ui.until(lambda: session.playback.position == session.playback.begin)
        await ui.pilot.click(bar, offset=(begin + 40, 0))
        await ui.until(lambda: session.playback.position > session.playback.begin + 30)


async def test_every_operation_is_refused_as_this_is_a_recording() -> None:
    async with run_replay() as (ui, session, _):
        await ui.press("2", KEYS["task.revoke"])
        assert ui.said == ["this is a recording"]
        ui.app.run_command("rw")
        ui.app.run_command("revoke " + next(iter(session.state.tasks)))
        assert ui.said == ["this is a recording"] * 3
        assert session.read_only and not session.state.operations


async def test_it_is_played_from_the_beginning_after_its_end() -> None:
    async with run_replay() as (ui, session, _):
        ui.app.run_command("speed 50")
        ui.app.run_command("seek end")
        await ui.until(lambda: session.playback.is_over and " end " in ui.text)
        await ui.press(KEYS["freeze"])
        assert not session.playback.paused
        assert session.playback.speed == 50.0
        await ui.until(lambda: session.playback.position < session.playback.begin + 10)


async def test_a_page_follows_when_the_recording_is_moved() -> None:
    async with run_replay(size=(80, 24)) as (ui, session, _):
        await ui.press("2", "enter")
        for where in ("start", "50%", "end"):
            ui.app.run_command(f"seek {where}")
            await ui.until(lambda: not session.playback.seeking)
            await ui.pilot.pause(0.1)
            line = ui.screen.replay_bar.render_line(0).text
            assert "( ) step" in line and "{ } speed" in line  # at 80 columns and in any state
        assert ui.app.context.state.tasks is session.state.tasks


def test_positions_in_words() -> None:
    playback = Playback(1_800_000_000.0)  # 08:00:00 UTC
    playback.position, playback.end = playback.begin + 60, playback.begin + 600

    def after(text: str) -> float:
        return seek_time(text, playback, utc=True) - playback.begin

    assert after("start") == 0
    assert after("END") == 600
    assert after("25%") == 150
    assert after("+1m") == 120
    assert after("-30s") == 30
    assert after("08:05") == 300
    assert after("08:00:00") == 0
    for text in ("", "soon", "+x", "25:99"):
        with pytest.raises(CommandError, match="Usage: seek"):
            seek_time(text, playback, utc=True)
