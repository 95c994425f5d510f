"""What one tries with the mouse."""

from __future__ import annotations

from typing import cast

from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.dialogs.menu import Menu
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.screens.tasks import TaskListScreen
from textual.command import CommandPalette
from textual.events import MouseDown, MouseUp

RIGHT = 3
FAILED = f"{5:08x}-0000-4000-8000-{5:012x}"


async def test_a_click_in_the_gutter_or_with_ctrl_marks_and_a_double_click_opens() -> None:
    async with run_app(cluster(20), Location("tasks")) as ui:
        table = ui.table
        await ui.pilot.click(table, offset=(0, 3))
        await ui.pilot.click(table, offset=(20, 4), control=True)
        assert table.marks == tuple(table.rows[index].id for index in (2, 3))
        await ui.pilot.click(table, offset=(0, 3))
        assert len(table.marks) == 1
        await ui.pilot.click(table, offset=(20, 3), times=2)
        await ui.until(lambda: ui.app.location.path)
        assert ui.app.location.path[0].subject == table.rows[2].id


async def press(ui: AppUnderTest, x: int, y: int, at: float, button: int = 1) -> None:
    """Press and release a button at a time in seconds, of which Textual makes a click."""
    for kind in (MouseDown, MouseUp):
        event = kind(None, x, y, 0, 0, button, False, False, False, x, y)
        event.time = at
        ui.app.post_message(event)
        await ui.pilot.pause()


def place(ui: AppUnderTest, text: str) -> tuple[int, int]:
    """Return where a text begins on the screen."""
    lines = ui.text.splitlines()
    y = next(y for y, line in enumerate(lines) if text in line)
    return lines[y].index(text), y


async def test_a_double_click_opens_the_row_that_its_first_click_has_hit() -> None:
    async with run_app(cluster(20), Location("tasks")) as ui:
        table = ui.table
        row = table.rows[2].id
        y = table.region.y + 3
        await press(ui, 20, y, at=1.0)
        assert table.cursor_id == row
        table.move_to(table.rows[5].id)  # as if its row had gone
        await press(ui, 20, y, at=1.2)
        assert table.cursor_id == table.rows[5].id and not ui.app.location.path
        await press(ui, 20, y, at=3.0)
        await press(ui, 20, y, at=5.0)
        assert not ui.app.location.path
        await press(ui, 20, y, at=5.2)
        await ui.until(lambda: ui.app.location.path)
        assert ui.app.location.path[0].subject == row


async def test_the_right_button_lists_the_operations_of_a_row_and_presses_nothing() -> None:
    async with run_app(cluster(20), Location("tasks")) as ui:
        table = ui.table
        sort, row = table.sort, table.rows[4].id
        await press(ui, 20, table.region.y, 1.0, RIGHT)
        assert table.sort == sort and ui.app.monitor_screen is ui.screen
        await press(ui, 20, table.region.y + 5, 3.0, RIGHT)
        menu = await ui.dialog(Menu)
        assert table.cursor_id == row
        for x, y in (place(ui, "Retry 1 task"), (1, 20)):
            await press(ui, x, y, 5.0, RIGHT)
            assert menu.is_active


async def test_the_right_button_lists_the_operations_of_the_pane_that_it_hits() -> None:
    async with run_app(cluster(20), size=(140, 45)) as ui:
        attention, queues = (
            ui.screen.query_one(f"#{id_}") for id_ in ("attention-table", "queues-table")
        )
        assert attention.has_focus
        await press(ui, queues.region.x + 3, queues.region.y + 2, 1.0, RIGHT)
        menu = await ui.dialog(Menu)
        labels = {id_: label for id_, label, _ in menu.choices}
        assert "Purge geo_processing ..." in labels["queue.purge"]
        assert "queue.purge" not in menu.disabled_ids


