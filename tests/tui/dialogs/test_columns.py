"""Columns are chosen while the list shows them, and kept for the next start."""

from __future__ import annotations

from pathlib import Path

import pytest
from celtop.files.columns_file import columns_file, read_columns
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.dialogs.columns import ColumnChooser
from celtop.tui.navigation import DrillDown, Location


@pytest.fixture(autouse=True)
def _config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def titles(on: AppUnderTest) -> list[str]:
    return next(line for line in on.text.splitlines() if "State" in line).split()


async def test_chosen_columns_are_shown_and_saved() -> None:
    async with run_app(cluster(5), Location("tasks"), size=(80, 24)) as on:
        assert "Age" not in titles(on)
        on.app.run_command("columns")
        chooser = await on.dialog(ColumnChooser)
        assert "auto  no room" in on.text and "esc discard" in on.text
        age = [column.id for column in on.app.table.columns].index("age")  # type: ignore[union-attr]
        await on.press(*["j"] * age, "space", *["K"] * (age - 1), "enter")
        await on.until(lambda: on.app.screen is not chooser)
        await on.until(lambda: titles(on)[:3] == ["State", "Age", "Task"])
        assert read_columns()[0]["tasks"][:3] == ("state", "age", "name")
        on.app.run_command("columns")
        await on.dialog(ColumnChooser)
        await on.press("space", "escape")
        await on.until(lambda: titles(on)[:3] == ["State", "Age", "Task"])


async def test_saved_columns_are_those_of_every_list_of_the_kind() -> None:
    columns_file().parent.mkdir()
    columns_file().write_text('[tasks]\ncolumns = ["name:30", "gone", "state"]\n')
    path = (DrillDown("tasks", "state:success"),)
    async with run_app(cluster(5), Location("types", path)) as on:
        await on.until(lambda: on.screen.list_table.column_layout)
        await on.until(lambda: titles(on) == ["Task", "State"])


async def test_a_broken_file_is_reported_and_kept() -> None:
    columns_file().parent.mkdir()
    columns_file().write_text(
        '[tasks]\ncolumns = ["name:x"]\n[log]\ncolumns = "at"\n[queues]\ncolumns = ["name"]\n'
    )
    async with run_app(cluster(5), Location("tasks")) as on:
        assert "[log], line 4: columns: Expected `array`, got `str`" in on.said[0]
        assert "[tasks]: column 'name:x': the width must be a number from 3 to 200" in on.said[1]
        assert list(on.app.context.column_layouts) == ["queues"]
        columns_file().write_text("[tasks\n")
        on.app.run_command("columns")
        await on.dialog(ColumnChooser)
        await on.press("j", "space", "enter")
        await on.until(lambda: len(on.said) == 3)
        assert "only kept until celtop exits: Cannot read" in on.said[2]
    assert columns_file().read_text() == "[tasks\n"


async def test_columns_get_room_when_the_terminal_becomes_wider() -> None:
    async with run_app(cluster(20), Location("tasks"), size=(80, 24)) as on:
        on.app.choose_columns()
        await on.until(lambda: "auto  no room" in on.text)
        await on.pilot.resize_terminal(240, 60)
        await on.until(lambda: "[x] Outcome" in on.text and "no room" not in on.text)
        assert "[x] Retry       auto  empty" in on.text


async def test_the_first_step_of_a_width_begins_at_the_width_that_is_seen() -> None:
    async with run_app(cluster(20), Location("tasks"), size=(200, 30)) as on:
        on.app.choose_columns()
        chooser = await on.dialog(ColumnChooser)
        before = chooser._table.fitting["outcome"]
        assert before > 40
        at = [column.id for column in chooser._table.columns].index("outcome")
        await on.press(*["j"] * at, "left")
        await on.until(lambda: chooser._table.fitting["outcome"] == before - 1)
