"""The first frame comes before the settings, and keys typed meanwhile are not lost."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from celtop.bindings.keymap import Keymap
from celtop.cluster.session import Session
from celtop.files.acknowledgements import Acknowledgements
from celtop.settings import Settings
from celtop.tests.tui.fake_session import FakeSession
from celtop.tests.widgets.screen_text import screen_text
from celtop.tui.app.starting import Prepared, StartingApp
from celtop.tui.seen_hints import SeenHints
from textual.events import Key
from textual.pilot import Pilot


class Settled:
    """Settings that are read when a test allows it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.allowed = threading.Event()
        self.error = error

    def __call__(self) -> Prepared:
        self.allowed.wait(20)
        if self.error is not None:
            raise self.error
        settings = Settings(ascii=False, theme="celtop-light", load_results=0)
        return Prepared(
            cast(Session, FakeSession()),
            settings,
            Keymap(),
            SeenHints(None),
            Acknowledgements(None),
        )


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"timed out; the screen:\n{screen_text(pilot.app)}")


def shows(app: StartingApp, text: str) -> bool:
    return any(text in line for line in screen_text(app))


async def test_keys_typed_before_the_settings_are_known_go_to_the_first_screen() -> None:
    prepare = Settled()
    app = StartingApp(prepare)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: shows(app, "1 Overview"))
        assert not app.is_set_up
        await pilot.press("2")
        prepare.allowed.set()
        await until(pilot, lambda: app.is_set_up and app.current_mode == "tasks")
        assert app.theme == "celtop-light"


async def test_other_keys_typed_on_the_first_frame_do_not_act() -> None:
    prepare = Settled()
    app = StartingApp(prepare)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: shows(app, "starting"))
        await pilot.press("p", "t", "3", ":", *"quit", "2")
        prepare.allowed.set()
        await until(pilot, lambda: app.is_set_up and app.current_mode == "tasks")
        await pilot.pause()
        assert app.monitor_screen is not None and not app.context.frozen
        assert app.monitor_screen.typing is None and app.is_running


async def test_keys_keep_their_order_while_the_first_screen_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare = Settled()
    app = StartingApp(prepare)
    monkeypatch.setattr(app, "use_mouse", lambda on: app.post_message(Key("3", "3")))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: shows(app, "starting"))
        await pilot.press("2")
        prepare.allowed.set()
        await until(pilot, lambda: app.current_mode == "workers")
        await pilot.pause()
        assert app.current_mode == "workers"


async def test_an_error_ends_the_app_and_is_kept() -> None:
    error = ValueError("no broker")
    prepare = Settled(error)
    app = StartingApp(prepare)
    async with app.run_test() as pilot:
        prepare.allowed.set()
        await until(pilot, lambda: app.error is error)


async def test_ctrl_c_ends_it_at_once() -> None:
    prepare = Settled()
    app = StartingApp(prepare)
    async with app.run_test() as pilot:
        await until(pilot, lambda: shows(app, "starting"))
        await pilot.press("ctrl+c")
    assert not app.is_set_up
    prepare.allowed.set()


async def test_an_app_that_ends_while_it_starts_leaves_no_coroutine_unawaited(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    app, begun = StartingApp(Settled()), []
    run_worker = app.run_worker

    def ended_at_once(*args: Any, **options: Any) -> None:
        begun.append(args)
        run_worker(*args, **options).cancel()

    monkeypatch.setattr(app, "run_worker", ended_at_once)
    async with app.run_test() as pilot:
        await until(pilot, lambda: bool(begun))
    begun.clear()
    gc.collect()
    assert not [each for each in recwarn if "never awaited" in str(each.message)]
