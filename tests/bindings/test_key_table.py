from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from celtop.bindings import ACTIONS
from celtop.bindings.key_table import key_table, with_key_table

ROOT = Path(__file__).parents[2]


def test_the_table_has_every_action_with_its_id() -> None:
    table = key_table()
    assert all(f"| `{action.id}` |" in table for action in ACTIONS)


def test_readme_has_the_present_table() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert with_key_table(readme) == readme, "run: make keys"


def test_table_replaces_what_stands_between_the_markers() -> None:
    document = "before\n<!-- keys -->\nold\n<!-- /keys -->\nafter\n"
    expected = f"before\n<!-- keys -->\n{key_table()}\n<!-- /keys -->\nafter\n"
    assert with_key_table(document) == expected
    with pytest.raises(ValueError, match="<!-- keys -->"):
        with_key_table("nothing")


def test_module_prints_the_table() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "celtop.bindings"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == key_table() + "\n"
