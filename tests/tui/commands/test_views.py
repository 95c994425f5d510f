"""Views of the screen are saved, opened and deleted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from celtop.files.views_file import View, read_views, save_view, views_file
from celtop.tests.tui.app_under_test import make_app, run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.commands.base import CommandError
from celtop.tui.commands.palette import CeltopCommands
from celtop.tui.commands.table import completions, run
from celtop.tui.dialogs.menu import Menu
from celtop.tui.navigation import PAGES, DrillDown, Location
from textual.command import DiscoveryHit
from textual.markup import escape

SLOW = View("tasks", "state:success", sort="runtime", descending=True, columns=("name:30", "age"))


@pytest.fixture(autouse=True)
def _config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


async def test_a_view_is_opened_as_it_was_saved() -> None:
    save_view("slow", SLOW)
    async with run_app(cluster(30), view="slow") as on:
        await on.until(lambda: on.app.shown_view() == SLOW)
        assert {task.state for task in on.table.rows} == {"SUCCESS"}
        on.app.run_command("view save slow 2")
        assert on.said == ["Saved view slow 2: tasks state:success by Runtime"]
        assert read_views()[0] == {"slow": SLOW, "slow 2": SLOW}
        await on.press(":", *"view s")
        await on.until(lambda: "slow  slow 2  save" in on.text)
        await on.press("escape")
        palette = CeltopCommands(on.screen)
        names = [str(hit.text) async for hit in palette.discover() if isinstance(hit, DiscoveryHit)]
        assert ":view slow 2" in names
        on.app.run_command("view delete slow 2")
        assert list(read_views()[0]) == ["slow"]


@pytest.mark.parametrize("name", ["delete slow", "save other"])
async def test_the_option_only_opens(name: str) -> None:
    save_view("slow", SLOW)
    async with run_app(cluster(5), view=name) as on:
        await on.until(lambda: on.said == [f"Unknown view {name}; saved views: slow"])
    assert read_views()[0] == {"slow": SLOW}


async def test_a_drill_down_is_saved_with_its_filter() -> None:
    path = (DrillDown("tasks", "name:=geo.resize"),)
    async with run_app(cluster(5), Location("types", path)) as on:
        on.app.filter_by("state:failure")
        view = on.app.shown_view()
        assert view is not None
        assert (view.screen, view.filter) == ("tasks", "name:=geo.resize state:failure")


async def test_a_page_cannot_be_saved() -> None:
    async with run_app(cluster(5), Location("workers", (DrillDown("worker", "w"),))) as on:
        with pytest.raises(CommandError, match="cannot be saved as a view"):
            run(on.app, "view save w")


def test_what_cannot_be_opened_is_explained() -> None:
    app, _ = make_app(cluster(5))
    with pytest.raises(CommandError, match="Unknown view x; `:view save NAME` saves this one"):
        run(app, "view x")
    save_view("odd", View("taks"))
    with pytest.raises(CommandError, match="Unknown screen taks in view odd; use one of overview"):
        run(app, "view odd")
    assert completions(app, "view ") == ["view odd", "view save ", "view delete odd"]
    views_file().write_text("[odd\n")
    with pytest.raises(CommandError, match="invalid TOML"):
        run(app, "view odd")
    assert completions(app, "view ") == ["view save "]


async def test_an_invalid_view_is_listed_with_its_error_beside_the_others() -> None:
    views_file().parent.mkdir()
    views_file().write_text('[odd]\nscreen = "tasks"\nsort = 1\n\n[hour]\nscreen = "log"\n')
    why = f"Invalid {views_file()}, [odd], line 3: sort: Expected `str`, got `int`"
    async with run_app(cluster(5), view="hour") as on:
        await on.until(lambda: on.app.location == Location("log"))
        on.app.run_command("view odd")
        assert on.said == [why]
        on.app.run_command("view")
        menu = await on.dialog(Menu)
        assert menu.choices == (("hour", "hour", "log"), ("odd", "odd", why))
        assert menu.disabled_ids == {"odd"}
        await on.press("escape")
        palette = CeltopCommands(on.screen)
        hits = [hit async for hit in palette.discover() if isinstance(hit, DiscoveryHit)]
        assert [hit.help for hit in hits if hit.text == ":view odd"] == [escape(why)]
        assert "view delete odd" in completions(on.app, "view ")
        on.app.run_command("view delete odd")
        assert read_views() == ({"hour": View("log")}, {})


async def test_a_file_that_is_no_toml_is_explained_everywhere_and_never_overwritten() -> None:
    views_file().parent.mkdir()
    views_file().write_text('[hour]\nscreen = "log"\n[odd\n')
    broken = views_file().read_text()
    async with run_app(cluster(5), Location("tasks")) as on:
        with pytest.raises(CommandError) as raised:
            run(on.app, "view hour")
        why = str(raised.value)
        assert why.startswith(f"Cannot read {views_file()}: invalid TOML: ") and "line 3" in why
        assert why.endswith("Correct it in an editor: celtop does not overwrite it")
        for text in ("view", "view save hour", "view delete hour"):
            with pytest.raises(CommandError, match=re.escape(why)):
                run(on.app, text)
        palette = CeltopCommands(on.screen)
        hits = [hit async for hit in palette.discover() if isinstance(hit, DiscoveryHit)]
        (entry,) = (hit for hit in hits if hit.text == ":view")
        assert entry.help == escape(why)
        entry.command()
        assert on.said[-1] == why
    assert views_file().read_text() == broken


async def test_a_page_of_charts_is_saved_with_its_window() -> None:
    save_view("hour", View("charts", window="1h"))
    save_view("day", View("overview", window="1d"))
    async with run_app(cluster(5), view="hour") as on:
        await on.until(lambda: on.app.shown_view() == View("charts", window="1h"))
        assert on.app.context.chart_seconds == 3600
        on.app.run_command("view day")
        await on.until(lambda: on.said)
        assert on.said == ["Cannot show 1d, the window in the view; use 5m, 15m, 1h"]


async def test_charts_are_saved_with_their_subject() -> None:
    where = Location("types", (DrillDown("type", "mail.send"), PAGES["charts"]))
    saved = View("charts", subject="type:mail.send", window="15m")
    async with run_app(cluster(30), where) as on:
        on.app.run_command("view save mail")
        assert read_views()[0] == {"mail": saved}
        assert on.said == ["Saved view mail: charts type:mail.send"]
        await on.press("1")
        on.app.run_command("view mail")
        assert on.app.location == where
    save_view("odd", View("charts", subject="task:1"))
    with pytest.raises(CommandError, match="Unknown subject task:1 in view odd; use one of queue:"):
        run(on.app, "view odd")


async def test_what_a_view_names_and_the_list_lacks_is_reported() -> None:
    save_view("old", View("tasks", sort="colour", columns=("state", "colour:20", "shape")))
    async with run_app(cluster(5), view="old") as on:
        await on.until(
            lambda: (
                on.said
                == [
                    "Cannot show colour, shape, unknown columns in the view",
                    "Cannot sort by colour, the sort column in the view",
                ]
            )
        )
        assert on.table.sort == ("received", True)
    save_view("unsorted", View("queues", sort="trend"))
    async with run_app(cluster(5), view="unsorted") as on:
        await on.until(lambda: on.said == ["Cannot sort by trend, the sort column in the view"])
