from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from celtop.tests.tui.app_under_test import make_app, run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.dialogs.save import SaveDialog
from celtop.tui.navigation import Location
from celtop.tui.output.save import default_name
from textual.widgets import Input


async def save_as(path: Path, *keys: str, view: str = "2") -> str:
    """Save a view, by default Tasks, after some keys; return what the last notice said."""
    app, _ = make_app(cluster(20))
    async with app.run_test(size=(160, 36)) as pilot:
        await pilot.press(view, *keys, "ctrl+s")
        await pilot.pause()
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.app.workers.wait_for_complete() if not isinstance(
            app.screen, SaveDialog
        ) else None
        return app.said[-1] if app.said else ""


async def test_json_is_a_snapshot_of_what_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    said = await save_as(path, "/", *"state:failure", "enter")
    told = json.loads(path.read_text())
    assert told["schema"] == "celtop.snapshot/1"
    assert {task["state"] for task in told["tasks"]} == {"FAILURE"}
    assert said == f"Saved {len(told['tasks'])} rows to {path}"


async def test_marked_rows_are_saved_alone(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    await save_as(path, "space", "space")
    assert len(json.loads(path.read_text())["tasks"]) == 2


async def test_text_is_an_aligned_table(tmp_path: Path) -> None:
    path = tmp_path / "tasks.txt"
    await save_as(path)
    lines = path.read_text().splitlines()
    assert lines[0].startswith("State") and "Outcome" in lines[0]
    assert len(lines) == 26
    assert {line[2:10].split()[0] for line in lines[1:]} >= {"SUCCESS", "FAILURE"}


async def test_csv_has_the_values_of_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    await save_as(path)
    rows = list(csv.DictReader(path.open(newline="")))
    assert len(rows) == 25
    assert {"FAILURE", "SUCCESS"} <= {row["state"] for row in rows}
    assert any(float(row["runtime_s"] or 0) > 0 for row in rows)


async def test_a_list_without_records_has_its_texts(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    await save_as(path, view="7")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines and {"at", "level", "source", "text"} == lines[0].keys()


async def test_a_picture_shows_the_screen_without_the_dialog(tmp_path: Path) -> None:
    path = tmp_path / "screen.svg"
    said = await save_as(path)
    svg = path.read_text()
    assert svg.startswith("<svg") and "FAILURE" in svg and "Save&#160;what" not in svg
    assert said == f"Saved the screen to {path}"


async def test_nothing_is_overwritten_without_asking(tmp_path: Path) -> None:
    path = tmp_path / "precious.json"
    path.write_text("precious")
    app, _ = make_app(cluster(5))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2", "ctrl+s")
        await pilot.pause()
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        assert isinstance(app.screen, SaveDialog)
        assert path.read_text() == "precious"
        await pilot.press("enter")
        await pilot.pause()
        assert json.loads(path.read_text())["schema"] == "celtop.snapshot/1"


async def test_a_named_file_is_saved_without_a_dialog(tmp_path: Path) -> None:
    path = tmp_path / "screen.svg"
    app, _ = make_app(cluster(5))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        app.action_export(str(path))
        await app.workers.wait_for_complete()
        assert app.said[-1] == f"Saved the screen to {path}"
        app.action_export(str(path))
        await pilot.pause()
        assert isinstance(app.screen, SaveDialog)


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 15)])
async def test_a_picture_is_of_the_screen_as_it_was_before_the_command_line(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with run_app(cluster(30), Location("types"), size) as on:
        on.app.frame_loop.paint()
        await on.pilot.pause()
        before = on.app.export_screenshot()
        path = tmp_path / "a.svg"
        on.burst("colon", *"save", "space", *str(path), "enter")
        await on.until(path.exists)
        assert path.read_text() == before
        await on.press("colon", "escape", "2", "ctrl+s")
        path = tmp_path / "b.svg"
        (await on.dialog(SaveDialog)).query_one(Input).value = str(path)
        await on.press("enter")
        await on.until(path.exists)
        assert "First&#160;seen" in path.read_text()


async def test_the_error_of_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    said = await save_as(tmp_path / "no" / "such" / "folder.json")
    assert "No such file or directory" in said


async def test_an_ending_without_meaning_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tasks.docx"
    await save_as(path)
    assert not path.exists()


def test_the_default_name_has_view_and_time() -> None:
    assert default_name("tasks", NOW).startswith("celtop-tasks-2027")
