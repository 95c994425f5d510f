from __future__ import annotations

from pathlib import Path

import pytest
from celtop.bindings.keymap import Keymap, KeymapError
from celtop.bindings.plugins import load_keymap


@pytest.fixture(autouse=True)
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a package that offers keymaps on the path."""
    (tmp_path / "celtop_keys_for_test.py").write_text(
        'CALM = {"quit": "Q", "move.down": ["x", "down"], "freeze": ""}\nTEXT = "quit"\n'
        'IDS = {5: "x"}\nKEYS = {"quit": {"x": 1}}\n'
    )
    (tmp_path / "celtop_exit_for_test.py").write_text("import sys\nsys.exit(0)\n")
    metadata = tmp_path / "celtop_keys_for_test-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: celtop-keys-for-test\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[celtop.keymaps]\n"
        "calm = celtop_keys_for_test:CALM\n"
        "text = celtop_keys_for_test:TEXT\n"
        "gone = celtop_keys_for_test:GONE\n"
        "ids = celtop_keys_for_test:IDS\n"
        "keys = celtop_keys_for_test:KEYS\n"
        "exit = celtop_exit_for_test:KEYS\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_a_package_offers_a_keymap() -> None:
    keymap = Keymap().remapped(load_keymap("calm"))
    assert keymap["quit"].keys == ("Q",)
    assert keymap["move.down"].keys == ("x", "down")
    assert keymap["freeze"].keys == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vim", "no installed package provides it; available: .*calm, exit, gone, ids, keys"),
        ("gone", "it cannot be loaded: AttributeError: .*GONE"),
        ("exit", "it cannot be loaded: SystemExit: 0"),
        ("ids", "celtop_keys_for_test:IDS is not a mapping of action ids to keys"),
        ("keys", "quit: {'x': 1} is neither a key nor a list of keys"),
        ("text", "celtop_keys_for_test:TEXT is not a mapping of action ids to keys"),
    ],
)
def test_a_keymap_that_cannot_be_used(name: str, message: str) -> None:
    with pytest.raises(KeymapError, match=message):
        load_keymap(name)
