from __future__ import annotations

import re

import pytest
from celtop.bindings import ACTIONS
from celtop.bindings.keymap import Keymap
from celtop.bindings.keys import NAMED_KEYS, key_name, key_names, parse_key
from textual.keys import Keys


def test_keys_are_written_as_people_write_them() -> None:
    assert key_name("escape") == "esc"
    assert key_name("up") == "↑"
    assert key_name("up", ascii_only=True) == "up"
    move = Keymap()["move.down"]
    assert key_names(move) == "j ↓"
    assert key_names(move, ascii_only=True) == "j down"


def test_every_named_key_is_one_of_textuals() -> None:
    assert {key.value for key in Keys} >= NAMED_KEYS


def test_every_default_key_is_read_from_how_it_is_written_and_from_how_it_is_shown() -> None:
    for key in (key for action in ACTIONS for key in action.keys):
        assert parse_key(key) == key
        assert parse_key(key_name(key)) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("x", "x"),
        ("X", "X"),
        (",", ","),
        ("é", "é"),
        ("PgDn", "pagedown"),
        ("Ctrl+X", "ctrl+x"),
        ("shift+ctrl+up", "ctrl+shift+up"),
        ("alt+1", "alt+1"),
        ("F12", "f12"),
        ("shift+f5", "shift+f5"),
    ],
)
def test_reading_a_key(text: str, key: str) -> None:
    assert parse_key(text) == key


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("ctlr+x", "write 'x'"),
        ("pgdown", "did you mean 'pagedown'?"),
        ("shift+x", "write 'x', 'X'"),
        ("f25", "did you mean"),
        ("xy", "write"),
        ("ctrl+", "write"),
        (" ", "write"),
        ("\x1b", "write"),
    ],
)
def test_an_unknown_key(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"unknown key {text!r}; {advice}")):
        parse_key(text)
