from __future__ import annotations

import sys

import pytest
from celtop.cli.output.status_line import CLEAR_LINE, status_line


@pytest.mark.parametrize("on_terminal", [True, False])
def test_the_line_is_replaced_and_cleared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, on_terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: on_terminal)
    with status_line():
        pass
    assert capsys.readouterr().err == ""
    with status_line() as show:
        show("Reading queue a\x1b[2J (1 s)")
        show("Reading queue a (2 s)")
    texts = ("Reading queue a\\x1b[2J (1 s)", "Reading queue a (2 s)", "")
    expected = "".join(f"{CLEAR_LINE}{text}" for text in texts) if on_terminal else ""
    assert capsys.readouterr().err == expected
