"""What the footer offers: it follows the row, the marks, the focus and what is typed."""

from __future__ import annotations

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import cluster, feed, task_events
from celtop.tui.navigation import Location
from celtop.tui.screens.here import here

FAILED = f"{5:08x}-0000-4000-8000-{5:012x}"
WAITING = f"{9004:08x}-0000-4000-8000-{9004:012x}"


def selection(ui: AppUnderTest) -> list[str]:
    """Return the ids of the keys for the selection."""
    return [id_ for id_, _ in here(ui.screen).selection]


def steps(ui: AppUnderTest) -> list[str]:
    """Return the ids of the steps in time that are offered."""
    return [id_ for id_, _ in here(ui.screen).general if id_.startswith("scroll.")]


async def test_marked_queues_are_not_offered_for_comparison() -> None:
    async with run_app(cluster(), Location("queues")) as ui:
        await ui.press("space", "space")
        assert len(ui.table.marks) == 2
        assert "compare" not in selection(ui)


async def test_the_keys_follow_the_state_of_the_task_and_the_marks() -> None:
    async with run_app(cluster(), Location("tasks"), size=(80, 24)) as ui:
        await ui.to(FAILED)
        assert selection(ui) == ["task.retry"]
        await ui.to(WAITING)
        assert selection(ui) == ["task.revoke", "why"]
        await ui.press("space", "space")
        assert selection(ui) == [
            "task.revoke", "task.terminate", "task.retry", "compare", "mark.none",
        ]  # fmt: skip
        footer = ui.text.splitlines()[-1]
        assert "2 marked:  X revoke  K terminate  R retry" in footer and "? help" in footer


async def test_on_a_traceback_the_keys_are_for_its_task_too() -> None:
    async with run_app(cluster(), Location("tasks"), size=(80, 24)) as ui:
        await ui.to(FAILED)
        await ui.press("enter")
        await ui.until(lambda: "y copy path:line  R retry" in ui.text.splitlines()[-1])


async def test_the_cursor_of_the_charts_is_offered_before_the_names_of_views() -> None:
    async with run_app(cluster(), size=(80, 24)) as ui:
        await ui.press("c")
        await ui.until(lambda: "← earlier  enter tasks" in ui.text.splitlines()[-1])


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_frozen_screen_offers_the_way_back_and_steps_in_time(size: tuple[int, int]) -> None:
    async with run_app(cluster(), size=size) as ui:
        await ui.press("p")
        await ui.until(lambda: "p unfreeze  ← earlier" in ui.text.splitlines()[-1])


async def test_steps_in_time_are_offered_while_there_is_such_a_time() -> None:
    async with run_app(cluster()) as ui:
        await ui.press("p")
        assert steps(ui) == ["scroll.left"]
        await ui.press("left")
        assert steps(ui) == ["scroll.left", "scroll.right"]
        while not ui.app.context.freeze.at_first_record:
            await ui.press("left")
        assert steps(ui) == ["scroll.right"]


async def test_nothing_that_is_refused_is_offered_in_read_only_mode() -> None:
    async with run_app(cluster(), Location("tasks"), read_only=True) as ui:
        await ui.to(FAILED)
        assert selection(ui) == []
        await ui.press("space")
        assert selection(ui) == ["mark.none"]


async def test_on_the_overview_the_keys_follow_the_focused_pane() -> None:
    async with run_app(cluster()) as ui:
        seen = set()
        for _ in range(6):
            seen.update(selection(ui))
            await ui.press("tab")
        # The first worker is lost.
        assert "worker.drain" not in seen
        assert {"queue.purge", "task.terminate"} <= seen


async def test_on_failures_the_keys_are_for_the_group_and_its_traceback() -> None:
    async with run_app(cluster()) as ui:
        await ui.press("e")
        await ui.until(lambda: "tab traceback" in ui.text.splitlines()[-1])
        assert here(ui.screen).selection == (
            ("task.retry", "retry all"),
            ("focus.next", "traceback"),
        )
        await ui.press("tab")
        assert selection(ui) == ["copy.id"]


async def test_while_a_filter_is_typed_only_its_own_keys_are_shown() -> None:
    async with run_app(cluster(), Location("tasks")) as ui:
        await ui.press("/")
        assert {id_.partition(".")[0] for id_, _ in here(ui.screen).general} == {"filter"}
        assert not selection(ui)


async def test_a_click_on_a_key_runs_it() -> None:
    async with run_app(cluster(), Location("tasks")) as ui:
        footer = ui.text.splitlines()[-1]
        await ui.pilot.click("#keys", offset=(footer.index("? help"), 0))
        await ui.until(lambda: type(ui.screen).__name__ == "Help")


@pytest.mark.parametrize(("key", "opens"), [("o", "workflow"), ("e", "error")])
async def test_a_page_does_not_offer_the_key_that_opens_it(key: str, opens: str) -> None:
    state = cluster()
    feed(state, task_events(2, "flow.step", uuid="step", root_id="root", parent_id="root"))
    async with run_app(state, Location("tasks")) as ui:
        await ui.to("step")
        offered = here(ui.screen)
        assert opens in [id_ for id_, _ in (*offered.selection, *offered.general)]
        await ui.press(key)
        await ui.until(lambda: ui.app.location.path != ())
        offered = here(ui.screen)
        assert opens not in [id_ for id_, _ in (*offered.selection, *offered.general)]
