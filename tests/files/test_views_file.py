"""Saved views: one table for each, and never lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from celtop.files.config_file import InvalidFile
from celtop.files.views_file import View, delete_view, read_views, save_view, views_file

FAILING = View("tasks", "state:failure", sort="runtime", descending=True, columns=("name:30",))


@pytest.fixture(autouse=True)
def _config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_views_are_saved_and_deleted() -> None:
    save_view("failing now", View("queues"))
    save_view("a.b", View("log", faults=True))
    save_view("failing now", FAILING)
    assert read_views()[0] == {"failing now": FAILING, "a.b": View("log", faults=True)}
    assert 'columns = ["name:30"]' in views_file().read_text()
    assert str(FAILING) == "tasks state:failure by runtime"
    delete_view("failing now")
    assert list(read_views()[0]) == ["a.b"]


@pytest.mark.parametrize("name", ["", "save", "delete it", "x" * 41, "a\x1b"])
def test_some_names_cannot_be_used(name: str) -> None:
    with pytest.raises(ValueError, match="The name of a view"):
        save_view(name, FAILING)


def test_an_invalid_view_is_kept_beside_the_others() -> None:
    views_file().parent.mkdir()
    odd = '[a]  # mine\nscreen = "tasks"\nsorted = 1\n'
    views_file().write_text(f'{odd}\n[b]\nscreen = "log"\n')
    assert read_views() == (
        {"b": View("log")},
        {"a": f"Invalid {views_file()}, [a], line 3: sorted: unknown field"},
    )
    save_view("c", View("queues"))
    delete_view("b")
    assert views_file().read_text().startswith(odd)
    assert read_views()[0] == {"c": View("queues")}


def test_a_file_that_is_not_toml_is_kept() -> None:
    views_file().parent.mkdir()
    views_file().write_text("[a]\nscreen = tasks\n")
    with pytest.raises(InvalidFile, match=r"invalid TOML: .*line 2"):
        save_view("b", FAILING)
    assert views_file().read_text() == "[a]\nscreen = tasks\n"
