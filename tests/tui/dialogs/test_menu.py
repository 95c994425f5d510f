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
