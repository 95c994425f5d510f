"""Where things are: each unit test beside its source, and no imports but those of the layers.

The layers themselves are import-linter's contracts, in `pyproject.toml`.
"""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
LAYERS = (
    *("alerts", "bindings", "cli", "cluster", "collector", "demo", "export", "files", "history"),
    *("lists", "metrics", "model", "recording", "settings", "tui", "widgets"),
)


def sources(folder: Path) -> list[str]:
    """Return the names of the modules and packages in a folder."""
    packages = (path.parent for path in folder.glob("*/__init__.py"))
    return [path.stem for path in (*folder.glob("*.py"), *packages)]


@pytest.mark.parametrize("layer", LAYERS)
def test_each_unit_test_is_named_after_its_source(layer: str) -> None:
    """`tests/a/test_b.py` and `tests/a/test_b_aspect.py` test the module or package `a/b`."""
    for test in (TESTS / layer).rglob("test_*.py"):
        name = test.stem.removeprefix("test_")
        names = sources(ROOT / test.parent.relative_to(TESTS))
        assert any(name == each or name.startswith(f"{each}_") for each in names), test


def test_no_file_imports_itself_through_others() -> None:
    graph = grimp.build_graph("celtop")
    imported = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    TopologicalSorter(imported).prepare()  # raises an error that names the circle


def test_private_names_of_textual_are_imported_in_one_place() -> None:
    private = re.compile(
        r"^\s*(from textual[\w.]*\._|from textual[\w.]* import _|import textual\._)", re.M
    )
    users = {
        path.relative_to(ROOT).as_posix()
        for layer in LAYERS
        for path in (ROOT / layer).rglob("*.py")
        if private.search(path.read_text("utf-8"))
    }
    assert users == {"widgets/compat/textual_internals.py"}
