"""Searching pages and dialogs."""

from __future__ import annotations

from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.dialogs.help import Help
from celtop.tui.dialogs.menu import Menu
from celtop.tui.navigation import DrillDown, Location
from textual.widgets import Input, OptionList

FAILED = f"{5:08x}-0000-4000-8000-{5:012x}"
PAGE = Location("tasks", (DrillDown("task", FAILED),))


async def test_letters_typed_with_the_slash_search_the_page_and_run_no_key() -> None:
    async with run_app(cluster(), PAGE) as ui:
        ui.burst("slash", *"XKeqyp")
        await ui.until(lambda: ui.screen.search_line.text == "XKeqyp")
        assert ui.app.location == PAGE
        assert not ui.said and not ui.session.done and not ui.app.context.frozen
        assert "no match" in ui.text


async def test_the_pane_with_the_match_gets_the_focus_and_its_keys() -> None:
    async with run_app(cluster(), PAGE) as ui:
        await ui.press("/", *"session.get", "enter")
        assert "1 of 1" in ui.text
        assert ui.app.focused is ui.screen.traceback
        await ui.press("y")
        assert ui.clipboard == "/srv/shop/images/tasks.py:41"


async def test_the_next_match_is_in_another_pane_and_the_one_after_the_first_again() -> None:
    async with run_app(cluster(), PAGE) as ui:
        await ui.press("/", *"images", "enter")
        focused = {ui.app.focused}
        for _ in range(3):
            await ui.press("n")
            focused.add(ui.app.focused)
        assert len(focused) > 1
        assert "/images" in ui.text.replace(" ", "")


async def test_a_value_that_is_folded_is_opened() -> None:
    async with run_app(cluster(), PAGE) as ui:
        for node in ui.screen.values.root.children:
            node.collapse()
        await ui.press("/", *"480", "enter")
        assert "480" in str(ui.screen.values.cursor_node.label)


async def test_back_clears_the_search_before_it_leaves_the_page() -> None:
    async with run_app(cluster(), PAGE) as ui:
        await ui.press("/", *"get", "enter", "escape")
        assert ui.app.location == PAGE and not ui.screen.searching
        await ui.press("escape")
        assert ui.app.location == Location("tasks")


async def test_the_help_is_searched_and_its_keys_are_letters_meanwhile() -> None:
    async with run_app(cluster(), Location("tasks"), size=(80, 24)) as ui:
        await ui.press("?")
        await ui.dialog(Help)
        ui.burst("slash", *"queues")
        await ui.until(lambda: ui.screen.search_line.text == "queues")
        await ui.press("enter")
        assert isinstance(ui.screen, Help) and "1 of" in ui.text
        await ui.press("escape")
        assert isinstance(ui.screen, Help)
        await ui.press("escape")
        assert not isinstance(ui.screen, Help)


async def test_letters_typed_with_the_slash_in_a_menu_choose_nothing() -> None:
    async with run_app(cluster(), Location("tasks")) as ui:
        await ui.press("A")
        menu = await ui.dialog(Menu)
        ui.burst("slash", *"trig")
        await ui.until(lambda: menu.search_line.text == "trig")
        await ui.press("enter")
        assert ui.screen is menu and not ui.session.done
        chosen = menu.query_one(OptionList).highlighted
        assert chosen is not None and menu.choices[chosen][0] == "task.trigger"


async def test_a_line_is_mounted_when_it_is_first_opened() -> None:
    async with run_app(cluster(), PAGE) as ui:
        assert not ui.screen.query(Input)
        await ui.press("/", "x")
        assert [line.value for line in ui.screen.query(Input)] == ["x"]
        await ui.press("escape", "/", "y")
        assert [line.value for line in ui.screen.query(Input)] == ["y"]
