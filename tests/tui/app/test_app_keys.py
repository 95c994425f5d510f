"""Every key of the table has a check, in the `test_app_keys_*.py` beside this file."""

from __future__ import annotations

import base64
from importlib import import_module
from pathlib import Path

from celtop.bindings import ACTIONS
from celtop.tests.tui.app_under_test import make_app
from celtop.tests.tui.key_checks import CHECKS


def test_each_action_of_the_table_is_checked() -> None:
    for path in Path(__file__).parent.glob("test_app_keys_*.py"):
        import_module(f"{__package__}.{path.stem}")
    assert {action.id for action in ACTIONS} == set(CHECKS)


def test_the_clipboard_is_the_terminals_own() -> None:
    # OSC 52 is what reaches a clipboard over ssh.
    app, _ = make_app()
    written: list[str] = []
    app._driver = type("Driver", (), {"write": lambda self, text: written.append(text)})()
    app.copy_to_clipboard("[/] id")
    assert base64.b64encode(b"[/] id").decode() in written[0]