async def test_a_double_click_on_a_menu_does_not_act_on_the_dialog_that_it_opens() -> None:
    async with run_app(cluster(20), Location("queues")) as ui:
        await ui.press("A")
        await ui.dialog(Menu)
        x, y = place(ui, "Purge")
        await press(ui, x, y, at=1.0)
        dialog = await ui.asked()
        await press(ui, x, y, at=1.2)
        assert ui.app.screen is dialog
        x, y = place(ui, "Cancel")
        await press(ui, x, y, 3.0, RIGHT)
        assert ui.app.screen is dialog
        await press(ui, x, y, at=5.0)
        await ui.until(lambda: ui.app.screen is not dialog)
        # Nor on what was below the dialog.
        cursor = ui.table.cursor_id
        await press(ui, x, y, at=5.2)
        assert ui.table.cursor_id == cursor


async def test_a_click_on_a_title_of_the_breadcrumb_goes_there() -> None:
    path = (DrillDown("queue", "celery"), DrillDown("task", FAILED, FAILED[:8]))
    async with run_app(cluster(20), Location("queues", path)) as ui:
        line = ui.text.splitlines()[1]
        assert line.startswith(" Queues › celery › 00000005")
        await ui.pilot.click("#info", offset=(line.index("celery"), 0))
        await ui.until(lambda: ui.app.location.path == path[:1])
        await ui.pilot.click("#info", offset=(2, 0))
        await ui.until(lambda: ui.app.location == Location("queues"))


async def test_a_click_elsewhere_before_a_list_opens_does_not_filter_that() -> None:
    async with run_app(cluster(20), Location("overview")) as ui:
        ui.app.go(Location("tasks"), filter_text="state:failure")
        ui.app.go(Location("queues"))
        await ui.until(lambda: ui.app.location == Location("queues") and ui.screen.ready)
        await ui.pilot.pause()
        assert "state:failure" not in ui.text
        ui.app.go(Location("tasks"), filter_text="state:failure")
        await ui.until(lambda: "state:failure" in ui.text)


async def test_a_page_does_not_open_itself_nor_paint_once_it_is_removed() -> None:
    async with run_app(cluster(20), Location("tasks")) as ui:
        step = DrillDown("task", FAILED, FAILED[:8])
        ui.app.navigator.drill(step)
        await ui.until(lambda: ui.screen.ready)
        page = ui.screen
        ui.app.navigator.drill(step)
        assert ui.app.location.path == (step,)
        await ui.app.pop_screen()
        assert not page.ready
        page.paint()


async def test_back_returns_to_the_row_that_was_opened() -> None:
    async with run_app(cluster(20), Location("tasks")) as ui:
        await ui.press("j", "j", "j")
        row = ui.table.cursor_id
        await ui.press("enter")
        await ui.until(lambda: ui.app.location.path)
        await ui.press("escape")
        await ui.until(lambda: not ui.app.location.path)
        assert ui.table.cursor_id == row


async def click_on(ui: AppUnderTest, text: str, blanks: int = 0) -> None:
    """Click on the first place of a text, or beside its first characters."""
    lines = ui.text.splitlines()
    y = next(y for y, line in enumerate(lines) if text in line)
    await ui.pilot.click(offset=(lines[y].index(text) + blanks, y))
    await ui.pilot.pause()


async def test_a_click_on_a_value_of_a_bar_shows_more_about_it() -> None:
    async with run_app(cluster(20), Location("workers"), size=(160, 30)) as ui:
        await click_on(ui, "2 Tasks", 1)  # the blank between the key and its name
        assert ui.app.location == Location("tasks")
        await click_on(ui, "by First seen")
        menu = await ui.dialog(Menu)
        await ui.pilot.click(offset=(1, 20))  # beside the menu
        await ui.until(lambda: not menu.is_active)
        await click_on(ui, "following")
        assert not ui.table.follow
        await click_on(ui, "workers ")
        assert ui.app.location == Location("workers")
        await click_on(ui, "celtop")
        await ui.until(lambda: ui.app.location == Location("overview"))
        await click_on(ui, "FAILURE")
        await ui.until(lambda: ui.app.location == Location("tasks"))
        assert cast(TaskListScreen, ui.screen).filter_text == "state:failure"


async def test_a_click_on_the_keys_of_several_views_opens_the_palette() -> None:
    async with run_app(cluster(5), Location("overview"), size=(80, 24)) as ui:
        await click_on(ui, "2-9", 1)
        await ui.until(lambda: isinstance(ui.app.screen, CommandPalette))
