from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from celtop.bindings import ACTIONS, Context
from celtop.bindings.actions import CONTEXT_TITLES
from celtop.bindings.keys import (
    KEYS_BEGIN,
    KEYS_END,
    by_context,
    in_context,
    key_name,
    key_names,
    key_table,
    with_key_table,
)

ROOT = Path(__file__).parents[2]
TOGETHER: tuple[tuple[Context, ...], ...] = (
    ("global", "overview"),
    ("global", "list", "stream"),
    ("global", "detail"),
    ("filter",),
    ("command",),
    ("dialog",),
)


def test_ids_are_unique() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("contexts", TOGETHER, ids=" ".join)
def test_no_key_means_two_things_at_once(contexts: tuple[Context, ...]) -> None:
    for one, other in combinations(in_context(*contexts), 2):
        assert not set(one.keys) & set(other.keys), (one.id, other.id)


def test_what_changes_the_cluster_is_uppercase_and_off_ctrl() -> None:
    for action in ACTIONS:
        if action.mutates:
            assert all(len(key) == 1 and key == key.upper() for key in action.keys), action.id


def test_every_action_has_its_place_and_words() -> None:
    for action in ACTIONS:
        assert action.keys and action.contexts and action.label and action.help, action.id
        assert set(action.contexts) <= set(CONTEXT_TITLES)
        assert all(ord(letter) < 128 for letter in action.help + action.label)


def test_sections_hold_each_action_once_the_asked_ones_first() -> None:
    sections = by_context(("detail",))
    listed = [action.id for _, actions in sections for action in actions]
    assert sections[0][0] == "detail"
    assert sorted(listed) == sorted(action.id for action in ACTIONS)


def test_keys_are_written_as_people_write_them() -> None:
    assert key_name("escape") == "esc"
    assert key_name("up") == "↑"
    assert key_name("up", ascii_only=True) == "up"
    move = next(action for action in ACTIONS if action.id == "move.down")
    assert key_names(move) == "j ↓"
    assert key_names(move, ascii_only=True) == "j down"


def test_readme_has_the_present_table() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert with_key_table(readme) == readme, "run: python -m celtop.bindings README.md"


def test_table_replaces_what_stands_between_the_markers() -> None:
    document = f"before\n{KEYS_BEGIN}\nold\n{KEYS_END}\nafter\n"
    assert with_key_table(document) == f"before\n{KEYS_BEGIN}\n{key_table()}\n{KEYS_END}\nafter\n"
    with pytest.raises(ValueError, match="<!-- keys -->"):
        with_key_table("nothing")


def test_module_prints_the_table() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "celtop.bindings"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == key_table() + "\n"
