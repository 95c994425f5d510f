"""The checks of what each key does, by action id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest
from celtop.bindings import ACTIONS, Action
from celtop.bindings.actions import VIEWS
from celtop.tests.tui.app_under_test import AppUnderTest, make_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.navigation import Location
from celtop.tui.screens.base.screen import MonitorScreen

Check = Callable[[AppUnderTest, str], Awaitable[None]]
Pressed = tuple[Action, str]
"""An action and one of its keys."""

CHECKS: dict[str, Check] = {}
SHARING: set[Check] = set()
SAME_FOR_ALL: set[Check] = set()
KEYS_PER_APP = 16
"""How many keys are checked in one app, one after the other: mounting its screens is the costly
part of a check."""


def checks(
    *ids: str, sharing: bool = False, same_for_all: bool = False
) -> Callable[[Check], Check]:
    """Register the check of the keys of some actions.

    Args:
        ids: The actions.
        sharing: Whether `start_over` undoes everything that it does.
        same_for_all: Whether it presses all its keys whichever of them is checked.
    """

    def register(check: Check) -> Check:
        CHECKS.update(dict.fromkeys(ids, check))
        if sharing:
            SHARING.add(check)
        if same_for_all:
            SAME_FOR_ALL.add(check)
        return check

    return register


def cases(module: str) -> list[object]:
    """Return the parameters of a module's test: all keys that it checks, by app."""
    return [
        pytest.param(pressed, id=" ".join(f"{action.id} {key}" for action, key in pressed[:3]))
        for pressed in keys_by_app(module)
    ]


def keys_by_app(module: str) -> Iterator[tuple[Pressed, ...]]:
    """Return all keys that a module checks, those together that are checked in the same app."""
    pressed: dict[Check, list[Pressed]] = {}
    for action in ACTIONS:
        check = CHECKS.get(action.id)
        if check is not None and check.__module__ == module:
            pressed.setdefault(check, []).extend((action, key) for key in action.keys)
    for check in SAME_FOR_ALL & pressed.keys():
        del pressed[check][1:]
    alone = [one for check, keys in pressed.items() if check not in SHARING for one in keys]
    yield from ((one,) for one in alone)
    shared = [one for check, keys in pressed.items() if check in SHARING for one in keys]
    for first in range(0, len(shared), KEYS_PER_APP):
        yield tuple(shared[first : first + KEYS_PER_APP])


async def press_all(pressed: Sequence[Pressed]) -> None:
    """Check keys one after the other in an app of their own."""
    app, session = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.1)
        ui = AppUnderTest(app, session, pilot)
        for number, (action, key) in enumerate(pressed):
            try:
                if number:
                    await start_over(ui)
                await CHECKS[action.id](ui, key)
            except Exception as error:
                error.add_note(f"{action.id}: key {key}")
                raise


async def start_over(ui: AppUnderTest) -> None:
    """Close dialogs and pages, undo marks, filters and the like, and go to the Overview."""
    app = ui.app
    while not isinstance(app.screen, MonitorScreen):
        await ui.press("escape")
    if app.context.frozen:
        app.frame_loop.freeze(False)
    while app.navigator.go_out():
        pass
    for action in VIEWS:
        for screen in app._screen_stacks.get(action.id.removeprefix("view."), ())[:1]:
            assert isinstance(screen, MonitorScreen)
            while screen.step_back():
                pass
            screen.action_move("top")
    app.go(Location("overview"))
    while app.navigator.go_out():
        pass
    await ui.until(lambda: app.monitor_screen is not None and app.monitor_screen.ready)
    app.said.clear()
