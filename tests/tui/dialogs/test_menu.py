"""Menus in narrow terminals."""

from __future__ import annotations

from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.dialogs.menu import Menu
from textual.widgets import OptionList

REASON = "celery@geo-1 was started without --autoscale, and so it refuses to scale its pool"


async def test_a_reason_is_whole_below_its_label_where_it_does_not_fit_beside() -> None:
    choices = [("a", "Autoscale celery@geo-1 ...", REASON), ("b", "Ping celery@geo-1", "short")]
    async with run_app(cluster(3), size=(80, 24)) as ui:
        ui.app.push_screen(Menu("Operations", choices, disabled=("a",)))
        menu = await ui.dialog(Menu)
        options = menu.query_one(OptionList)
        first, second = (str(options.get_option_at_index(index).prompt) for index in (0, 1))
        label, *lines = first.split("\n")
        assert label == "Autoscale celery@geo-1 ..."
        assert " ".join(map(str.strip, lines)) == REASON
        assert max(map(len, lines)) <= options.size.width
        assert second.split("  ")[0] == "Ping celery@geo-1" and second.endswith("short")


async def test_a_title_that_does_not_fit_is_repeated_inside_and_wrapped() -> None:
    title = "Operations on 5d2e0c1a reports.join_pages_into_one_document RECEIVED on celery@geo-1"
    async with run_app(cluster(3), size=(60, 15)) as ui:
        ui.app.push_screen(Menu(title, [("a", "Ping", "")]))
        menu = await ui.dialog(Menu)
        assert menu.query_one("#box").size.width == menu.query_one(OptionList).size.width == 56
        inside = " ".join(line.strip(" │") for line in ui.text.splitlines())
        assert title in inside


async def test_a_box_and_its_items_are_as_wide_as_the_title() -> None:
    title = "Terminate 0001405a reports.render_page STARTED on celery@billing-1"
    async with run_app(cluster(3), size=(80, 24)) as ui:
        ui.app.push_screen(Menu(title, [("a", "SIGTERM", "")]))
        menu = await ui.dialog(Menu)
        assert menu.query_one(OptionList).size.width == len(title) + 4
        assert f"─ {title} ─" in ui.text
